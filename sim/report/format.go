package report

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	"starling/internal/units"
)

// bytesText is a size for people: 256 KiB, 131.4 GiB.
func bytesText(n int64) string {
	return strings.Replace(units.FormatBytes(n), ".0 ", " ", 1)
}

// span is a duration with about three digits: 640ms, 9.87s, 5m12s, 1h05m.
// What never came is "never".
func span(d time.Duration) string {
	s := d.Seconds()
	switch {
	case d < 0:
		return "never"
	case d == 0:
		return "0s"
	case s < 0.0009995:
		return fmt.Sprintf("%.3gus", s*1e6)
	case s < 0.9995:
		return fmt.Sprintf("%.3gms", s*1e3)
	case s < 9.995:
		return fmt.Sprintf("%.2fs", s)
	case s < 59.95:
		return fmt.Sprintf("%.1fs", s)
	case s < 3599.5:
		whole := int(s + 0.5)
		return fmt.Sprintf("%dm%02ds", whole/60, whole%60)
	}
	minutes := int(s/60 + 0.5)
	return fmt.Sprintf("%dh%02dm", minutes/60, minutes%60)
}

// count is a number with a comma at each thousand.
func count[T int | int64 | uint64](n T) string {
	s := strconv.FormatInt(int64(n), 10)
	digits := strings.TrimPrefix(s, "-")
	var b strings.Builder
	b.WriteString(s[:len(s)-len(digits)])
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(d)
	}
	return b.String()
}

// plural is "1 host", "3,000 hosts".
func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return count(n) + " " + what + "s"
}

// percent is a share as text: 94 %, or 0.4 % where a whole number would say
// nothing.
func percent(share float64) string {
	if p := 100 * share; p > 0 && p < 9.95 {
		return fmt.Sprintf("%.1f %%", p)
	}
	return fmt.Sprintf("%.0f %%", 100*share)
}

// ratioText is a ratio to a bound; "-" where there is none.
func ratioText(ratio float64) string {
	if ratio <= 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f", ratio)
}

// clean makes a name that a scenario chose safe for a terminal: what does not
// print is replaced.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r == unicode.ReplacementChar || !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
}

// squeeze cuts the middle of s out to leave n characters: names differ at
// their ends.
func squeeze(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	tail := max((n-2)/2, 0)
	return string(r[:max(n-2-tail, 0)]) + ".." + string(r[len(r)-tail:])
}

// shorten cuts s to n characters.
func shorten(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return string(r[:max(n-2, 0)]) + ".."
}
