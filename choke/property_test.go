package choke

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

var policies = map[string]func(Config) Policy{
	"tit-for-tat": NewTitForTat, "seeding": NewSeeding, "cooperative": NewCooperative,
}

// TestProperties drives each policy through random lives of random swarms and
// checks, after every decision, what must always hold.
func TestProperties(t *testing.T) {
	for name, policy := range policies {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(60) {
				rng := newRand(seed)
				cfg := Default()
				cfg.Slots, cfg.Optimistic = 1+rng.IntN(5), rng.IntN(3)
				w := &world{t: t, cfg: cfg, rng: rng, coop: name == "cooperative", tft: name == "tit-for-tat"}
				// The twin sees each snapshot in another order.
				w.policy, w.prng = policy(cfg), newRand(seed)
				w.twin, w.trng = policy(cfg), newRand(seed)
				w.run(40)
				if t.Failed() {
					t.Fatalf("rng seed %d", seed)
				}
			}
		})
	}
}

// world is a random population around one policy.
type world struct {
	t            *testing.T
	cfg          Config
	rng          *rand.Rand
	coop, tft    bool
	policy, twin Policy
	prng, trng   *rand.Rand
	rs           []Remote
	next         ID
}

// run lives for some rechokes, with a few changes before each, every one of
// them answered by a Fill.
func (w *world) run(rechokes int) {
	now := epoch
	for range rechokes {
		for range w.rng.IntN(6) {
			now = now.Add(time.Duration(w.rng.IntN(1500)) * time.Millisecond)
			w.change(now)
			before := slices.Clone(w.rs)
			d := w.ask(now, w.policy.Fill, w.twin.Fill)
			choked := 0
			for _, r := range before {
				if !w.served(&r) || slices.Contains(d.Unchoked, r.ID) {
					continue
				}
				if choked++; choked > 1 || !w.mayYield(&r, before, now) {
					w.t.Errorf("Fill choked %d, which is served", r.ID)
				}
			}
		}
		now = now.Add(2 * time.Second)
		before := slices.Clone(w.rs)
		d := w.ask(now, w.policy.Rechoke, w.twin.Rechoke)
		switch {
		case w.tft:
			w.checkMerit(before, d)
		case w.coop:
			w.checkNeed(before, d)
		}
		if w.t.Failed() {
			return
		}
	}
}

// mayYield says whether the cooperative policy may take r's slot at once: nobody
// who holds one for long enough has more, and somebody waits who has far less.
func (w *world) mayYield(r *Remote, all []Remote, now time.Time) bool {
	held := func(o *Remote) bool { return now.Sub(o.UnchokedAt) >= shortTurn }
	poorer := false
	for _, o := range all {
		wanting := o.Interested && !o.Seed && o.Left > 0
		if wanting && o.Unchoked && held(&o) && o.Progress > r.Progress {
			return false
		}
		poorer = poorer || wanting && !o.Unchoked && r.Progress-o.Progress > farBehind
	}
	return w.coop && held(r) && poorer
}

func (w *world) change(now time.Time) {
	switch k := w.rng.IntN(10); {
	case k < 4 || len(w.rs) == 0:
		w.next++
		w.rs = append(w.rs, Remote{ID: w.next, Joined: now, Interested: w.rng.IntN(3) > 0, Seed: w.rng.IntN(10) == 0, Left: w.rng.IntN(3)})
	case k == 4:
		i := w.rng.IntN(len(w.rs))
		w.rs = slices.Delete(w.rs, i, i+1)
	default:
		r := &w.rs[w.rng.IntN(len(w.rs))]
		r.Interested = w.rng.IntN(3) > 0
		r.Snubbed = w.rng.IntN(4) == 0
		r.DownRate = float64(w.rng.IntN(5)) * 100 // small, so that ties are common
		r.UpRate = float64(w.rng.IntN(2))
		r.Progress = float64(w.rng.IntN(5)) / 4
		r.Left = w.rng.IntN(3)
		r.Idle = r.Unchoked && w.rng.IntN(3) == 0
	}
}

type question = func(time.Time, []Remote, *rand.Rand) Decision

// ask puts the question, checks the answer, and does what it says.
func (w *world) ask(now time.Time, q, twin question) Decision {
	given := slices.Clone(w.rs)
	d := q(now, w.rs, w.prng)
	d = Decision{slices.Clone(d.Unchoked), slices.Clone(d.Optimistic)}
	if !slices.Equal(given, w.rs) {
		w.t.Errorf("the snapshot was changed")
	}
	w.rng.Shuffle(len(given), func(i, j int) { given[i], given[j] = given[j], given[i] })
	if e := twin(now, given, w.trng); show(d) != show(e) {
		w.t.Errorf("the order of the snapshot matters: %q and %q", show(d), show(e))
	}
	w.checkSlots(d)
	if w.coop {
		w.checkIdle(d)
	}
	apply(now, w.rs, d)
	return d
}

// served says whether a Fill must leave a remote its slot.
func (w *world) served(r *Remote) bool { return r.Unchoked && w.wants(r) && !(w.coop && r.Idle) }

// slots is how many there may be.
func (w *world) slots() int {
	if w.coop {
		return w.cfg.Slots // nobody is tried
	}
	return w.cfg.Slots + w.cfg.Optimistic
}

func (w *world) wants(r *Remote) bool {
	return r.Interested && !r.Seed && (r.Left > 0 || !w.coop)
}

func (w *world) checkSlots(d Decision) {
	total := w.slots()
	if p, ok := w.policy.(interface{ Slots() int }); !ok || p.Slots() != total {
		w.t.Errorf("the policy says that it has other than %d slots", total)
	}
	if len(d.Unchoked) > total {
		w.t.Errorf("%d unchoked in %d slots", len(d.Unchoked), total)
	}
	strict := func(ids []ID) bool {
		return slices.IsSorted(ids) && len(slices.Compact(slices.Clone(ids))) == len(ids)
	}
	if !strict(d.Unchoked) || !strict(d.Optimistic) {
		w.t.Errorf("not ascending: %v", d)
	}
	for _, id := range d.Optimistic {
		if !slices.Contains(d.Unchoked, id) {
			w.t.Errorf("%d is optimistic and choked", id)
		}
	}
	wasted, waiting := 0, 0
	for _, r := range w.rs {
		switch on := slices.Contains(d.Unchoked, r.ID); {
		case on && !w.wants(&r):
			wasted++
		case !on && w.wants(&r):
			waiting++
		}
	}
	if waiting > 0 && (wasted > 0 || len(d.Unchoked) < total) {
		w.t.Errorf("%d wait, while of %d slots %d are used and %d of those by remotes that want nothing",
			waiting, total, len(d.Unchoked), wasted)
	}
	for _, id := range d.Unchoked {
		if byID(w.rs, id) == nil {
			w.t.Errorf("%d is not here", id)
		}
	}
}

// lagging says whether a remote is at the end of the cooperative policy's queue.
func (w *world) lagging(id ID) bool {
	return slices.ContainsFunc(w.policy.(*cooperative).lagged, func(l lag) bool { return l.id == id })
}

// checkIdle checks that nobody holds a slot without using it while somebody waits
// who would use it, as far as is known.
func (w *world) checkIdle(d Decision) {
	for _, idle := range w.rs {
		if !idle.Idle || !slices.Contains(d.Unchoked, idle.ID) {
			continue
		}
		for _, r := range w.rs {
			if w.wants(&r) && !r.Idle && !slices.Contains(d.Unchoked, r.ID) && !w.lagging(r.ID) {
				w.t.Errorf("%d is idle in its slot, and %d waits", idle.ID, r.ID)
			}
		}
	}
}

// checkNeed checks after a rechoke that nobody waits who is poorer than one that
// is served by more than chance and a holder's margin make up for.
func (w *world) checkNeed(rs []Remote, d Decision) {
	for _, r := range rs {
		if !w.wants(&r) || slices.Contains(d.Unchoked, r.ID) || w.lagging(r.ID) || r.Idle {
			continue
		}
		for _, id := range d.Unchoked {
			if got := byID(rs, id); got.Progress > r.Progress+spread+keepMargin {
				w.t.Errorf("%d has %.2f and is served, %d has %.2f and waits", id, got.Progress, r.ID, r.Progress)
			}
		}
	}
}

// checkMerit compares the regular slots of a rechoke with the plain reading of
// BEP 3: sort, take the first.
func (w *world) checkMerit(rs []Remote, d Decision) {
	rs = slices.DeleteFunc(rs, func(r Remote) bool {
		return !r.Interested || r.Seed || r.Snubbed || r.DownRate == 0
	})
	slices.SortFunc(rs, func(a, b Remote) int {
		held := func(r Remote) int {
			if r.Unchoked {
				return 0
			}
			return 1
		}
		return cmp.Or(cmp.Compare(b.DownRate, a.DownRate), cmp.Compare(held(a), held(b)), cmp.Compare(a.ID, b.ID))
	})
	var want, got []ID
	for _, r := range rs[:min(len(rs), w.cfg.Slots)] {
		want = append(want, r.ID)
	}
	slices.Sort(want)
	for _, id := range d.Unchoked {
		if r := byID(w.rs, id); r.Interested && !r.Seed && !slices.Contains(d.Optimistic, id) {
			got = append(got, id)
		}
	}
	if !slices.Equal(got, want) {
		w.t.Errorf("slots by merit: %v, want %v", got, want)
	}
}
