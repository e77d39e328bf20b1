package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"starling/internal/units"
	"starling/tracker/fleet"
)

// redraws says whether the next of many readings takes the place of the one before.
func (a *app) redraws() bool {
	width, _ := screen(a.stdout)
	return a.cfg.Status.Watch && !a.cfg.JSON && width > 0 && a.getenv("TERM") != "dumb"
}

// text is what is shown to people. Of many readings each says of when it is, and on a
// terminal none is longer than that.
func (l *looking) text() string {
	a := l.a
	width, height := screen(a.stdout)
	if !a.redraws() {
		height = 0
	}
	p := a.fleetPage(l.last)
	if a.cfg.Status.Watch {
		p.head = a.now().Format(time.TimeOnly) + "  " + l.headline()
	}
	text := p.text(width, height)
	if height == 0 && l.shown {
		text = "\n" + text
	}
	l.shown = true
	if height > 0 {
		return "\x1b[H" + strings.ReplaceAll(text, "\n", "\x1b[K\n") + "\x1b[J"
	}
	return text
}

// headline says in a line how far it is, or why that is not known.
func (l *looking) headline() string {
	if l.trouble != nil {
		return oneLine(l.trouble) + "; what follows is of " + l.heard.Format(time.TimeOnly)
	}
	st := l.last.Status
	if st == nil {
		return plural(len(l.last.Swarms), "swarm")
	}
	text := fmt.Sprintf("%s  %d of %s done, %s on average", l.a.visible(orElse(st.Name, st.InfoHash)), st.Done, plural(st.Hosts, "host"), percentText(st.Mean))
	if left := leftText(st.LeftS); left != "-" {
		text += ", " + left + " left"
	}
	return text
}

// fleetPage is a fleet's status for people.
type fleetPage struct {
	head  string // a line above all
	list  table
	more  int      // lines that the list does not have
	total []string // its last line; nil: none
	late  table    // the stragglers; empty: none
}

// text lays a page out. What is above the height, unless that is 0, is left out of the
// list.
func (p *fleetPage) text(width, height int) string {
	list, more := p.list, p.more
	if free := height - p.others(); height > 0 && len(list) > max(2, free) {
		if more == 0 {
			free-- // for the line that says how many more there are
		}
		keep := max(2, free)
		more += len(list) - keep
		list = list[:keep:keep]
	}
	rows := len(list)
	if p.total != nil {
		list = append(list[:len(list):len(list)], p.total)
	}
	var b strings.Builder
	if p.head != "" {
		head := p.head
		if width > 0 {
			head = clip(head, width)
		}
		b.WriteString(head + "\n")
	}
	lines := strings.SplitAfter(list.text(width), "\n") // and "" behind the last
	if more > 0 {
		lines = slices.Insert(lines, rows, "and "+itoa(more)+" more\n")
	}
	b.WriteString(strings.Join(lines, ""))
	if len(p.late) > 0 {
		b.WriteString("\n" + p.late.text(width))
	}
	return b.String()
}

// others is how many lines there are beside the list: the head, how many more there are,
// the total, the stragglers and an empty line above them; and that of the cursor.
func (p *fleetPage) others() int {
	n := 2
	if p.more > 0 {
		n++
	}
	if len(p.late) > 0 {
		n += len(p.late) + 1
	}
	if p.total != nil {
		n++
	}
	return n
}

func (a *app) fleetPage(doc *fleetDoc) fleetPage {
	switch st := doc.Status; {
	case st == nil:
		return fleetPage{list: a.swarmsTable(doc.Swarms)}
	case st.Hosts == 0:
		return fleetPage{list: table{{"no hosts"}}}
	case st.By == fleet.ByHost:
		list, total := a.hostsTable(doc.Hosts, st)
		return fleetPage{list: list, total: total, late: a.stragglersTable(st)}
	default:
		list, total := a.groupsTable(st)
		return fleetPage{list: list, total: total, more: st.GroupsTotal - len(st.Groups), late: a.stragglersTable(st)}
	}
}

func (a *app) swarmsTable(list []fleet.SwarmInfo) table {
	if len(list) == 0 {
		return table{{"no swarms"}}
	}
	t := table{{"SWARM", ">SIZE", ">HOSTS", ">DONE", ">MEAN", ">DOWN"}}
	for _, s := range list {
		size := "-"
		if s.Size > 0 {
			size = units.FormatBytes(s.Size)
		}
		t = append(t, []string{
			a.visible(orElse(s.Name, s.InfoHash)), size, itoa(s.Hosts), itoa(s.Done), percentText(s.Mean), units.FormatRate(float64(s.DownBPS)),
		})
	}
	return t
}

// groupsTable has a line for each group and, of several, one for all.
func (a *app) groupsTable(st *fleet.Status) (t table, total []string) {
	head, none := "SWARM", orElse(st.Name, st.InfoHash)
	if st.By != "" {
		head, none = a.visible(strings.ToUpper(st.By)), "-"
	}
	t = table{{head, ">HOSTS", ">DONE", ">MEAN", "SLOWEST", ">LEFT"}}
	line := func(name string, hosts, done int, mean float64, slowest *fleet.Slow, left *int64) []string {
		slow := "-"
		if slowest != nil {
			if slow = a.visible(slowest.Node); slowest.Done != nil {
				slow += fmt.Sprintf(" %d%%", int(*slowest.Done*100))
			}
		}
		return []string{a.visible(name), itoa(hosts), itoa(done), percentText(mean), slow, leftText(left)}
	}
	for _, g := range st.Groups {
		t = append(t, line(orElse(g.Name, none), g.Hosts, g.Done, g.Mean, g.Slowest, g.LeftS))
	}
	if len(st.Groups) > 1 { // the first has the slowest of all
		total = line("all", st.Hosts, st.Done, st.Mean, st.Groups[0].Slowest, st.LeftS)
	}
	return t, total
}

// hostsTable has a line for each host and, of several, one for all.
func (a *app) hostsTable(hosts []fleet.HostInfo, st *fleet.Status) (t table, total []string) {
	t = table{{"HOST", "STATE", ">DONE", ">DOWN", ">UP", ">LEFT", "WHY"}}
	var down, up int64
	for _, h := range hosts {
		down, up = down+h.DownBPS, up+h.UpBPS
		done := "-"
		switch {
		case h.LeftS != nil && *h.LeftS == 0, h.Done != nil && *h.Done >= h.Size:
			done = "100.0%"
		case h.Done != nil:
			done = percentText(min(float64(*h.Done)/float64(h.Size), 0.999))
		}
		why := h.Why
		if why == "none" {
			why = ""
		}
		t = append(t, []string{
			a.visible(h.Node), orElse(orElse(h.State, a.visible(h.Client)), "-"), done, rateText(h.DownBPS), rateText(h.UpBPS), leftText(h.LeftS), why,
		})
	}
	if len(hosts) > 1 {
		total = []string{
			"all", fmt.Sprintf("%d of %d", st.Done, st.Hosts), percentText(st.Mean), rateText(down), rateText(up), leftText(st.LeftS), "",
		}
	}
	return t, total
}

// shownStragglers is how many stragglers are named below a table.
const shownStragglers = 8

// stragglersTable names those that hold the others up.
func (a *app) stragglersTable(st *fleet.Status) table {
	if len(st.Stragglers) == 0 {
		return nil
	}
	t := table{{"STRAGGLER", ">DONE", ">DOWN", ">LEFT", "WHY"}}
	for _, s := range st.Stragglers[:min(len(st.Stragglers), shownStragglers)] {
		done := "-"
		if s.Done != nil {
			done = percentText(*s.Done)
		}
		t = append(t, []string{a.visible(s.Node), done, units.FormatRate(float64(s.DownBPS)), leftText(s.LeftS), whyText(&s)})
	}
	return t
}

const (
	// silentAfter is from when on a straggler is said to be silent: the tracker asks
	// for a report each minute at least.
	silentAfter = 90 * time.Second
	// oldAfter is from when on it is said how old a reason is.
	oldAfter = 20 * time.Second
)

// whyText says why a host is slow.
func whyText(s *fleet.Straggler) string {
	silent := time.Duration(s.SeenS) * time.Second
	if silent >= silentAfter {
		return "nothing was heard of it for " + units.FormatDuration(silent)
	}
	words := fleet.Reason(s.Why)
	switch {
	case s.State == "error":
		words = "stopped by an error on the host"
	case s.State == "checking":
		words = "checks what is on its disk"
	case s.State == "stalled" && words != "":
		words = "stalled: " + words
	case s.State == "stalled":
		words = "stalled"
	case words == "":
		words = "not known yet"
	}
	if silent >= oldAfter {
		words += ", " + units.FormatDuration(silent) + " ago"
	}
	return words
}

// percentText rounds down, so that 100.0% is all.
func percentText(share float64) string {
	tenths := int(share*1000 + 1e-6)
	return fmt.Sprintf("%d.%d%%", tenths/10, tenths%10)
}

// leftText is a time until something is done; "-" where nobody knows or it is.
func leftText(s *int64) string {
	switch {
	case s == nil || *s == 0:
		return "-"
	case *s < 10: // it is known to the second
		return itoa(int(*s)) + "s"
	}
	return units.FormatDuration(time.Duration(*s) * time.Second)
}

// rateText is a rate among many, most of which are nothing.
func rateText(bps int64) string {
	if bps == 0 {
		return "-"
	}
	return units.FormatRate(float64(bps))
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
