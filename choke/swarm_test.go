package choke

import (
	"math/rand/v2"
	"testing"
	"time"
)

// A swarm in virtual time: everybody always wants something from everybody, an
// uplink is shared evenly by those it serves, and each member runs a policy of
// its own on what its own estimators say. So what is measured is the policy,
// not piece scarcity.

// member is one peer of the swarm.
type member struct {
	uplink float64 // bytes/s; 0 is a free-rider
	policy Policy
	rng    *rand.Rand
	views  []Remote // by index of the remote; its own entry is unused
	rates  []Rate   // from each remote
	snap   []Remote
	trial  map[ID]bool // in an optimistic slot now

	received, fromRegular, fromTrial float64
}

// stats is what a run of the swarm shows.
type stats struct {
	maxSlots       int
	regular, given int // regular slots at rechokes; those whose holder had us unchoked too
	// trialTimes counts by length the trials that ended without earning a
	// slot. Those in slots that nobody had earned are left out: they give
	// way when somebody does.
	trialTimes map[time.Duration]int
}

// newSwarm connects everybody with everybody.
func newSwarm(policy func(Config) Policy, uplinks []float64) []*member {
	var ms []*member
	for i, u := range uplinks {
		m := &member{uplink: u, policy: policy(Default()), rng: newRand(uint64(i)), rates: make([]Rate, len(uplinks)), trial: map[ID]bool{}}
		for j := range uplinks {
			m.views = append(m.views, Remote{ID: ID(j), Interested: true, Joined: epoch})
		}
		ms = append(ms, m)
	}
	return ms
}

// runSwarm lives for so many seconds. Member i rechokes at i, i+10, ...
func runSwarm(ms []*member, seconds int) stats {
	st := stats{trialTimes: map[time.Duration]int{}}
	began := map[[2]int]time.Time{}
	for s := range seconds {
		now := at(float64(s))
		for i, m := range ms {
			if s%10 == i%10 {
				m.rechoke(now, i, ms, &st, began)
			}
		}
		for i, m := range ms {
			n := 0
			for j := range m.views {
				if m.views[j].Unchoked {
					n++
				}
			}
			st.maxSlots = max(st.maxSlots, n)
			for j := range m.views {
				if m.views[j].Unchoked && m.uplink > 0 {
					share := m.uplink / float64(n)
					ms[j].received += share
					if m.trial[ID(j)] {
						ms[j].fromTrial += share
					} else {
						ms[j].fromRegular += share
					}
					ms[j].rates[i].Add(now.Add(time.Second), int(share))
				}
			}
		}
	}
	return st
}

func (m *member) rechoke(now time.Time, me int, ms []*member, st *stats, began map[[2]int]time.Time) {
	m.snap = m.snap[:0]
	for j := range m.views {
		if j == me {
			continue
		}
		m.views[j].DownRate = m.rates[j].Value(now)
		m.snap = append(m.snap, m.views[j])
	}
	d := m.policy.Rechoke(now, m.snap, m.rng)
	apply(now, m.views, d)
	trial := map[ID]bool{}
	for _, id := range d.Optimistic {
		trial[id] = true
		if !m.trial[id] {
			began[[2]int{me, int(id)}] = now
		}
	}
	for id := range m.trial {
		if len(m.trial) == 1 && !m.views[id].Unchoked {
			st.trialTimes[now.Sub(began[[2]int{me, int(id)}])]++
		}
	}
	m.trial = trial
	for _, id := range d.Unchoked {
		if !trial[id] && now.After(at(300)) && m.uplink > 0 {
			st.regular++
			if ms[id].views[me].Unchoked {
				st.given++
			}
		}
	}
}

// means are the mean rates received by members with each uplink.
func means(ms []*member, seconds int) map[float64]float64 {
	sum, n := map[float64]float64{}, map[float64]float64{}
	for _, m := range ms {
		sum[m.uplink] += m.received / float64(seconds)
		n[m.uplink]++
	}
	for u := range sum {
		sum[u] /= n[u]
	}
	return sum
}

// TestReciprocation runs 24 members for an hour: four classes of five with
// unequal uplinks, and four free-riders.
func TestReciprocation(t *testing.T) {
	const hour = 3600
	var uplinks []float64
	for _, u := range []float64{400e3, 200e3, 100e3, 50e3} {
		for range 5 {
			uplinks = append(uplinks, u)
		}
	}
	uplinks = append(uplinks, 0, 0, 0, 0)

	ms := newSwarm(NewTitForTat, uplinks)
	st := runSwarm(ms, hour)
	got := means(ms, hour)
	honest := (got[400e3] + got[200e3] + got[100e3] + got[50e3]) / 4
	free := got[0] / honest
	mutual := float64(st.given) / float64(st.regular)
	t.Logf("received, kB/s by uplink: 400: %.0f, 200: %.0f, 100: %.0f, 50: %.0f, free-riders %.0f (%.2f of the honest mean)",
		got[400e3]/1e3, got[200e3]/1e3, got[100e3]/1e3, got[50e3]/1e3, got[0]/1e3, free)
	t.Logf("regular slots returned: %.2f; slots at most %d; trials lasted %v", mutual, st.maxSlots, st.trialTimes)

	if st.maxSlots != 5 {
		t.Errorf("%d slots, want 4+1", st.maxSlots)
	}
	if free > 0.35 {
		t.Errorf("free-riders get %.2f of the honest mean", free)
	}
	if mutual < 0.8 {
		t.Errorf("%.2f of regular slots are returned", mutual)
	}
	if !(got[400e3] > got[200e3] && got[200e3] > got[100e3] && got[100e3] > got[50e3] && got[50e3] > got[0]) {
		t.Error("who gives more does not get more")
	}
	for d, n := range st.trialTimes {
		if d != 30*time.Second {
			t.Errorf("%d trials lasted %v, want 30s", n, d)
		}
	}
	for i, m := range ms[20:] {
		if first := m.fromRegular / m.received; first > 0 {
			t.Errorf("free-rider %d has %.2f of its bytes from regular slots", i, first)
		}
	}

	// The same swarm with turns for everybody: the free-rider's share shows
	// that it is tit-for-tat that holds it down.
	ms = newSwarm(NewSeeding, uplinks)
	runSwarm(ms, hour)
	all := means(ms, hour)
	turns := all[0] / ((all[400e3] + all[200e3] + all[100e3] + all[50e3]) / 4)
	t.Logf("with turns instead, free-riders get %.2f of the honest mean", turns)
	if turns < 0.9 {
		t.Errorf("with turns free-riders get %.2f", turns)
	}
}
