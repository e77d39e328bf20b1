package livefleet

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"starling/choke"
	"starling/p2p"
	"starling/piece"
	"starling/sim/fleet"
)

// spec is a seed and n leechers.
func spec(n int) *fleet.Spec {
	s := fleet.Default()
	s.Size, s.PieceLength = 1<<20+100, 64<<10
	s.Peer.Policy = choke.Cooperative
	s.Tracker = fleet.TrackerSpec{Interval: time.Second, MinInterval: time.Second}
	s.Deadline = 30 * time.Second
	s.Hosts = append(s.Hosts, fleet.HostSpec{Name: "seed", Group: "seed", Role: fleet.Seed})
	for i := range n {
		s.Hosts = append(s.Hosts, fleet.HostSpec{Name: "l" + string(rune('1'+i))})
	}
	return &s
}

// run runs a Spec and sees that its files are gone afterwards.
func run(t *testing.T, s *fleet.Spec, o Options) *fleet.Result {
	t.Helper()
	o.Dir = t.TempDir()
	r, err := Run(t.Context(), s, o)
	if err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(o.Dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	return r
}

// TestSwarm: what a swarm without faults shows.
func TestSwarm(t *testing.T) {
	s := spec(3)
	s.Hosts = append(s.Hosts, fleet.HostSpec{Name: "n", Role: fleet.Node, Arrive: 50 * time.Millisecond})
	at := 200 * time.Millisecond
	s.Sends = []fleet.Send{
		{At: at, From: "n", To: "l1", Type: p2p.T("NAME")}, {At: at, From: "n", To: "n", Type: p2p.T("NAME")},
	}
	s.Linger = 500 * time.Millisecond
	tapped, named, samples := map[p2p.Type]uint64{}, map[string]bool{}, 0
	r := run(t, s, Options{
		Tap: func(r p2p.TapRecord) {
			if r.Dir == p2p.Received {
				tapped[r.Type]++
				named[r.To] = true
			}
		},
		Progress: func(fleet.Sample) { samples++ },
	})
	if a := r.All; a.Hosts != 3 || a.Completed != 3 || a.Last <= 0 || a.Last > r.Virtual {
		t.Errorf("%+v of %v", a, r.Virtual)
	}
	sent, received := int64(0), int64(0)
	for i, h := range r.Hosts {
		sent += h.Sent
		received += h.Received
		if h.Name != s.Hosts[i].Name || h.Arrived < s.Hosts[i].Arrive {
			t.Errorf("%+v", h)
		}
		if h.Role == fleet.Leecher && (h.Received < s.Size || h.FirstByte < 0 || h.Done < h.FirstByte || h.Pieces != r.Pieces || !h.Expected) {
			t.Errorf("%+v", h)
		}
		row := int64(0)
		for _, n := range r.Served[i] {
			row += n
		}
		if row != h.Sent {
			t.Errorf("%s sent %d, of which %d are booked", h.Name, h.Sent, row)
		}
	}
	// What is on its way when a connection ends is sent and not received: one piece
	// in each direction of the six connections, at most.
	if received > sent || sent-received > 12*s.PieceLength || r.SeedCopies < 1 || r.SeedCopies > 3 {
		t.Errorf("sent %d, received %d, %.2f copies by the seed", sent, received, r.SeedCopies)
	}
	if r.Messages["PIEC"] == 0 || r.Messages["PIEC"] != tapped[p2p.T("PIEC")] {
		t.Errorf("messages %v", r.Messages)
	}
	for _, h := range s.Hosts {
		if !named[h.Name] || len(named) != len(s.Hosts) {
			t.Errorf("%s is not among those that received: %v", h.Name, named)
		}
	}
	last := r.Samples[len(r.Samples)-1]
	if samples != len(r.Samples) || last.Done != 3 || last.Progress != 1 || last.UpBytes != sent {
		t.Errorf("%d samples, the last %+v", samples, last)
	}
	for _, x := range r.Replies {
		if x.Type == "" || x.Err != "" || x.Data == "" {
			t.Errorf("%+v", x)
		}
	}
	if len(r.Replies) != 2 {
		t.Errorf("%d replies", len(r.Replies))
	}
}

// TestFaults: a leecher that crashes resumes, one that leaves is not expected,
// and a tracker that goes and forgets costs nobody the content.
func TestFaults(t *testing.T) {
	s := spec(4)
	const rate = 4 << 20
	for i := range s.Hosts {
		s.Hosts[i].Up, s.Hosts[i].Down = rate, rate
	}
	s.Size = 4 << 20
	ms := func(n int) time.Duration { return time.Duration(n) * time.Millisecond }
	s.Faults = []fleet.Fault{
		{At: ms(300), Kind: fleet.Slow, Hosts: []string{"seed"}, Factor: 0.25},
		{At: ms(400), Kind: fleet.Crash, Hosts: []string{"l1"}},
		{At: ms(450), Kind: fleet.Leave, Hosts: []string{"l2"}},
		{At: ms(500), Kind: fleet.TrackerDown},
		{At: ms(700), Kind: fleet.TrackerUp},
		{At: ms(800), Kind: fleet.Return, Hosts: []string{"l1"}},
		{At: ms(900), Kind: fleet.TrackerLost},
		{At: ms(950), Kind: fleet.Slow, Hosts: []string{"seed"}, Factor: 1},
	}
	r := run(t, s, Options{})
	if r.All.Hosts != 3 || r.All.Completed != 3 || r.All.Last < time.Second {
		t.Errorf("%+v", r.All)
	}
	l1, l2 := r.Hosts[1], r.Hosts[2]
	if !l1.Expected || l1.Done < ms(800) || l2.Expected || l2.Done >= 0 || l2.Pieces == r.Pieces {
		t.Errorf("%+v\n%+v", l1, l2)
	}
}

// TestSeedFor: who is complete leaves, and the run goes on without.
func TestSeedFor(t *testing.T) {
	s := spec(2)
	s.Peer.SeedFor = 0
	s.Linger = 300 * time.Millisecond
	r := run(t, s, Options{})
	if r.All.Completed != 2 || r.Virtual < r.All.Last+s.Linger {
		t.Errorf("%+v after %v", r.All, r.Virtual)
	}
	for _, h := range r.Hosts[1:] {
		if h.Received < s.Size || h.Pieces != r.Pieces {
			t.Errorf("%+v", h)
		}
	}
}

func TestDeadline(t *testing.T) {
	s := spec(1)
	s.Hosts[0].Up = 16 << 10
	s.Deadline = 300 * time.Millisecond
	r := run(t, s, Options{})
	if r.All.Completed != 0 || r.All.Last >= 0 || r.Virtual < s.Deadline || r.Hosts[1].Done >= 0 {
		t.Errorf("%+v after %v", r.All, r.Virtual)
	}
}

func TestCancel(t *testing.T) {
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	s := spec(1)
	s.Hosts[0].Up = 16 << 10
	_, err := Run(ctx, s, Options{Dir: t.TempDir(), Progress: func(fleet.Sample) { cancel(why) }})
	if !errors.Is(err, why) {
		t.Error(err)
	}
}

// TestRefused: what real peers on one machine cannot do is named.
func TestRefused(t *testing.T) {
	fault := func(x fleet.Fault) func(*fleet.Spec) { return func(s *fleet.Spec) { s.Faults = []fleet.Fault{x} } }
	for want, change := range map[string]func(*fleet.Spec){
		"33 hosts, at most 32":          func(s *fleet.Spec) { *s = *spec(32) },
		"more than 8 GiB of disk":       func(s *fleet.Spec) { s.Size = 4 << 30 },
		"racks":                         func(s *fleet.Spec) { s.Racks = []fleet.RackSpec{{Name: "r", Up: 1, Down: 1}} },
		"the picker of real peers":      func(s *fleet.Spec) { s.Peer.Strategy = piece.Random },
		"loss of l1":                    func(s *fleet.Spec) { s.Hosts[1].Loss = 0.1 },
		"l1 is a bad peer":              func(s *fleet.Spec) { s.Hosts[1].FreeRides = true },
		"l1 begins with a part":         func(s *fleet.Spec) { s.Hosts[1].Has = 0.5 },
		"fault partition":               fault(fleet.Fault{Kind: fleet.Partition, Hosts: []string{"l1"}}),
		"fault power":                   fault(fleet.Fault{Kind: fleet.PowerLoss, Hosts: []string{"l1"}}),
		"fault clock":                   fault(fleet.Fault{Kind: fleet.ClockJump, Hosts: []string{"l1"}, For: 1}),
		"a message from l1: only a nod": func(s *fleet.Spec) { s.Sends = []fleet.Send{{From: "l1", To: "seed", Type: p2p.T("NAME")}} },
		"fault slow of the node n": func(s *fleet.Spec) {
			s.Hosts = append(s.Hosts, fleet.HostSpec{Name: "n", Role: fleet.Node})
			s.Faults = []fleet.Fault{{Kind: fleet.Slow, Hosts: []string{"n"}, Factor: 1}}
		},
	} {
		s := spec(1)
		change(s)
		_, err := Run(t.Context(), s, Options{Dir: t.TempDir()})
		var refused *RefusedError
		if !errors.As(err, &refused) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
