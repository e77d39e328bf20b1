package units

import (
	"fmt"
	"strconv"
	"strings"
)

// Rate is a limit in bytes a second; 0 is no limit.
type Rate int64

var bitUnits = []struct {
	name string
	bits int64
}{{"tbit", 1e12}, {"gbit", 1e9}, {"mbit", 1e6}, {"kbit", 1e3}, {"bit", 1}}

// ParseRate reads a rate: a binary size a second (200MiB/s), decimal bits a
// second (20mbit), or 0 or "none" for no limit.
func ParseRate(s string) (Rate, error) {
	t := strings.TrimSpace(s)
	if t == "0" || strings.EqualFold(t, "none") {
		return 0, nil
	}
	number, unit := splitUnit(t)
	for _, u := range bitUnits {
		if strings.EqualFold(strings.TrimSuffix(unit, "/s"), u.name) {
			n, err := scale(number, u.bits)
			if err != nil {
				return 0, fmt.Errorf("rate %q: %w", s, err)
			}
			return positive(s, n/8)
		}
	}
	size, isBytes := strings.CutSuffix(t, "/s")
	if _, unit := splitUnit(size); !isBytes || unit == "" {
		return 0, fmt.Errorf("rate %q: write 200MiB/s or 20mbit (0: no limit)", s)
	}
	n, err := ParseBytes(size)
	if err != nil {
		return 0, fmt.Errorf("rate %q: write 200MiB/s or 20mbit (0: no limit)", s)
	}
	return positive(s, int64(n))
}

// positive refuses what rounds to zero, which would mean "no limit".
func positive(s string, n int64) (Rate, error) {
	if n == 0 {
		return 0, fmt.Errorf("rate %q: less than a byte a second (0: no limit)", s)
	}
	return Rate(n), nil
}

// String prints the rate so that ParseRate reads the same value back.
func (r Rate) String() string {
	if r == 0 {
		return "0"
	}
	size := Bytes(r).String()
	if _, unit := splitUnit(size); unit == "" {
		size += "B"
	}
	return size + "/s"
}

// Set implements a flag value.
func (r *Rate) Set(s string) error {
	v, err := ParseRate(s)
	if err == nil {
		*r = v
	}
	return err
}

// Type names the value in a command's help.
func (r *Rate) Type() string { return "RATE" }

// UnmarshalText implements encoding.TextUnmarshaler.
func (r *Rate) UnmarshalText(text []byte) error { return r.Set(string(text)) }

// FormatRate prints bytes a second for people, with three digits: 1.08 GiB/s.
func FormatRate(bps float64) string {
	v, unit := scaled(bps)
	decimals := 2
	switch {
	case unit == "B" || v >= 99.95:
		decimals = 0
	case v >= 9.995:
		decimals = 1
	}
	return strconv.FormatFloat(v, 'f', decimals, 64) + " " + unit + "/s"
}
