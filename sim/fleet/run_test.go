package fleet

import (
	"context"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"starling/choke"
	"starling/p2p"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// trouble is a small fleet in which much goes wrong.
func trouble(seed uint64) Spec {
	s := crowd(8, 48)
	s.Name, s.RNGSeed = "trouble", seed
	s.PieceLength, s.Size = 128<<10, 48*128<<10+777
	s.Net.Latency, s.Net.Queue = 5*time.Millisecond, 20*time.Millisecond
	s.Linger = second
	s.Racks = []RackSpec{{Name: "r", Up: 3e6, Down: 3e6}}
	s.Hosts[1].Rack, s.Hosts[2].Rack = "r", "r"
	s.Hosts[3].Loss, s.Hosts[4].Has = 0.02, 0.3
	s.Hosts[5].Corrupts, s.Hosts[6].FreeRides, s.Hosts[7].Lies = 0.2, true, true
	s.Hosts[8].Arrive = 2 * second
	s.Hosts = append(s.Hosts, HostSpec{Name: "node", Role: Node})
	jitter := time.Duration(seed%17) * 100 * time.Millisecond
	at := func(d time.Duration, kind FaultKind, length time.Duration, hosts ...string) {
		s.Faults = append(s.Faults, Fault{At: d + jitter, Kind: kind, Hosts: hosts, For: length})
	}
	at(1*second, Crash, 0, "leecher-0")
	at(2*second, TrackerLost, 0)
	at(2*second, Partition, 0, "leecher-1", "leecher-2")
	at(3*second, Stall, 2*second, "leecher-3")
	at(3*second, Return, 0, "leecher-0")
	at(4*second, Heal, 0)
	at(4*second, Freeze, 2*second, "leecher-2")
	at(5*second, PowerLoss, 0, "leecher-1")
	at(5*second, ClockJump, time.Minute, "leecher-3")
	at(6*second, DiskFull, second, "leecher-7")
	at(7*second, Return, 0, "leecher-1")
	at(7*second, OneWay, 0, "leecher-5")
	at(9*second, Heal, 0)
	s.Sends = []Send{{At: 3 * second, From: "node", To: "seed", Type: p2p.NAME}}
	return s
}

func golden() map[string]Spec {
	fair, lossy := crowd(6, 40), crowd(5, 24)
	fair.Peer.Policy = choke.Cooperative
	for i := range lossy.Hosts {
		lossy.Hosts[i].Loss, lossy.Hosts[i].Latency = 0.01, 20*time.Millisecond
	}
	return map[string]Spec{"cooperative": fair, "lossy tit-for-tat": lossy, "trouble": trouble(1)}
}

// TestGolden: a Spec gives the same run on every machine. A change of the code
// that changes runs changes the file; run the test with -update then.
func TestGolden(t *testing.T) {
	file := filepath.Join("testdata", "golden.txt")
	var got strings.Builder
	for _, name := range []string{"cooperative", "lossy tit-for-tat", "trouble"} {
		s := golden()[name]
		first, second := mustRun(t, &s, Options{}), mustRun(t, &s, Options{})
		first.Wall, second.Wall = 0, 0
		if !reflect.DeepEqual(first, second) {
			t.Errorf("%s: two runs differ", name)
		}
		got.WriteString(first.TraceHash + " " + name + "\n")
		s.RNGSeed++
		if other := mustRun(t, &s, Options{}); other.TraceHash == first.TraceHash {
			t.Errorf("%s: another seed gives the same run", name)
		}
	}
	if *update {
		if err := os.WriteFile(file, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != string(want) {
		t.Errorf("got\n%swant\n%s", got.String(), want)
	}
}

// tapped counts what a Tap sees.
type tapped struct{ sent, received uint64 }

func (n *tapped) see(r p2p.TapRecord) {
	if r.Dir == p2p.Sent {
		n.sent++
	} else {
		n.received++
	}
}

// TestLookingChangesNothing: neither a tap, nor a listener, nor probes, nor the
// checks change a run.
func TestLookingChangesNothing(t *testing.T) {
	s := trouble(3)
	want := mustRun(t, &s, Options{})
	var tap tapped
	looks := 0
	for name, change := range map[string]func(*Spec, *Options){
		"tap":       func(_ *Spec, o *Options) { o.Tap = tap.see },
		"progress":  func(_ *Spec, o *Options) { o.Progress = func(Sample) { looks++ } },
		"probes":    func(s *Spec, _ *Options) { s.Probe = 7 * time.Millisecond },
		"no probes": func(s *Spec, _ *Options) { s.Probe = time.Hour },
		"unchecked": func(s *Spec, _ *Options) { s.Unchecked = true },
	} {
		s, o := trouble(3), Options{}
		change(&s, &o)
		got := mustRun(t, &s, o)
		if got.TraceHash != want.TraceHash || got.Virtual != want.Virtual || got.Events != want.Events {
			t.Errorf("%s: %s after %v, want %s after %v", name, got.TraceHash, got.Virtual, want.TraceHash, want.Virtual)
		}
	}
	if tap.sent == 0 || tap.received == 0 || tap.received > tap.sent || looks != len(want.Samples) {
		t.Errorf("tap saw %+v, %d looks for %d samples", tap, looks, len(want.Samples))
	}
}

// TestResult: the books of a run add up.
func TestResult(t *testing.T) {
	s := crowd(6, 40)
	s.Linger = 2 * second
	s.Hosts = append(s.Hosts, HostSpec{Name: "node", Role: Node})
	s.Sends = []Send{
		{At: second, From: "node", To: "seed", Type: p2p.NAME},
		{At: second, From: "node", To: "leecher-3", Type: p2p.T("HUH?"), Data: "x"},
	}
	r := mustRun(t, &s, Options{})
	var received, sent, served int64
	for _, h := range r.Hosts {
		received, sent = received+h.Received, sent+h.Sent
		if h.Role == Leecher && (!h.Expected || h.Pieces != 40 || h.FirstByte <= 0 || h.Done < h.FirstByte || h.Took() != h.Done) {
			t.Errorf("%+v", h)
		}
	}
	for _, row := range r.Served {
		for _, n := range row {
			served += n
		}
	}
	last := r.Samples[len(r.Samples)-1]
	if received > sent || served != sent || last.UpBytes != sent || received < 6*s.Size {
		t.Errorf("received %d, sent %d, served %d, sampled %d of %d", received, sent, served, last.UpBytes, 6*s.Size)
	}
	if last.Done != 6 || last.Progress != 1 || last.Rarest != 6 || last.At != r.Virtual || r.Virtual != r.All.Last+2*second {
		t.Errorf("at the end %+v, run %v, last %v", last, r.Virtual, r.All.Last)
	}
	if r.Messages["PIEC"] == 0 || r.Pieces != 40 || r.Utilisation <= 0.5 || r.Utilisation > 1 || r.SeedCopies < 1 {
		t.Errorf("%+v", r)
	}
	want := []Reply{{From: "node", To: "leecher-3", Err: "no reply"}, {From: "node", To: "seed", Type: "REPL", Data: "seed"}}
	for i, w := range want {
		if i >= len(r.Replies) {
			t.Fatalf("replies %+v", r.Replies)
		}
		got := r.Replies[i]
		got.At = 0
		if got != w {
			t.Errorf("reply %+v, want %+v", got, w)
		}
	}
}

// TestSamplesBounded: a long run with many probes keeps its samples few, evenly
// spread, and the last.
func TestSamplesBounded(t *testing.T) {
	s := crowd(1, 8)
	s.Probe, s.Linger, s.Unchecked = time.Millisecond, 20*second, true
	r := mustRun(t, &s, Options{})
	n := len(r.Samples)
	if n > maxSamples || n < maxSamples/2 || r.Samples[n-1].At != r.Virtual {
		t.Errorf("%d samples, the last at %v of %v", n, r.Samples[n-1].At, r.Virtual)
	}
	for i := 1; i < n; i++ {
		if d := r.Samples[i].At - r.Samples[i-1].At; d <= 0 || d > 32*time.Millisecond {
			t.Fatalf("sample %d comes %v after the one before it", i, d)
		}
	}
}

func TestCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := crowd(4, 64)
	r, err := Run(ctx, &s, Options{Progress: func(Sample) { cancel() }})
	if !errors.Is(err, context.Canceled) || r != nil {
		t.Error(r, err)
	}
}

// TestDeadline: who has not completed when the time is up is a violation, with
// the host's name.
func TestDeadline(t *testing.T) {
	s := crowd(2, 64)
	s.Deadline = 2 * second
	r, err := Run(t.Context(), &s, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Violations) != 2 || r.Violations[0].Invariant != "I3" || r.Violations[0].Host != "leecher-0" ||
		r.Violations[1].Host != "leecher-1" || r.Violations[1].At != 2*second || r.Virtual != 2*second {
		t.Errorf("%v: %+v", r.Virtual, r.Violations)
	}
	if r.All.Last != -1 || r.All.Completed != 0 || r.Hosts[1].Took() != -1 {
		t.Errorf("%+v", r.All)
	}
}

// TestSoak runs a fleet in trouble with one seed after the other.
func TestSoak(t *testing.T) {
	for seed := range uint64(20) {
		s := trouble(seed)
		r := mustRun(t, &s, Options{})
		if r.All.Completed != r.All.Hosts || r.All.Hosts != 6 {
			t.Errorf("seed %d: %+v", seed, r.All)
		}
	}
}
