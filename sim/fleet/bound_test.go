package fleet

import (
	"fmt"
	"testing"
	"time"
)

// peers is 1 MiB in 16 pieces, a seed with up bytes a second, and n leechers with
// 1 MB/s.
func peers(n int, up float64) Spec {
	s := Default()
	s.Size, s.PieceLength = 1<<20, 64<<10
	s.Hosts = []HostSpec{{Name: "seed", Role: Seed, Up: up}}
	for i := range n {
		s.Hosts = append(s.Hosts, HostSpec{Name: fmt.Sprintf("leecher-%d", i), Up: 1e6})
	}
	return s
}

// TestBounds holds the bounds against numbers that were computed by hand. F is
// 1048576 bytes, P is 65536.
func TestBounds(t *testing.T) {
	us := time.Microsecond
	for _, c := range []struct {
		name   string
		spec   Spec
		change func(*Spec)
		bound  time.Duration
		by     string
	}{
		// Mundinger, Weber and Weiss: (M + floor(log2 N)) P / u.
		{"1 equal", peers(1, 1e6), nil, 1048576 * us, "seed"},
		{"2 equal", peers(2, 1e6), nil, (1048576 + 65536) * us, "pieces"},
		{"7 equal", peers(7, 1e6), nil, (1048576 + 2*65536) * us, "pieces"},
		{"8 equal", peers(8, 1e6), nil, (1048576 + 3*65536) * us, "pieces"},
		{"100 equal", peers(100, 1e6), nil, (1048576 + 6*65536) * us, "pieces"},
		{"a last piece that is short", peers(8, 1e6), func(s *Spec) { s.Size = 1_000_000 }, (1000000 + 3*65536) * us, "pieces"},
		// The seed's uplink: F / us.
		{"slow seed", peers(8, 0.25e6), nil, 4 * 1048576 * us, "seed"},
		// All uplinks: N F / (us + sum of ui) = 8 F / 18 MB/s, and F / 10 MB/s.
		{"fast seed", peers(8, 10e6), func(s *Spec) { s.Size = 900_000 }, 400_000 * us, "uplinks"},
		{"two seeds", peers(3, 1e6), func(s *Spec) {
			s.Size = 1_000_000
			s.Hosts = append(s.Hosts, HostSpec{Name: "seed-2", Role: Seed, Up: 1e6})
		}, 600_000 * us, "uplinks"}, // 3 F / 5 MB/s
		{"who rides free sends nothing", peers(3, 2e6), func(s *Spec) {
			s.Size = 1_000_000
			s.Hosts[1].FreeRides, s.Hosts[2].Lies = true, true
		}, 666_666_666, "uplinks"}, // 2 F / 3 MB/s: the liar is not to complete
		// Downlinks: arrival + F / di.
		{"slow downlink", peers(3, 1e6), func(s *Spec) { s.Hosts[2].Down = 0.1e6 }, 10 * 1048576 * us, "downlink"},
		{"late", peers(3, 1e6), func(s *Spec) {
			s.Size = 1_250_000
			s.Hosts[2].Arrive, s.Hosts[2].Down = time.Minute, 1.25e6
		}, 61 * time.Second, "downlink"},
		{"all late", peers(2, 1e6), func(s *Spec) {
			s.Hosts[1].Arrive, s.Hosts[2].Arrive = 3*time.Second, 4*time.Second
		}, 3*time.Second + (1048576+65536)*us, "pieces"},
		{"half is there", peers(2, 1e6), func(s *Spec) {
			s.Size = 1_000_000
			s.Hosts[1].Has, s.Hosts[1].Down = 0.5, 1e5
			s.Hosts[2].Has, s.Hosts[2].Down = 0.75, 1e5
		}, 5 * time.Second, "downlink"},
		// A rack without a seed takes one copy over its link.
		{"rack", peers(4, 1e6), func(s *Spec) {
			s.Racks = []RackSpec{{Name: "r", Up: 1e6, Down: 0.5e6}, {Name: "other", Up: 1, Down: 1}}
			s.Hosts[1].Rack, s.Hosts[2].Rack = "r", "r"
		}, 2 * 1048576 * us, "rack"},
		{"rack of the seed", peers(1, 1e6), func(s *Spec) {
			s.Racks = []RackSpec{{Name: "r", Up: 1e6, Down: 0.5e6}}
			s.Hosts[0].Rack, s.Hosts[1].Rack = "r", "r"
		}, 1048576 * us, "seed"},
	} {
		if c.change != nil {
			c.change(&c.spec)
		}
		if err := c.spec.Validate(); err != nil {
			t.Fatal(err)
		}
		f := newFleet(&c.spec, Options{})
		f.build()
		g := f.bound(f.expected())
		if off := g.Bound - c.bound; off < -2 || off > 2 || g.BoundName != c.by {
			t.Errorf("%s: %v by %s, want %v by %s", c.name, g.Bound, g.BoundName, c.bound, c.by)
		}
	}
}

// TestNoBoundBroken: no run, whatever its hosts, is faster than its bound.
func TestNoBoundBroken(t *testing.T) {
	for _, s := range []Spec{peers(1, 1e6), peers(9, 1e6), peers(9, 0.3e6), peers(5, 20e6)} {
		r := mustRun(t, &s, Options{})
		if r.All.Ratio < 1 || r.All.Completed != r.All.Hosts {
			t.Errorf("%d hosts: %+v", len(s.Hosts), r.All)
		}
	}
}

func TestQuantile(t *testing.T) {
	var ten []time.Duration
	for i := range 10 {
		ten = append(ten, time.Duration(i+1))
	}
	for _, c := range []struct {
		of   []time.Duration
		mill int
		want time.Duration
	}{
		{nil, 500, -1}, {ten[:1], 500, 1}, {ten[:1], 999, 1}, {ten[:2], 500, 1}, {ten[:2], 501, 2},
		{ten, 500, 5}, {ten, 900, 9}, {ten, 901, 10}, {ten, 990, 10}, {ten, 1000, 10}, {ten, 1, 1},
	} {
		if got := quantile(c.of, c.mill); got != c.want {
			t.Errorf("%d per mille of %v: %d, want %d", c.mill, c.of, got, c.want)
		}
	}
}

// TestGroups sums up results that are made up.
func TestGroups(t *testing.T) {
	s := peers(5, 1e6)
	for i, g := range []string{"", "a", "b", "a", "b", ""} {
		s.Hosts[i].Group = g
	}
	s.Hosts[5].Lies = true
	r := Result{Hosts: make([]HostResult, 6)}
	for i, done := range []time.Duration{-1, 3, 9, 6, -1, -1} {
		h := &r.Hosts[i]
		*h = HostResult{Name: s.Hosts[i].Name, Group: groupOf(&s.Hosts[i]), Role: s.Hosts[i].Role, Done: -1}
		if done >= 0 {
			h.Done, h.Arrived = done*time.Second, time.Second
		}
	}
	Summarize(&s, &r)
	sec := time.Second
	for _, c := range []struct{ got, want GroupResult }{
		{r.All, GroupResult{Name: "all", Hosts: 4, Completed: 3, P50: 5 * sec, P90: 8 * sec, P99: 8 * sec, P999: 8 * sec, Last: -1}},
		{r.Groups[0], GroupResult{Name: "a", Hosts: 2, Completed: 2, P50: 2 * sec, P90: 5 * sec, P99: 5 * sec, P999: 5 * sec, Last: 6 * sec}},
		{r.Groups[1], GroupResult{Name: "b", Hosts: 2, Completed: 1, P50: 8 * sec, P90: 8 * sec, P99: 8 * sec, P999: 8 * sec, Last: -1}},
		{r.Groups[2], GroupResult{Name: "all", P50: -1, P90: -1, P99: -1, P999: -1, Last: -1}},
	} {
		bound := c.got.Bound
		c.got.Bound, c.got.BoundName = 0, ""
		if c.want.Last > 0 {
			c.want.Ratio = c.want.Last.Seconds() / bound.Seconds()
		}
		if c.got != c.want {
			t.Errorf("got\n%+v\nwant\n%+v", c.got, c.want)
		}
	}
}
