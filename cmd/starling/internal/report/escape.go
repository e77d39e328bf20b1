package report

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

const hexDigits = "0123456789abcdef"

// Escape makes text from the network safe for a terminal: what is not
// printable (control characters, escape sequences, bidirectional and invisible
// format characters, line breaks, invalid UTF-8) is shown as \x1b or \u{202e}.
func Escape(s string) string {
	if clean(s) {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case unicode.IsPrint(r) && (r != utf8.RuneError || n > 1):
			b.WriteString(s[:n])
		case r < 0x80 || n == 1:
			b.WriteString(`\x`)
			b.WriteByte(hexDigits[s[0]>>4])
			b.WriteByte(hexDigits[s[0]&15])
		default:
			b.WriteString(`\u{`)
			for shift := 20; shift >= 0; shift -= 4 {
				if d := r >> shift; d > 0 {
					b.WriteByte(hexDigits[d&15])
				}
			}
			b.WriteByte('}')
		}
		s = s[n:]
	}
	return b.String()
}

func clean(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < 0x20 || s[i] >= 0x7f {
			return allPrintable(s[i:])
		}
	}
	return true
}

func allPrintable(s string) bool {
	for i, r := range s {
		if !unicode.IsPrint(r) {
			return false
		}
		if r == utf8.RuneError {
			if _, n := utf8.DecodeRuneInString(s[i:]); n == 1 {
				return false
			}
		}
	}
	return true
}

// Clip cuts s to at most width columns, its last being an ellipsis where it was
// cut. s is already escaped.
func Clip(s string, width int) string {
	if width <= 0 {
		return ""
	}
	used, cut := 0, 0
	for i, r := range s {
		w := columns(r)
		if used+w > width {
			return s[:cut] + "…"
		}
		used += w
		if used <= width-1 {
			cut = i + utf8.RuneLen(r)
		}
	}
	return s
}

// columns is how wide a terminal draws r. It may say 2 for a narrow rune: a line
// that is too short is harmless, one that wraps leaves a torn bar behind.
func columns(r rune) int {
	if r >= 0x1100 {
		return 2
	}
	return 1
}
