package main

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"starling/internal/units"
	"starling/tracker/fleet"
)

// fleetText is a fleet's status for people.
func (a *app) fleetText(doc fleetDoc) string {
	switch {
	case doc.Status == nil:
		return a.swarmsText(doc.Swarms)
	case doc.Status.By == fleet.ByHost:
		return a.hostsText(doc.Hosts) + a.stragglersText(doc.Status)
	}
	return a.groupsText(doc.Status) + a.stragglersText(doc.Status)
}

// table is lines of cells; a column whose head begins with ">" is aligned right.
type table [][]string

func (t table) String() string {
	widths := make([]int, len(t[0]))
	for _, row := range t {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(strings.TrimPrefix(cell, ">")))
		}
	}
	var b strings.Builder
	for n, row := range t {
		var line strings.Builder
		for i, cell := range row {
			if n == 0 {
				cell = strings.TrimPrefix(cell, ">")
			}
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if strings.HasPrefix(t[0][i], ">") {
				cell = pad + cell
			} else {
				cell += pad
			}
			line.WriteString(cell + "  ")
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	return b.String()
}

func (a *app) swarmsText(list []fleet.SwarmInfo) string {
	if len(list) == 0 {
		return "no swarms\n"
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
	return t.String()
}

func (a *app) groupsText(st *fleet.Status) string {
	head, none := "SWARM", orElse(st.Name, st.InfoHash)
	if st.By != "" {
		head, none = strings.ToUpper(st.By), "-"
	}
	t := table{{head, ">HOSTS", ">DONE", ">MEAN", "SLOWEST", ">LEFT"}}
	for _, g := range st.Groups {
		slowest := "-"
		if s := g.Slowest; s != nil {
			slowest = a.visible(s.Node)
			if s.Done != nil {
				slowest += fmt.Sprintf(" %d%%", int(*s.Done*100))
			}
		}
		t = append(t, []string{
			a.visible(orElse(g.Name, none)), itoa(g.Hosts), itoa(g.Done), percentText(g.Mean), slowest, leftText(g.LeftS),
		})
	}
	text := t.String()
	if more := st.GroupsTotal - len(st.Groups); more > 0 {
		text += "and " + itoa(more) + " more\n"
	}
	return text
}

func (a *app) hostsText(hosts []fleet.HostInfo) string {
	t := table{{"HOST", "STATE", ">DONE", ">DOWN", ">UP", ">LEFT", "WHY"}}
	for _, h := range hosts {
		done := "-"
		if h.Done != nil && h.Size > 0 {
			done = percentText(float64(*h.Done) / float64(h.Size))
		} else if h.Done != nil || h.LeftS != nil && *h.LeftS == 0 {
			done = "100.0%"
		}
		why := h.Why
		if why == "none" {
			why = ""
		}
		t = append(t, []string{
			a.visible(h.Node), orElse(h.State, a.visible(h.Client)), done,
			units.FormatRate(float64(h.DownBPS)), units.FormatRate(float64(h.UpBPS)), leftText(h.LeftS), why,
		})
	}
	return t.String()
}

// shownStragglers is how many stragglers are named below a table.
const shownStragglers = 8

// stragglersText names those that hold the others up.
func (a *app) stragglersText(st *fleet.Status) string {
	if len(st.Stragglers) == 0 {
		return ""
	}
	t := table{{"STRAGGLER", ">DONE", ">DOWN", ">LEFT", "WHY"}}
	for _, s := range st.Stragglers[:min(len(st.Stragglers), shownStragglers)] {
		done := "-"
		if s.Done != nil {
			done = percentText(*s.Done)
		}
		t = append(t, []string{a.visible(s.Node), done, units.FormatRate(float64(s.DownBPS)), leftText(s.LeftS), whyText(&s)})
	}
	return "\n" + t.String()
}

// silentAfter is from when on a straggler is said to be silent: the tracker asks for a
// report each minute at least.
const silentAfter = 90 * time.Second

// whyText says why a host is slow.
func whyText(s *fleet.Straggler) string {
	if silent := time.Duration(s.SeenS) * time.Second; silent >= silentAfter {
		return "nothing was heard of it for " + units.FormatDuration(silent)
	}
	words := fleet.Reason(s.Why)
	if s.State == "stalled" {
		words = "stalled: " + words
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
	if s == nil || *s == 0 {
		return "-"
	}
	return units.FormatDuration(time.Duration(*s) * time.Second)
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
