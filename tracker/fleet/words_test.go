package fleet

import "testing"

// TestReason: every reason but none has words, and nothing else has.
func TestReason(t *testing.T) {
	seen := map[string]bool{}
	for w := WhyNone; w <= WhyLimit; w++ {
		words := Reason(w.String())
		if (words == "") != (w == WhyNone) || words != "" && seen[words] {
			t.Errorf("%v: %q", w, words)
		}
		seen[words] = true
	}
	if got := Reason("weather"); got != "" {
		t.Errorf("no reason: %q", got)
	}
}
