package fleet

import (
	"testing"
	"time"
)

// TestBlameLinks: a host that is fed by seeds which have given others more has a full
// link; one whose sources give all that they ever gave, or lack something, has not.
func TestBlameLinks(t *testing.T) {
	seed := func(n int, up int64) *Report {
		r := told(n, 10, 10)
		r.Up = up
		for k := range r.Have {
			r.Have[k] = 255
		}
		return r
	}
	for what, c := range map[string]struct {
		why     Why
		peak    int64 // of the sources, which give 100 each now
		sources int
		change  func(r *Report) // of a source's last report
		want    Why
	}{
		"idle seeds":           {why: WhySeed, peak: 250, sources: 3, want: WhyLink},
		"idle peers":           {why: WhyPeers, peak: 200, sources: 2, want: WhyLink},
		"busy seeds":           {why: WhySeed, peak: 150, sources: 3, want: WhySeed},
		"one source":           {why: WhyPeers, peak: 250, sources: 1, want: WhyPeers},
		"it knows better":      {why: WhyDisk, peak: 250, sources: 3, want: WhyDisk},
		"sources that lack it": {why: WhySeed, peak: 250, sources: 3, change: func(r *Report) { r.Done, r.Have[3] = 9, 0 }, want: WhySeed},
		"another process":      {why: WhyPeers, peak: 250, sources: 3, change: func(r *Report) { r.ID[5] = 1 }, want: WhyPeers},
	} {
		s := newStore(t, nil)
		slow := told(50, 5, 10)
		slow.Why, slow.LeftS = c.why, 9
		for n := range c.sources {
			s.must(t, 0, seed(n, c.peak))
			now := seed(n, 100)
			if c.change != nil {
				c.change(now)
			}
			s.must(t, time.Second, now)
			slow.From = append(slow.From, Source{at(n), 100})
		}
		slow.From = append(slow.From, Source{at(99), 30}) // of whom nothing is known
		s.must(t, time.Second, slow)
		v := s.View(time.Second, hash)
		v.Seal()
		if got := v.Status("", nil).Groups[0].Slowest; got == nil || got.Node != "n50" && c.change == nil {
			t.Fatalf("%s: %+v", what, got)
		}
		for _, h := range v.Hosts(Query{Limit: 99}).Hosts {
			if h.Node == "n50" && h.Why != c.want.String() {
				t.Errorf("%s: %q, want %q", what, h.Why, c.want)
			}
		}
		if s.swarms[hash].hosts[c.sources].Why != c.why {
			t.Errorf("%s: the store's own copy was changed", what)
		}
	}
}
