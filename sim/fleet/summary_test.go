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
