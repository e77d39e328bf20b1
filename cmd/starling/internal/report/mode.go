package report

import (
	"fmt"
	"io"
	"os"

	"golang.org/x/term"
)

// Mode is how progress is shown.
type Mode string

// The modes. Auto is resolved by Resolve and is no mode of a Reporter.
const (
	Auto  Mode = "auto"
	Bar   Mode = "bar"
	Plain Mode = "plain"
	JSON  Mode = "json"
	None  Mode = "none"
)

// ParseMode reads a mode's name.
func ParseMode(s string) (Mode, error) {
	switch m := Mode(s); m {
	case Auto, Bar, Plain, JSON, None:
		return m, nil
	}
	return "", fmt.Errorf("progress %q is not one of auto, bar, plain, json, none", s)
}

// Resolve turns Auto into Bar on a capable terminal that a person watches, and
// into Plain elsewhere (a pipe, TERM=dumb, a CI job).
func Resolve(m Mode, stderr io.Writer, getenv func(string) string) Mode {
	if m != Auto {
		return m
	}
	if IsTerminal(stderr) && getenv("TERM") != "dumb" && getenv("CI") == "" {
		return Bar
	}
	return Plain
}

// Color says whether colours may be used on w (no-color.org: any value of
// NO_COLOR that is not empty forbids them).
func Color(w io.Writer, getenv func(string) string) bool {
	return IsTerminal(w) && getenv("NO_COLOR") == "" && getenv("TERM") != "dumb"
}

// IsTerminal says whether w is a terminal.
func IsTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// Width is the number of columns of the terminal w, or 80 if it does not say.
func Width(w io.Writer) int {
	if f, ok := w.(*os.File); ok {
		if n, _, err := term.GetSize(int(f.Fd())); err == nil && n > 0 {
			return n
		}
	}
	return 80
}
