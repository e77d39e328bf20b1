package metainfo

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"
)

// CheckComponent says whether s may be the name of a file or directory, on any
// system that may receive it: it is refused if it is empty, "." or "..", longer
// than MaxComponent, not UTF-8, holds a separator of either kind, a control
// character or one that turns the direction of text, begins with a Windows
// drive, is a Windows device, or ends in a dot or a space (which Windows drops,
// so that two names become one). The error is an *Error.
//
// Nothing is decoded: "%2e%2e" is an ordinary name of six characters.
func CheckComponent(s string) error {
	if why := componentFault(s); why != "" {
		return &Error{"path", quote(s), errors.New(why)}
	}
	return nil
}

func componentFault(s string) string {
	switch {
	case s == "":
		return "the name is empty"
	case s == "." || s == "..":
		return "the name stands for a directory"
	case len(s) > MaxComponent:
		return "the name is longer than 255 bytes"
	case !utf8.ValidString(s):
		return "the name is not UTF-8"
	case s[len(s)-1] == '.' || s[len(s)-1] == ' ':
		return "the name ends in a dot or a space"
	case len(s) > 1 && s[1] == ':' && isLetter(s[0]):
		return "the name begins with a drive letter"
	case isDevice(s):
		return "the name is a Windows device"
	}
	for _, r := range s {
		switch {
		case r == '/' || r == '\\':
			return "the name holds a path separator"
		case unicode.IsControl(r):
			return "the name holds a control character"
		case breaksText(r):
			return "the name holds a character that hides or reorders text"
		}
	}
	return ""
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

// breaksText reports whether r makes a line of text read otherwise than its
// bytes: the bidirectional controls, and the two separators that end a line.
func breaksText(r rune) bool {
	return unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029'
}

// isDevice reports whether Windows opens a device by the name s. An extension,
// a stream or trailing spaces do not save it: "nul .txt" is NUL.
func isDevice(s string) bool {
	if i := strings.IndexAny(s, ".:"); i >= 0 {
		s = s[:i]
	}
	s = strings.ToUpper(strings.TrimRight(s, " "))
	switch s {
	case "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$":
		return true
	}
	if len(s) < 4 || (s[:3] != "COM" && s[:3] != "LPT") {
		return false
	}
	switch n := s[3:]; n {
	case "\u00b9", "\u00b2", "\u00b3": // Windows takes superscripts for digits
		return true
	default:
		return len(n) == 1 && '0' <= n[0] && n[0] <= '9'
	}
}

// CleanPath splits a relative path with slashes into its components, each of
// which has passed CheckComponent; strings.Join(parts, "/") is p again. It
// refuses a path that is not clean and does not clean it. The error is an
// *Error.
func CleanPath(p string) ([]string, error) {
	if len(p) > MaxPath {
		return nil, &Error{"path", quote(p), errPathLong}
	}
	if strings.Count(p, "/") >= MaxPathDepth {
		return nil, &Error{"path", quote(p), errPathDeep}
	}
	parts := strings.Split(p, "/")
	for _, c := range parts {
		if why := componentFault(c); why != "" {
			return nil, &Error{"path", quote(p), errors.New(why)}
		}
	}
	return parts, nil
}

var (
	errPathLong = errors.New("the path is longer than 4096 bytes")
	errPathDeep = errors.New("the path has more than 100 components")
)
