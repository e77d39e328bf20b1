package scenario

import (
	"testing"

	"starling/sim/fleet"
)

// runMet runs a script and requires that no invariant is broken and every
// expectation is met.
func runMet(t *testing.T, src string, set map[string]string) *fleet.Result {
	t.Helper()
	s, err := Load("a.star", []byte(src), Options{RNGSeed: 1, Set: set})
	if err != nil {
		t.Fatal(err)
	}
	r, err := fleet.Run(t.Context(), &s.Spec, fleet.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range r.Violations {
		t.Errorf("%s: %+v", s.About, v)
	}
	for _, o := range s.Check(r) {
		if !o.OK {
			t.Errorf("%s: line %d: %s: %s %v", s.About, o.Line, o.Text, o.Seen, o.Err)
		}
	}
	return r
}

// TestPresetsRun: the presets are met at a size that takes a moment.
func TestPresetsRun(t *testing.T) {
	small := map[string]map[string]string{
		"churn":           {"hosts": "12", "size": "4MiB"},
		"faults":          nil,
		"flash-crowd":     {"hosts": "12", "size": "4MiB"},
		"free-riders":     {"hosts": "15", "size": "32MiB"},
		"heterogeneous":   {"hosts": "18", "size": "64MiB"},
		"poison":          {"hosts": "8", "size": "8MiB"},
		"poisoned-faults": nil,
		"rollout":         {"racks": "3", "hosts": "3", "size": "16MiB"},
		"slow-seed":       {"hosts": "12", "size": "8MiB"},
	}
	for _, b := range Presets() {
		if b.Bar {
			continue
		}
		set, known := small[b.Name]
		if !known {
			t.Errorf("%s has no small size here", b.Name)
		}
		t.Run(b.Name, func(t *testing.T) {
			src, err := Preset(b.Name)
			if err != nil {
				t.Fatal(err)
			}
			runMet(t, string(src), set)
		})
	}
}
