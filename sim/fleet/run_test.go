package fleet

import (
	"context"
	"fmt"
	"testing"
)

// crowd is a flash crowd of equal uplinks.
func crowd(n int, pieces int64) Spec {
	s := Default()
	s.PieceLength = 256 << 10
	s.Size = pieces * s.PieceLength
	s.Hosts = append(s.Hosts, HostSpec{Name: "seed", Role: Seed, Up: 2.5e6, Down: 5e6})
	for i := range n {
		s.Hosts = append(s.Hosts, HostSpec{Name: fmt.Sprintf("leecher-%d", i), Up: 2.5e6, Down: 5e6})
	}
	return s
}

func TestCrowd(t *testing.T) {
	for _, policy := range []string{"cooperative", "tit-for-tat"} {
		s := crowd(12, 256)
		s.Peer.Policy = policy
		r, err := Run(context.Background(), &s, Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %+v copies %.3f util %.3f %s %s wall %v events %d virtual %v hash %s", policy, r.All, r.SeedCopies, r.Utilisation, r.LimitedBy, r.Why, r.Wall, r.Events, r.Virtual, r.TraceHash)
		for _, v := range r.Violations {
			t.Errorf("%+v", v)
		}
	}
}
