package view

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Reasons says in words what a peer gave as the reason for not being faster.
// assets/words.js has the same words; a test in browser/ compares what both make.
var Reasons = map[string]string{
	"none":    "nothing holds it back",
	"seed":    "waits for the seed, which sends as fast as it can",
	"peers":   "its peers send no faster",
	"disk":    "its disk writes no faster",
	"choked":  "its peers serve others first",
	"link":    "its own link is full",
	"tracker": "does not reach the tracker",
	"limit":   "limited by its own settings",
}

// reason returns the words for a reason, or what is known without one.
func reason(why, state string) string {
	switch state {
	case "error":
		return "stopped by an error on the host"
	case "checking":
		return "checks what is on its disk"
	}
	if w, ok := Reasons[why]; ok {
		return w
	}
	if state == "stalled" {
		return "gets nothing at the moment"
	}
	return "does not say why"
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

// percent prints a share. What is not whole is never shown as 100 %.
func percent(share float64) string {
	switch {
	case share >= 1:
		return "100 %"
	case share <= 0 || math.IsNaN(share):
		return "0 %"
	}
	return strconv.FormatFloat(math.Floor(share*1000)/10, 'f', 1, 64) + " %"
}

// leftText prints a time to go: "14 s", "3 min", "2 h 05 min"; nothing if it is not
// known.
func leftText(d time.Duration) string {
	s := int64(math.Ceil(d.Seconds()))
	switch {
	case d < 0:
		return ""
	case s < 100:
		return fmt.Sprintf("%d s", s)
	case s < 100*60:
		return fmt.Sprintf("%d min", (s+30)/60)
	case s < 100*3600:
		return fmt.Sprintf("%d h %02d min", s/3600, s%3600/60)
	}
	return fmt.Sprintf("%d d", s/86400)
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
	return strings.TrimSuffix(strconv.FormatFloat(math.Floor(n*10)/10, 'f', 1, 64), ".0")
}

// swarmName is a swarm's name, or the beginning of its hash.
func swarmName(s *Swarm) string {
	if s.Name != "" {
		return s.Name
	}
	return s.Hash[:min(len(s.Hash), 12)]
}
