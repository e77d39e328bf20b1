package view

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"starling/tracker/fleet"
)

// reason returns the words for a reason, or what is known without one. assets/words.js
// has the same; a test in browser/ compares what both make.
func reason(why, state string) string {
	switch state {
	case "error":
		return "stopped by an error on the host"
	case "checking":
		return "checks what is on its disk"
	}
	words := fleet.Reason(why)
	switch {
	case state == "stalled" && words == "":
		return "gets nothing at the moment"
	case state == "stalled":
		return "stalled: " + words
	case why == "none":
		return "nothing holds it back"
	case words == "":
		return "does not say why"
	}
	return words
}

var sizeUnits = []string{"B", "KiB", "MiB", "GiB", "TiB", "PiB"}

// bytesText prints a size with three digits or so: "131 GiB", "4.2 MiB".
func bytesText(n float64) string {
	if n < 0 || math.IsNaN(n) {
		n = 0
	}
	unit := 0
	for n >= 999.5 && unit < len(sizeUnits)-1 {
		n /= 1024
		unit++
	}
	digits := 0
	if unit > 0 && n < 99.95 {
		digits = 1
	}
	return strconv.FormatFloat(n, 'f', digits, 64) + " " + sizeUnits[unit]
}

func rateText(n float64) string { return bytesText(n) + "/s" }

// percent prints a share, rounded down. What is not whole is never shown as 100 %.
func percent(share float64) string {
	switch {
	case share >= 1:
		return "100 %"
	case share <= 0 || math.IsNaN(share):
		return "0 %"
	}
	return strconv.FormatFloat(math.Min(999, math.Floor(share*1000+1e-6))/10, 'f', 1, 64) + " %"
}

// leftText prints a time to go in seconds: "14 s", "3 min", "2 h 05 min"; nothing if
// it is not known, or none is left.
func leftText(left *int64) string {
	if left == nil || *left <= 0 {
		return ""
	}
	switch s := *left; {
	case s < 100:
		return fmt.Sprintf("%d s", s)
	case s < 100*60:
		return fmt.Sprintf("%d min", (s+30)/60)
	case s < 100*3600:
		return fmt.Sprintf("%d h %02d min", s/3600, s%3600/60)
	default:
		return fmt.Sprintf("%d d", s/86400)
	}
}

// count prints a number with thousands set apart by commas.
func count(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// plural is "1 host" or "2,000 hosts".
func plural(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return count(n) + " " + one + "s"
}

// copiesText prints how often a part is there.
func copiesText(n float64) string {
	if n >= 100 {
		return count(int(n))
	}
	return strings.TrimSuffix(strconv.FormatFloat(math.Floor(n*10)/10, 'f', 1, 64), ".0")
}

// hostsText prints on how many hosts a part is.
func hostsText(n float64) string {
	if s := copiesText(n); s != "1" {
		return s + " hosts"
	}
	return "1 host"
}

// swarmName is a swarm's name, or the beginning of its hash.
func swarmName(s fleet.SwarmInfo) string {
	if s.Name != "" {
		return s.Name
	}
	return s.InfoHash[:min(len(s.InfoHash), 12)]
}

// slowText says how far the slowest host of a group is; nothing if there is none.
func slowText(s *fleet.Slow) string {
	switch {
	case s == nil:
		return ""
	case s.Done == nil:
		return s.Node + ", which tells nothing"
	}
	return s.Node + " " + percent(*s.Done) + ", " + reason(s.Why, "")
}

// silentAfter is from how many seconds without a report on a straggler is said to be
// silent, as in starling status.
const silentAfter = 90

// lateText says why a straggler is late and how long it will take.
func lateText(s fleet.Straggler) string {
	if s.SeenS >= silentAfter {
		return "nothing was heard of it for " + leftText(&s.SeenS)
	}
	words := reason(s.Why, s.State)
	if left := leftText(s.LeftS); left != "" {
		words += ", " + left + " left"
	}
	return words
}

// doing says how a host is doing.
func doing(h fleet.HostInfo) string {
	switch {
	case h.State == "left":
		return "had all of it and left"
	case h.State != "error" && h.State != "checking" && hostShare(h) >= 1:
		return "has all of it"
	case h.State == "":
		return "another client, which tells nothing"
	}
	return reason(h.Why, h.State)
}

// hostShare is what a host has of what it wants; -1 where that is not known.
func hostShare(h fleet.HostInfo) float64 {
	if h.Done == nil || h.Size <= 0 {
		if h.LeftS != nil && *h.LeftS == 0 {
			return 1 // a seed that tells nothing
		}
		return -1
	}
	return min(1, float64(*h.Done)/float64(h.Size))
}

// tags lists a host's labels: "rack r1, zone b".
func tags(h fleet.HostInfo) string {
	all := make([]string, 0, len(h.Labels))
	for _, name := range slices.Sorted(maps.Keys(h.Labels)) {
		all = append(all, name+" "+h.Labels[name])
	}
	return strings.Join(all, ", ")
}
