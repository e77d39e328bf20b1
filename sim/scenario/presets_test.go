package scenario

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"starling/sim/fleet"
)

// TestPresets: every script that comes with the program is a valid scenario that
// expects something and says what it is, and a caller can make it small.
func TestPresets(t *testing.T) {
	var names []string
	for _, b := range Presets() {
		names = append(names, b.Name)
		src, err := Preset(b.Name)
		if err != nil {
			t.Fatal(err)
		}
		if b.About == "" || b.Bar != strings.HasPrefix(b.Name, "bars/") {
			t.Errorf("%+v", b)
		}
		for seed := range uint64(5) {
			s, err := Load(b.Name, src, Options{RNGSeed: seed})
			if err != nil {
				t.Fatal(err)
			}
			if s.Expectations() == 0 || s.About != b.About {
				t.Errorf("%s: %d expectations, about %q", b.Name, s.Expectations(), s.About)
			}
			again, err := Load(b.Name, src, Options{RNGSeed: seed})
			if err != nil || !reflect.DeepEqual(s.Spec, again.Spec) {
				t.Errorf("%s: seed %d: two runs of the script differ (%v)", b.Name, seed, err)
			}
		}
		if b.Bar {
			continue
		}
		small, err := Load(b.Name, src, Options{Set: map[string]string{"hosts": "12"}})
		if err != nil {
			t.Errorf("%s with 12 hosts: %v", b.Name, err)
			continue
		}
		if most := 12; b.Name != "rollout" && count(small, fleet.Leecher) > most+8 {
			t.Errorf("%s with 12 hosts has %d leechers", b.Name, count(small, fleet.Leecher))
		}
		for _, p := range small.Params {
			if p.Help == "" {
				t.Errorf("%s: parameter %s has no help", b.Name, p.Name)
			}
		}
	}
	for _, name := range []string{
		"flash-crowd", "rollout", "slow-seed", "churn", "poison", "free-riders", "heterogeneous", "faults",
		"bars/n100-cooperative", "bars/n1000-cooperative", "bars/n1000-tit-for-tat", "bars/seed-copies", "bars/slow-seed-quarter",
		"bars/kill-20", "bars/slow-10", "bars/free-riders-20", "bars/speed-1000", "bars/speed-10000", "bars/shaped-12", "bars/kraken",
	} {
		if !slices.Contains(names, name) {
			t.Errorf("there is no %s", name)
		}
	}
	if _, err := Preset("x"); err == nil || !strings.Contains(err.Error(), `no preset "x"; there are churn, `) {
		t.Error(err)
	}
}

func count(s *Scenario, role fleet.Role) int {
	n := 0
	for _, h := range s.Spec.Hosts {
		if h.Role == role {
			n++
		}
	}
	return n
}

// TestFaultsDiffer: the fault presets are another scenario with each seed, and
// over some seeds every kind of fault comes.
func TestFaultsDiffer(t *testing.T) {
	src, err := Preset("faults")
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[fleet.FaultKind]int{}
	var last *Scenario
	for seed := range uint64(50) {
		s, err := Load("faults", src, Options{RNGSeed: seed})
		if err != nil {
			t.Fatal(err)
		}
		if last != nil && reflect.DeepEqual(last.Spec.Faults, s.Spec.Faults) {
			t.Errorf("seeds %d and %d are the same", seed-1, seed)
		}
		last = s
		for _, f := range s.Spec.Faults {
			kinds[f.Kind]++
		}
	}
	for _, k := range []fleet.FaultKind{
		fleet.Crash, fleet.PowerLoss, fleet.Return, fleet.Leave, fleet.Partition, fleet.OneWay, fleet.Heal, fleet.Slow,
		fleet.Stall, fleet.Freeze, fleet.ClockJump, fleet.DiskFull, fleet.TrackerDown, fleet.TrackerUp, fleet.TrackerLost,
	} {
		if kinds[k] == 0 {
			t.Errorf("no %s in 50 seeds: %v", k, kinds)
		}
	}
}
