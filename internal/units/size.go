package units

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Bytes is a size in bytes.
type Bytes int64

var binaryUnits = []struct {
	name string
	size int64
}{
	{"PiB", 1 << 50}, {"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1},
}

// ParseBytes reads a size: a number, and a binary unit from B to PiB. A bare
// number is bytes. It refuses negative sizes and what does not fit an int64.
func ParseBytes(s string) (Bytes, error) {
	number, unit := splitUnit(s)
	if unit == "" {
		unit = "B"
	}
	for _, u := range binaryUnits {
		if strings.EqualFold(unit, u.name) {
			n, err := scale(number, u.size)
			if err != nil {
				return 0, fmt.Errorf("size %q: %w", s, err)
			}
			return Bytes(n), nil
		}
	}
	return 0, fmt.Errorf("size %q: unit %q is not one of B, KiB, MiB, GiB, TiB, PiB", s, unit)
}

// String prints the size so that ParseBytes reads the same value back: in the
// largest unit that divides it, like 64MiB.
func (b Bytes) String() string {
	if b == 0 {
		return "0"
	}
	for _, u := range binaryUnits {
		if int64(b)%u.size == 0 {
			if u.size == 1 {
				break
			}
			return strconv.FormatInt(int64(b)/u.size, 10) + u.name
		}
	}
	return strconv.FormatInt(int64(b), 10)
}

// Set implements a flag value.
func (b *Bytes) Set(s string) error {
	v, err := ParseBytes(s)
	if err == nil {
		*b = v
	}
	return err
}

// Type names the value in a command's help.
func (b *Bytes) Type() string { return "SIZE" }

// UnmarshalText implements encoding.TextUnmarshaler.
func (b *Bytes) UnmarshalText(text []byte) error { return b.Set(string(text)) }

// FormatExact prints a size for people without a decimal where it is a whole
// number of a unit: 256 KiB.
func FormatExact(n int64) string {
	for _, u := range binaryUnits {
		if n >= u.size && n%u.size == 0 {
			return fmt.Sprintf("%d %s", n/u.size, u.name)
		}
	}
	return FormatBytes(n)
}

// FormatBytes prints a size for people, with one decimal: 131.4 GiB.
func FormatBytes(n int64) string {
	v, unit := scaled(float64(n))
	if unit == "B" {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.1f %s", v, unit)
}

// FormatFraction prints "done of total" in the unit of total: 62.2/131.4 GiB.
func FormatFraction(done, total int64) string {
	_, unit := scaled(float64(total))
	for _, u := range binaryUnits {
		if u.name == unit && u.size > 1 {
			return fmt.Sprintf("%.1f/%.1f %s", float64(done)/float64(u.size), float64(total)/float64(u.size), unit)
		}
	}
	return fmt.Sprintf("%d/%d B", done, total)
}

// scaled finds the largest unit that leaves at least one of it. It rounds as
// it will be printed, so that 1023.99 KiB becomes 1.0 MiB and not 1024.0 KiB.
func scaled(v float64) (float64, string) {
	for _, u := range binaryUnits {
		if q := v / float64(u.size); q >= 1 || (u.size > 1 && math.Round(q*1024*10) >= 1024*10) {
			return q, u.name
		}
	}
	return v, "B"
}

func splitUnit(s string) (number, unit string) {
	s = strings.TrimSpace(s)
	i := strings.IndexFunc(s, func(r rune) bool { return (r < '0' || r > '9') && r != '.' })
	if i < 0 {
		return s, ""
	}
	return s[:i], strings.TrimSpace(s[i:])
}

// scale multiplies a decimal number by unit. Whole numbers are exact.
func scale(number string, unit int64) (int64, error) {
	if n, err := strconv.ParseInt(number, 10, 64); err == nil {
		if n > math.MaxInt64/unit {
			return 0, fmt.Errorf("too large")
		}
		return n * unit, nil
	}
	f, err := strconv.ParseFloat(number, 64)
	if err != nil || f < 0 || math.IsNaN(f) {
		return 0, fmt.Errorf("%q is not a number", number)
	}
	if f *= float64(unit); f >= math.MaxInt64 {
		return 0, fmt.Errorf("too large")
	}
	return int64(math.Round(f)), nil
}
