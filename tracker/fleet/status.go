package fleet

import (
	"cmp"
	"maps"
	"slices"
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
	name               string // of the group
	hosts, done, known int
	shares             float64 // of those that are known and not done
	late               int     // their number
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
	switch {
	case h.done():
		t.done++
	case h.known():
		t.late++
		t.shares += h.share()
	}
	if h.known() {
		t.known++
	}
}

// mean is 1 only if all are done. Of hosts whose progress nobody knows it takes what
// the others have that are not done: those that are done must not speak for them.
func (t *tally) mean() float64 {
	switch {
	case t.hosts == 0:
		return 0
	case t.done == t.hosts:
		return 1
	}
	rest := 0.0
	if t.late > 0 {
		rest = t.shares / float64(t.late)
	}
	return min((float64(t.done)+float64(t.hosts-t.done)*rest)/float64(t.hosts), almost)
}

func (t *tally) group() Group {
	g := Group{Name: t.name, Hosts: t.hosts, Done: t.done, Mean: t.mean()}
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
	var order []*tally
	var late []*viewed
	names := map[string]bool{}
	for _, h := range v.order {
		if !h.has(labels) {
			continue
		}
		for _, l := range h.labels {
			names[l.Name] = true
		}
		name := h.groupBy(by)
		key := name
		if by == ByHost {
			key = h.Addr.String() // two may be called the same
		}
		t := groups[key]
		if t == nil {
			t = &tally{name: name}
			groups[key] = t
			order = append(order, t)
		}
		t.add(h)
		sum.add(h)
		if !h.done() && !h.quiet { // who is quiet may be a client that takes its time
			late = append(late, h)
		}
	}
	all := sum.group()
	st.Hosts, st.Done, st.Mean, st.LeftS = all.Hosts, all.Done, all.Mean, all.LeftS
	slices.SortStableFunc(order, compareGroups)
	st.GroupsTotal = len(order)
	for _, t := range order[:min(len(order), MaxGroups)] {
		st.Groups = append(st.Groups, t.group())
	}
	st.Labels = slices.AppendSeq([]string{}, maps.Keys(names))
	slices.Sort(st.Labels)
	st.Stragglers = stragglers(late, &sum)
	return st
}

// groupBy is the group that a host is in.
func (h *viewed) groupBy(by string) string {
	switch by {
	case "":
		return ""
	case ByHost:
		return h.shown
	}
	return h.label(by)
}

// compareGroups puts the group first whose last host will be done last.
func compareGroups(a, b *tally) int {
	switch {
	case a.worst == nil && b.worst == nil:
		return CompareNames(a.name, b.name)
	case a.worst == nil:
		return 1
	case b.worst == nil:
		return -1
	}
	return cmp.Or(compareProgress(a.worst, b.worst), CompareNames(a.name, b.name))
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
			if h.State == Left {
				continue
			}
			listed := 1
			if h.also.IsValid() {
				listed = 2
			}
			live += listed
			if h.done() {
				liveDone += listed
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
