package fleet

import (
	"reflect"
	"testing"
	"time"
)

// TestSummarize: what Run derives from its hosts and samples, Summarize derives
// too, from those alone.
func TestSummarize(t *testing.T) {
	s := Default()
	s.Size, s.PieceLength = 2<<20, 64<<10
	s.Hosts = []HostSpec{{Name: "seed", Role: Seed, Up: 1e6, Down: 1e6}, {Name: "n", Role: Node}}
	for _, name := range []string{"a", "b", "c", "d"} {
		s.Hosts = append(s.Hosts, HostSpec{Name: name, Group: "g" + name[:1], Up: 1e6, Down: 1e6})
	}
	s.Hosts[5].Lies = true
	s.Faults = []Fault{
		{At: time.Second, Kind: Crash, Hosts: []string{"a", "b"}}, {At: 2 * time.Second, Kind: Return, Hosts: []string{"b"}},
	}
	want, err := Run(t.Context(), &s, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if want.All.Hosts != 2 || want.All.Completed != 2 || want.SeedCopies == 0 || want.LimitedBy == "" {
		t.Fatalf("%+v", want)
	}
	got := *want
	got.All, got.Groups, got.SeedCopies, got.Utilisation, got.LimitedBy, got.Why = GroupResult{}, nil, 0, 0, "", ""
	got.Hosts = append([]HostResult(nil), want.Hosts...)
	for i := range got.Hosts {
		got.Hosts[i].Expected = false
	}
	Summarize(&s, &got)
	if !reflect.DeepEqual(&got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", &got, want)
	}
}

// TestDiagnose: what limited a run, by results that are made up. The bound of all
// is 1.048576 s, of the seed's uplink and whole pieces.
func TestDiagnose(t *testing.T) {
	sec := func(x float64) time.Duration { return time.Duration(x * float64(time.Second)) }
	for _, c := range []struct {
		name   string
		change func(*Spec)
		done   [4]float64 // by leecher
		late   float64    // when the last one arrived
		sample Sample
		want   string
	}{
		{"seed", nil, [4]float64{1.2, 1.2, 1.2, 1.3}, 0, Sample{}, "seed"},
		{"uplinks", func(s *Spec) { s.Hosts[0].Up = 9e6 }, [4]float64{.32, .32, .32, .33}, 0, Sample{}, "uplinks"},
		{"downlinks", func(s *Spec) { s.Hosts[1].Down = 1e5 }, [4]float64{11, 1, 1, 1}, 0, Sample{}, "downlinks"},
		{"racks", func(s *Spec) {
			s.Racks = []RackSpec{{Name: "r", Up: 1e5, Down: 1e5}}
			s.Hosts[1].Rack = "r"
		}, [4]float64{11, 1, 1, 1}, 0, Sample{}, "racks"},
		{"arrivals", nil, [4]float64{2, 2, 2, 11}, 10, Sample{}, "arrivals"},
		{"nobody unchokes", nil, [4]float64{9, 9, 9, 9}, 0, Sample{Unchoked: 1, Interested: 12}, "choke"},
		{"uplinks full", nil, [4]float64{9, 9, 9, 9}, 0, Sample{UpBytes: 44e6}, "uplinks"},
		{"nothing full", nil, [4]float64{9, 9, 9, 9}, 0, Sample{UpBytes: 10e6, Unchoked: 12, Interested: 12}, "tail"},
	} {
		s := peers(4, 1e6)
		if c.change != nil {
			c.change(&s)
		}
		r := Result{Virtual: sec(20)}
		for i := range s.Hosts {
			h := HostResult{Name: s.Hosts[i].Name, Role: s.Hosts[i].Role, Group: "all", Done: -1}
			if i > 0 {
				h.Done = sec(c.done[i-1])
			}
			r.Hosts = append(r.Hosts, h)
		}
		r.Hosts[4].Arrived = sec(c.late)
		c.sample.At = sec(5)
		last := c.sample
		last.At = sec(20)
		r.Samples = []Sample{c.sample, last}
		Summarize(&s, &r)
		if r.LimitedBy != c.want || r.Why == "" {
			t.Errorf("%s: limited by %q (%s), want %q; %+v", c.name, r.LimitedBy, r.Why, c.want, r.All)
		}
	}
}
