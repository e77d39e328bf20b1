package fleet

import (
	"context"
	"os"
	"runtime/pprof"
	"strconv"
	"testing"
	"time"

	"starling/peer"
)

func TestScale(t *testing.T) {
	n, _ := strconv.Atoi(os.Getenv("N"))
	m, _ := strconv.Atoi(os.Getenv("M"))
	if n == 0 {
		t.Skip()
	}
	s := crowd(n, int64(m))
	s.Unchecked = true
	if p := os.Getenv("RATE"); p != "" {
		v, _ := strconv.ParseFloat(p, 64)
		for i := range s.Hosts {
			s.Hosts[i].Up, s.Hosts[i].Down = v, v
			if os.Getenv("DOUBLE") != "" {
				s.Hosts[i].Down = 2 * v
			}
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
	if os.Getenv("IDLE") != "" {
		debugProbe = func(f *fleet) {
			idle, slots, empty, otherwise, backlog, asks, win := 0, 0, 0, 0, 0, 0, 0
			for _, m := range f.members {
				if m.eng == nil {
					continue
				}
				up, _ := m.h.Busy()
				if up {
					continue
				}
				idle++
				m.eng.EachRemote(func(r peer.RemoteView) {
					if r.AmChoking {
						return
					}
					slots++
					o := f.byAddr[r.Addr]
					if r.Queue == 0 {
						empty++
					} else {
						otherwise++
					}
					if _, d := o.h.Busy(); d > 20*time.Millisecond {
						backlog++
					}
					o.eng.EachRemote(func(q peer.RemoteView) {
						if q.Addr == m.h.Addr() && os.Getenv("DETAIL") != "" {
							st := o.eng.Stats()
							t.Logf("  %s -> %s: choking %v interested %v/%v req %d window %d queue %d; inflight %d done %d, we have %d", m.spec.Name, o.spec.Name, q.PeerChoking, q.AmInterested, r.PeerInterested, q.Requests, q.Window, r.Queue, st.PiecesInFlight, st.PiecesDone, m.have().Count())
						}
						if q.Addr == m.h.Addr() {
							asks += q.Requests
							win += q.Window
						}
					})
				})
			}
			down := 0
			for _, m := range f.members {
				if _, d := m.h.Busy(); d > 20*time.Millisecond {
					down++
				}
			}
			t.Logf("%.2f idle %d slots %d empty %d queued %d backlogged %d requests %d window %d; downlinks busy %d", f.world.Now().Seconds(), idle, slots, empty, otherwise, backlog, asks, win/max(slots, 1), down)
		}
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
