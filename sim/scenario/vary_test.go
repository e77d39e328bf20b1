package scenario

import (
	"slices"
	"strings"
	"testing"

	"starling/choke"
	"starling/piece"
	"starling/sim/fleet"
)

func varied(t *testing.T, dimension, value string) (fleet.Spec, error) {
	t.Helper()
	s := load(t, `
content(size = "1MiB", piece = "64KiB")
a = seed(up = 1000)
seed(name = "other", up = 2000)
b = leechers(2)
crash("other", at = 1)
`, Options{})
	err := Vary(&s.Spec, dimension, value)
	return s.Spec, err
}

func TestVary(t *testing.T) {
	for _, c := range []struct {
		dimension, value string
		ok               func(s *fleet.Spec) bool
	}{
		{"picker", "sequential", func(s *fleet.Spec) bool { return s.Peer.Strategy == piece.Sequential }},
		{"policy", "cooperative", func(s *fleet.Spec) bool { return s.Peer.Policy == choke.Cooperative }},
		{"piece", "16KiB", func(s *fleet.Spec) bool { return s.PieceLength == 16<<10 }},
		{"piece", "auto", func(s *fleet.Spec) bool { return s.PieceLength == 256<<10 }},
		{"peers", "80", func(s *fleet.Spec) bool { return s.Peer.MaxRemotes == 80 && s.Peer.NumWant == 80 }},
		{"peers", "10", func(s *fleet.Spec) bool { return s.Peer.MaxRemotes == 10 && s.Peer.NumWant == 50 }},
		{"slots", "7", func(s *fleet.Spec) bool { return s.Peer.Choke.Slots == 7 }},
		{"seeds", "2", func(s *fleet.Spec) bool { return len(s.Hosts) == 4 }},
		{"seeds", "4", func(s *fleet.Spec) bool {
			h := s.Hosts
			return len(h) == 6 && h[4].Name == "seed-2" && h[5].Name == "seed-3" && h[5].Up == 1000 && h[5].Role == fleet.Seed
		}},
	} {
		s, err := varied(t, c.dimension, c.value)
		if err != nil || !c.ok(&s) {
			t.Errorf("%s=%s: %v, %+v", c.dimension, c.value, err, s)
		}
	}
	for _, c := range [][3]string{
		{"picker", "best", `picker "best": no picker "best"`},
		{"policy", "", `policy "": no policy ""`},
		{"piece", "100KiB", "want a power of two"},
		{"peers", "0", "want a whole number within 1 and 20000"},
		{"slots", "x", "want a whole number"},
		{"slots", "10000", "choke: 10000 slots"},
		{"seeds", "1", "the scenario needs other"},
		{"seeds", "1001", "want a whole number within 1 and 1000"},
		{"speed", "1", "no such dimension, want one of picker, policy, piece, peers, slots, seeds"},
	} {
		if _, err := varied(t, c[0], c[1]); err == nil || !strings.Contains(err.Error(), c[2]) {
			t.Errorf("%s=%s: %v, want %q", c[0], c[1], err, c[2])
		}
	}
	none := load(t, "leechers(1, has = 1)", Options{})
	if err := Vary(&none.Spec, "seeds", "1"); err == nil || !strings.Contains(err.Error(), "has no seed") {
		t.Error(err)
	}
	if !slices.Contains(Dimensions(), "seeds") {
		t.Error("a dimension is not listed")
	}
}
