package fleet

import (
	"fmt"
	"slices"
	"time"

	"starling/piece"
)

// finish makes the result.
func (f *fleet) finish() {
	f.checkEnd()
	r, s := &f.res, f.spec
	r.Name, r.RNGSeed, r.TraceHash = s.Name, s.RNGSeed, f.world.TraceHash()
	r.Virtual, r.Events = f.world.Now(), f.world.Events()
	r.Size, r.PieceLength, r.Pieces = s.Size, s.PieceLength, f.geo.NumPieces()
	r.Policy, r.MaxRemotes, r.Strategy = s.Peer.Policy, s.Peer.MaxRemotes, strategyName(s.Peer.Strategy)
	r.Messages = map[string]uint64{}
	for t, n := range f.checks.count {
		r.Messages[t.String()] = n
	}
	for _, m := range f.members {
		st := m.stats()
		h := &m.res
		h.Received, h.Sent = int64(st.ReceivedPayload), int64(st.SentPayload)
		h.Wasted = int64(st.WastedCorrupt + st.WastedDuplicate + st.WastedUnrequested)
		h.Corrupt, h.Remotes = st.CorruptPieces, st.Remotes
		h.Pieces = m.have().Count()
		r.Hosts = append(r.Hosts, *h)
	}
	f.checks.close()
	f.groups()
	f.efficiency()
	f.diagnose()
	f.checkPayloads()
}

func strategyName(s piece.Strategy) string {
	switch s {
	case piece.Random:
		return "random"
	case piece.Sequential:
		return "sequential"
	}
	return "rarest"
}

// close books the slots that are still held.
func (c *checker) close() {
	now := c.f.world.Now()
	for i, row := range c.since {
		for j, since := range row {
			if since >= 0 {
				c.f.res.Unchoked[i][j] += now - since
			}
		}
	}
}

// groups sums up the expected leechers, all together and by group.
func (f *fleet) groups() {
	f.res.All = f.group("all", f.expected())
	var names []string
	for _, m := range f.members {
		if m.spec.Role == Leecher && !slices.Contains(names, m.res.Group) {
			names = append(names, m.res.Group)
		}
	}
	for _, name := range names {
		var ms []*member
		for _, m := range f.expected() {
			if m.res.Group == name {
				ms = append(ms, m)
			}
		}
		f.res.Groups = append(f.res.Groups, f.group(name, ms))
	}
}

func (f *fleet) group(name string, ms []*member) GroupResult {
	g := f.bound(ms)
	g.Name = name
	var took []time.Duration
	for _, m := range ms {
		if m.res.Done < 0 {
			continue
		}
		took = append(took, m.res.Took())
		g.Last = max(g.Last, m.res.Done)
	}
	if g.Completed = len(took); g.Completed < len(ms) || len(ms) == 0 {
		g.Last = -1
	}
	slices.Sort(took)
	g.P50, g.P90, g.P99, g.P999 = quantile(took, 500), quantile(took, 900), quantile(took, 990), quantile(took, 999)
	if g.Last > 0 && g.Bound > 0 {
		g.Ratio = g.Last.Seconds() / g.Bound.Seconds()
	}
	return g
}

// quantile is the smallest value that perMille of all are not above.
func quantile(sorted []time.Duration, perMille int) time.Duration {
	if len(sorted) == 0 {
		return -1
	}
	return sorted[max(0, (len(sorted)*perMille+999)/1000-1)]
}

// last is when the last expected leecher completed, or the run's end.
func (f *fleet) last() time.Duration {
	if f.res.All.Last > 0 {
		return f.res.All.Last
	}
	return f.res.Virtual
}

// efficiency measures up to the last completion, at the sample after it.
func (f *fleet) efficiency() {
	last := f.last()
	var at Sample
	for _, s := range f.res.Samples {
		if at = s; s.At >= last {
			break
		}
	}
	f.res.SeedCopies = float64(at.SeedBytes) / float64(f.spec.Size)
	capacity := 0.0
	for _, m := range f.members {
		if m.spec.Role != Node && m.res.Arrived >= 0 && m.res.Arrived < last {
			capacity += rate(m.spec.Up) * (last - m.res.Arrived).Seconds()
		}
	}
	if capacity > 0 {
		f.res.Utilisation = float64(at.UpBytes) / capacity
	}
}

// near is the ratio up to which a bound is what limits.
const near = 1.25

// diagnose says what the last completion waited for.
func (f *fleet) diagnose() {
	r := &f.res
	limits := map[string]string{"seed": "seed", "pieces": "seed", "uplinks": "uplinks", "downlink": "downlinks", "rack": "racks"}
	last, arrival := f.last(), time.Duration(0)
	for _, m := range f.expected() {
		arrival = max(arrival, m.res.Arrived)
	}
	mid := f.middle(last)
	switch a := r.All; {
	case len(f.expected()) == 0:
	case float64(arrival) > 0.8*float64(last):
		r.LimitedBy = "arrivals"
		r.Why = fmt.Sprintf("the last host arrived at %v of %v", round(arrival), round(last))
	case a.Ratio > 0 && a.Ratio <= near:
		r.LimitedBy = limits[a.BoundName]
		r.Why = fmt.Sprintf("it took %.2f of the bound that the %s set", a.Ratio, boundText[a.BoundName])
	case a.P90 > 0 && float64(a.Last-a.P90) > 0.3*float64(last):
		r.LimitedBy = "tail"
		r.Why = fmt.Sprintf("nine in ten were done at %v, the last at %v", round(a.P90), round(last))
	case mid.Interested > 0 && float64(mid.Unchoked) < 0.5*float64(min(mid.Interested, f.slots())):
		r.LimitedBy = "choke"
		r.Why = fmt.Sprintf("half-way %d connections were unchoked where %d wanted to be", mid.Unchoked, mid.Interested)
	case r.Utilisation > 0.85:
		r.LimitedBy = "uplinks"
		r.Why = fmt.Sprintf("uplinks were %.0f %% in use", 100*r.Utilisation)
	default:
		r.LimitedBy = "tail"
		r.Why = fmt.Sprintf("uplinks were %.0f %% in use and nothing was full all the time", 100*r.Utilisation)
	}
}

var boundText = map[string]string{
	"seed": "seed's uplink", "pieces": "seed's uplink and whole pieces", "uplinks": "uplinks together",
	"downlink": "slowest downlink", "rack": "rack's link", "arrival": "last arrival",
}

// slots is how many remotes all hosts may have unchoked together.
func (f *fleet) slots() int {
	return len(f.members) * (f.spec.Peer.Choke.Slots + f.spec.Peer.Choke.Optimistic)
}

// middle is the sample nearest to half of a time.
func (f *fleet) middle(last time.Duration) (mid Sample) {
	for _, s := range f.res.Samples {
		if mid = s; s.At >= last/2 {
			break
		}
	}
	return mid
}

func round(d time.Duration) time.Duration { return d.Round(10 * time.Millisecond) }
