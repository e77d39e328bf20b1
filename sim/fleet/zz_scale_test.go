package fleet

import (
	"context"
	"os"
	"runtime/pprof"
	"strconv"
	"testing"
	"time"
)

func TestScale(t *testing.T) {
	n, _ := strconv.Atoi(os.Getenv("N"))
	m, _ := strconv.Atoi(os.Getenv("M"))
	if n == 0 {
		t.Skip()
	}
	s := crowd(n, int64(m))
	for i := range s.Hosts {
		s.Hosts[i].Up, s.Hosts[i].Down = 2.5e6, 5e6
	}
	s.Unchecked = true
	if p := os.Getenv("RATE"); p != "" {
		v, _ := strconv.ParseFloat(p, 64)
		for i := range s.Hosts {
			s.Hosts[i].Up, s.Hosts[i].Down = v, 2*v
		}
	}
	if p := os.Getenv("QUEUE"); p != "" {
		s.Net.Queue, _ = time.ParseDuration(p)
	}
	if p := os.Getenv("SLOTS"); p != "" {
		s.Peer.Choke.Slots, _ = strconv.Atoi(p)
	}
	if p := os.Getenv("QUANTUM"); p != "" {
		s.Net.Quantum, _ = strconv.Atoi(p)
	}
	if p := os.Getenv("SEED"); p != "" {
		v, _ := strconv.Atoi(p)
		s.RNGSeed = uint64(v)
	}
	if p := os.Getenv("PROBE"); p != "" {
		s.Probe, _ = time.ParseDuration(p)
	}
	if p := os.Getenv("POLICY"); p != "" {
		s.Peer.Policy = p
	}
	if p := os.Getenv("PEERS"); p != "" {
		s.Peer.MaxRemotes, _ = strconv.Atoi(p)
		s.Peer.NumWant = s.Peer.MaxRemotes
	}
	if p := os.Getenv("CPU"); p != "" {
		f, _ := os.Create(p)
		pprof.StartCPUProfile(f)
		defer pprof.StopCPUProfile()
	}
	r, err := Run(context.Background(), &s, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if os.Getenv("SERIES") != "" {
		var last Sample
		for _, x := range r.Samples {
			dt := (x.At - last.At).Seconds()
			t.Logf("%7.2f done %d prog %.3f util %.3f seed %.3f rarest %d unchoked %d interested %d", x.At.Seconds(), x.Done, x.Progress, float64(x.UpBytes-last.UpBytes)/dt/2.5e6/float64(n+1), float64(x.SeedBytes)/float64(s.Size), x.Rarest, x.Unchoked, x.Interested)
			last = x
		}
	}
	t.Logf("%+v copies %.3f util %.3f %s %s wall %v events %d virtual %v hash %s msgs %v", r.All, r.SeedCopies, r.Utilisation, r.LimitedBy, r.Why, r.Wall, r.Events, r.Virtual, r.TraceHash, r.Messages)
}
