package main

import (
	"io"
	"os"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/term"

	"starling/cmd/starling/internal/report"
)

// table is lines of cells; a column whose head begins with ">" is aligned right.
type table [][]string

// leastColumn is how narrow a column may get that is too wide for a terminal.
const leastColumn = 12

// text lays the table out. Above a width, unless that is 0, the widest column of those
// that are aligned left gives way.
func (t table) text(width int) string {
	t = slices.Clone(t)
	heads, right := slices.Clone(t[0]), make([]bool, len(t[0]))
	for i, head := range heads {
		heads[i], right[i] = strings.CutPrefix(head, ">")
	}
	t[0] = heads
	widths := t.widths()
	if width > 0 {
		shrink(widths, right, width)
	}
	var b strings.Builder
	for _, row := range t {
		var line strings.Builder
		for i, cell := range row {
			cell = clip(cell, widths[i])
			pad := strings.Repeat(" ", widths[i]-columns(cell))
			if right[i] {
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

func (t table) widths() []int {
	widths := make([]int, len(t[0]))
	for _, row := range t {
		for i, cell := range row {
			widths[i] = max(widths[i], columns(cell))
		}
	}
	return widths
}

// shrink makes a line fit, if it can.
func shrink(widths []int, right []bool, width int) {
	for {
		used, widest := -2, -1
		for i, w := range widths {
			used += w + 2
			if !right[i] && w > leastColumn && (widest < 0 || w > widths[widest]) {
				widest = i
			}
		}
		if used <= width || widest < 0 {
			return
		}
		widths[widest]--
	}
}

// clip cuts a text that is wider than so many columns.
func clip(s string, width int) string {
	if columns(s) <= width {
		return s
	}
	for columns(s) > width-1 {
		r := []rune(s)
		s = string(r[:len(r)-1])
	}
	return s + "…"
}

// columns is how wide a terminal draws a text, whose control characters are escaped.
func columns(s string) (n int) {
	for _, r := range s {
		switch {
		case unicode.In(r, unicode.Mn, unicode.Me):
		case r >= 0x1100 && r <= 0x115f, r >= 0x2e80 && r <= 0xa4cf, r >= 0xac00 && r <= 0xd7a3, r >= 0xf900 && r <= 0xfaff,
			r >= 0xfe30 && r <= 0xfe6f, r >= 0xff00 && r <= 0xff60, r >= 0xffe0 && r <= 0xffe6, r >= 0x1f300 && r <= 0x1faff, r >= 0x20000 && r <= 0x3fffd:
			n += 2 // East Asian wide ones, and pictures
		default:
			n++
		}
	}
	return n
}

// screen is the size of the terminal that w is; 0 is none.
func screen(w io.Writer) (width, height int) {
	f, ok := w.(*os.File)
	if !ok || !report.IsTerminal(w) {
		return 0, 0
	}
	width, height, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0, 0
	}
	return width, height
}
