package fleet

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// Bounds of an answer.
const (
	// MaxGroups is how many groups a Status has; GroupsTotal says how many there are.
	MaxGroups = 1000
	// MaxStragglers is how many hosts it names.
	MaxStragglers = 20
)

// ByHost is the word for a Status with a group for each host.
const ByHost = "host"

// tally is what is added up of some hosts.
type tally struct {
	hosts, done, known int
	shares             float64
	down, up           int64
	worst              *viewed // of those that are not done
}

func (t *tally) add(h *viewed) {
	t.count(h)
	if t.worst == nil && !h.done() { // hosts come worst first
		t.worst = h
	}
}

// count is add but for the worst.
func (t *tally) count(h *viewed) {
	t.hosts++
	t.down += h.Down
	t.up += h.Up
	if h.known() {
		t.known++
		t.shares += h.share()
	}
	if h.done() {
		t.done++
	}
}

// mean is 1 only if all are done.
func (t *tally) mean() float64 {
	switch {
	case t.known == 0:
		return 0
	case t.done == t.hosts:
		return 1
	}
	return min(t.shares/float64(t.known), almost)
}

func (t *tally) group(name string) Group {
	g := Group{Name: name, Hosts: t.hosts, Done: t.done, Mean: t.mean()}
	if t.worst == nil {
		g.LeftS = new(int64)
		return g
	}
	slow := t.worst.slow()
	g.Slowest, g.LeftS = &slow, t.worst.leftS()
	return g
}

// Status groups the hosts that have all of labels: by the value of the label by, by
// host, or in one group if by is "". The groups that will be last come first.
//
// A straggler is a host that is not done and holds the others up: half of the hosts
// are done, or it will take more than twice as long as half of those that are not, or
// nobody knows how long.
func (v *View) Status(by string, labels []Label) Status {
	st := Status{V: version, By: by, Groups: []Group{}, Stragglers: []Straggler{}}
	var sum tally
	groups := map[string]*tally{}
	var order []string
	var late []*viewed
	names := map[string]bool{}
	for _, h := range v.order {
		if !h.has(labels) {
			continue
		}
		for _, l := range h.labels {
			names[l.Name] = true
		}
		key := ""
		switch by {
		case "":
		case ByHost:
			key = h.shown
		default:
			key = h.label(by)
		}
		t := groups[key]
		if t == nil {
			t = &tally{}
			groups[key] = t
			order = append(order, key)
		}
		t.add(h)
		sum.add(h)
		if !h.done() && !h.quiet { // who is quiet may be a client that takes its time
			late = append(late, h)
		}
	}
	all := sum.group("")
	st.Hosts, st.Done, st.Mean, st.LeftS = all.Hosts, all.Done, all.Mean, all.LeftS
	slices.SortStableFunc(order, func(a, b string) int { return compareGroups(groups[a], groups[b], a, b) })
	st.GroupsTotal = len(order)
	for _, key := range order[:min(len(order), MaxGroups)] {
		st.Groups = append(st.Groups, groups[key].group(key))
	}
	st.Labels = slices.AppendSeq([]string{}, maps.Keys(names))
	slices.Sort(st.Labels)
	st.Stragglers = stragglers(late, &sum)
	return st
}

// compareGroups puts the group first whose last host will be done last.
func compareGroups(a, b *tally, nameA, nameB string) int {
	switch {
	case a.worst == nil && b.worst == nil:
		return strings.Compare(nameA, nameB)
	case a.worst == nil:
		return 1
	case b.worst == nil:
		return -1
	}
	return cmp.Or(compareProgress(a.worst, b.worst), strings.Compare(nameA, nameB))
}

// behindBy is how many times as long as half of the hosts that are not done one must
// take to be a straggler.
const behindBy = 2

// stragglers chooses from the hosts that are not done, worst first.
func stragglers(late []*viewed, sum *tally) []Straggler {
	out := []Straggler{}
	if len(late) == 0 {
		return out
	}
	half := late[len(late)/2].LeftS // half of them take this long or less
	for _, h := range late {
		switch {
		case len(out) == MaxStragglers:
			return out
		case 2*sum.done >= sum.hosts, h.LeftS < 0 && half >= 0, h.LeftS > behindBy*half && half >= 0:
			out = append(out, Straggler{
				Slow: h.slow(), Addr: h.Addr.String(), Labels: h.labelMap(), State: h.State.String(), DownBPS: h.Down, SeenS: h.seenS,
			})
		}
	}
	return out
}

// Summary is a line of the list of swarms, without names: of a swarm with so many
// seeds and others listed, those that report among them.
func (s *Store) Summary(hash [20]byte, seeds, others int) SwarmInfo {
	var sum tally
	var size int64
	live, liveDone := 0, 0
	a := new(availability)
	if g := s.swarms[hash]; g != nil {
		for i := range g.hosts {
			h := viewed{host: &g.hosts[i]}
			sum.count(&h)
			a.add(&h)
			size = max(size, h.Size)
			if h.State != Left {
				live++
				if h.done() {
					liveDone++
				}
			}
		}
	}
	quietSeeds := max(0, seeds-liveDone)
	quiet := viewed{host: &host{}, quiet: true}
	for range max(0, seeds+others-live-quietSeeds) {
		sum.count(&quiet)
	}
	quiet.seed = true
	for range quietSeeds {
		sum.count(&quiet)
		a.add(&quiet)
	}
	return sum.info(size, a)
}

// Summary is the same of a View.
func (v *View) Summary() SwarmInfo {
	var sum tally
	var size int64
	a := new(availability)
	for _, h := range v.order {
		sum.count(h)
		a.add(h)
		size = max(size, h.Size)
	}
	return sum.info(size, a)
}

func (t *tally) info(size int64, a *availability) SwarmInfo {
	info := SwarmInfo{Size: size, Hosts: t.hosts, Done: t.done, Mean: t.mean(), DownBPS: t.down, UpBPS: t.up}
	if t.known > 0 {
		least := slices.Min(a.copies())
		info.AvailabilityMin = &least
	}
	return info
}
