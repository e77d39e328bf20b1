package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"starling/internal/units"
)

const (
	nameWidth = 24 // of a torrent's name before a bar
	barWidth  = 20
)

func percent(s Status) int64 {
	if s.BytesTotal == 0 {
		return 100
	}
	return s.BytesDone * 100 / s.BytesTotal
}

// fraction prints how much is done, and 100.0% only when all is.
func fraction(s Status) string {
	tenths := int64(1000)
	if s.BytesTotal > 0 {
		tenths = min(999, int64(float64(s.BytesDone)/float64(s.BytesTotal)*1000))
		if s.BytesDone >= s.BytesTotal {
			tenths = 1000
		}
	}
	return fmt.Sprintf("%d.%d%%", tenths/10, tenths%10)
}

// BarLines draws a reading in one or two lines of at most width columns.
func BarLines(s Status, width int, color bool) []string {
	name := Clip(Escape(s.Name), nameWidth)
	if s.State == "seeding" {
		return []string{Clip("seeding   "+name+"  "+seedText(s), width-1)}
	}
	filled := min(barWidth, int(percent(s)*barWidth/100))
	bar := strings.Repeat("=", filled) + strings.Repeat(" ", barWidth-filled)
	if filled < barWidth {
		bar = bar[:filled] + ">" + bar[filled+1:]
	}
	head := name + " ["
	first := Clip(head+bar+"] "+progressText(s), width-1)
	if end := len(head) + filled; color && strings.HasPrefix(first, head+bar) && filled > 0 {
		first = first[:len(head)] + "\x1b[32m" + first[len(head):end] + "\x1b[0m" + first[end:]
	}
	second := detailText(s)
	if second == "" {
		return []string{first}
	}
	indent := strings.Repeat(" ", min(len(name)+1, 10))
	return []string{first, Clip(indent+second, width-1)}
}

// PlainLine tells a reading in one line of a log.
func PlainLine(s Status) string {
	name := Escape(s.Name)
	if s.State == "seeding" {
		return "seeding " + name + "  " + seedText(s)
	}
	line := name + "  " + progressText(s)
	if d := detailText(s); d != "" {
		line += "  " + d
	}
	return line
}

func progressText(s Status) string {
	text := fraction(s) + "  " + units.FormatFraction(s.BytesDone, s.BytesTotal)
	switch s.State {
	case "hashing", "checking", "simulating":
		text = s.State + "  " + text + "  " + units.FormatRate(float64(s.DownBPS))
	default:
		text += "  down " + units.FormatRate(float64(s.DownBPS)) + "  up " + units.FormatRate(float64(s.UpBPS))
	}
	if s.ETA != nil && *s.ETA > 0 && s.BytesDone < s.BytesTotal {
		text += "  " + units.FormatDuration(time.Duration(*s.ETA)*time.Second) + " left"
	}
	return text
}

func detailText(s Status) string {
	if s.State == "hashing" || s.State == "checking" || s.State == "simulating" {
		return ""
	}
	if s.Trouble != "" {
		return Escape(s.Trouble)
	}
	text := peersText(s.Peers.Connected)
	if s.Peers.Seeders > 0 {
		text += fmt.Sprintf(" (%s)", plural(s.Peers.Seeders, "seeder"))
	}
	if s.BytesDone < s.BytesTotal && s.Peers.Connected > 0 {
		text += "  rarest piece on " + peersText(s.AvailabilityMin)
	}
	return text
}

func seedText(s Status) string {
	text := fmt.Sprintf("%s  up %s  sent %s", peersText(s.Peers.Connected), units.FormatRate(float64(s.UpBPS)), units.FormatBytes(s.BytesSent))
	if s.BytesTotal > 0 {
		text += fmt.Sprintf(" (%.2fx)", float64(s.BytesSent)/float64(s.BytesTotal))
	}
	if f := s.Fleet; f != nil {
		text += fmt.Sprintf("  fleet %d/%d done", f.Complete, f.Complete+f.Incomplete)
	}
	if s.Trouble != "" {
		text += "  " + Escape(s.Trouble)
	}
	return text
}

func peersText(n int) string { return plural(n, "peer") }

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// EventLine tells an event to a person; it is empty for those that only
// programs ask for.
func EventLine(e Event) string {
	name := Escape(e.Torrent)
	if name != "" {
		name += "  "
	}
	switch e.Name {
	case "ready":
		var at []string
		for what, addr := range e.Addresses {
			at = append(at, what+" "+addr)
		}
		slices.Sort(at)
		return "ready     " + name + "on " + strings.Join(at, ", ")
	case "complete":
		return "complete  " + name + Escape(e.Path)
	case "first_byte", "stopped", "tracker_ok":
		return ""
	}
	return strings.TrimRight(fmt.Sprintf("%-8s  %s%s", strings.ReplaceAll(e.Name, "_", " "), name, Escape(e.Detail)), " ")
}
