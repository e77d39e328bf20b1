package metainfo

import (
	"fmt"
	"strconv"
)

// Error says that something from outside is not acceptable. Its message is one
// line, "bad WHAT: FIELD: WHY", safe for a terminal whatever the input was.
type Error struct {
	// What was being read: "metainfo", "magnet link" or "path".
	What string
	// Field is where in it, such as "info.piece length"; empty for the
	// whole.
	Field string
	// Err is why.
	Err error
}

func (e *Error) Error() string {
	if e.Field == "" {
		return fmt.Sprintf("bad %s: %v", e.What, e.Err)
	}
	return fmt.Sprintf("bad %s: %s: %v", e.What, e.Field, e.Err)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// bad makes the error for a field of a metainfo file.
func bad(field, format string, args ...any) error {
	return &Error{"metainfo", field, fmt.Errorf(format, args...)}
}

func badMagnet(field, format string, args ...any) error {
	return &Error{"magnet link", field, fmt.Errorf(format, args...)}
}

// quote makes a name from outside fit for a line of text: Go syntax, no more
// than 64 bytes of it.
func quote(s string) string {
	const most = 64
	if len(s) > most {
		return strconv.Quote(s[:most]) + "..."
	}
	return strconv.Quote(s)
}
