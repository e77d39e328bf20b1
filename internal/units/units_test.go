package units

import (
	"strings"
	"testing"
	"time"
)

func TestParseBytes(t *testing.T) {
	good := map[string]Bytes{
		"0": 0, "512": 512, "512B": 512, "64MiB": 64 << 20, "64 MiB": 64 << 20, "64mib": 64 << 20,
		"1.5GiB": 3 << 29, "0.5KiB": 512, "8191PiB": 8191 << 50,
	}
	for in, want := range good {
		if got, err := ParseBytes(in); err != nil || got != want {
			t.Errorf("ParseBytes(%q) = %d, %v; want %d", in, got, err, want)
		}
	}
	for _, in := range []string{"", "MiB", "-1", "64MB", "64M", "8192PiB", "1e400", "1.2.3KiB", "NaN", "9e9PiB", "9223372036854775808"} {
		if got, err := ParseBytes(in); err == nil {
			t.Errorf("ParseBytes(%q) = %d, want an error", in, got)
		}
	}
}

func TestParseRate(t *testing.T) {
	good := map[string]Rate{
		"0": 0, "none": 0, "200MiB/s": 200 << 20, "20mbit": 2_500_000, "1gbit": 125_000_000,
		"20Mbit/s": 2_500_000, "1.5kbit": 187, "9B/s": 9,
	}
	for in, want := range good {
		if got, err := ParseRate(in); err != nil || got != want {
			t.Errorf("ParseRate(%q) = %d, %v; want %d", in, got, err, want)
		}
	}
	for _, in := range []string{"", "200", "200/s", "200MiB", "20MB/s", "-1mbit", "1bit", "0MiB/s"} {
		if got, err := ParseRate(in); err == nil {
			t.Errorf("ParseRate(%q) = %d, want an error", in, got)
		}
	}
}

func TestFormat(t *testing.T) {
	for want, got := range map[string]string{
		"0 B":              FormatBytes(0),
		"1023 B":           FormatBytes(1023),
		"1.0 KiB":          FormatBytes(1024),
		"1.0 MiB":          FormatBytes(1<<20 - 1),
		"131.4 GiB":        FormatBytes(1314 << 30 / 10),
		"62.2/131.4 GiB":   FormatFraction(622<<30/10, 1314<<30/10),
		"3/9 B":            FormatFraction(3, 9),
		"0 B/s":            FormatRate(0),
		"1.08 GiB/s":       FormatRate(1.08 * (1 << 30)),
		"612 MiB/s":        FormatRate(612 << 20),
		"61.2 MiB/s":       FormatRate(61.2 * (1 << 20)),
		"10.0 MiB/s":       FormatRate(9.999 * (1 << 20)),
		"538,214":          FormatCount(538214),
		"-1,000":           FormatCount(-1000),
		"999":              FormatCount(999),
		"4.2s":             FormatDuration(4200 * time.Millisecond),
		"10s":              FormatDuration(9960 * time.Millisecond),
		"1m00s":            FormatDuration(59900 * time.Millisecond),
		"1m05s":            FormatDuration(65 * time.Second),
		"2h03m":            FormatDuration(2*time.Hour + 3*time.Minute),
		"3d04h":            FormatDuration(76 * time.Hour),
		"64MiB|1|0|0|5B/s": strings.Join([]string{Bytes(64 << 20).String(), Bytes(1).String(), Bytes(0).String(), Rate(0).String(), Rate(5).String()}, "|"),
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// What is printed is read back as the same value.
func FuzzRoundTrip(f *testing.F) {
	f.Add(int64(0), "64MiB")
	f.Add(int64(1<<40+1), "20mbit")
	f.Add(int64(2_500_000), "1.5GiB")
	f.Fuzz(func(t *testing.T, n int64, s string) {
		if n >= 0 {
			if got, err := ParseBytes(Bytes(n).String()); err != nil || got != Bytes(n) {
				t.Errorf("size %d printed as %q is read as %d, %v", n, Bytes(n), got, err)
			}
			if got, err := ParseRate(Rate(n).String()); err != nil || got != Rate(n) {
				t.Errorf("rate %d printed as %q is read as %d, %v", n, Rate(n), got, err)
			}
		}
		if b, err := ParseBytes(s); err == nil && b < 0 {
			t.Errorf("ParseBytes(%q) = %d", s, b)
		}
		if r, err := ParseRate(s); err == nil && r < 0 {
			t.Errorf("ParseRate(%q) = %d", s, r)
		}
	})
}
