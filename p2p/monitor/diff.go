package monitor

import (
	"fmt"
	"strings"

	"starling/p2p"
)

// Diff is where two message logs differ.
type Diff struct {
	A, B Side
	// ByType counts the messages of each type in both, in order of the name.
	ByType []TypeCount
	// Pairs is how many sequences were compared: one for each direction
	// between two names, and one for each end that logged it.
	Pairs int
	// Different is how many of them differ, and Differences the first of
	// those, in order of the names.
	Different   int
	Differences []Difference
}

// Side is one log.
type Side struct {
	Lines   uint64
	Records uint64 // that the filter let pass
	Lost    uint64 // that the log says it lacks
	// CutOff says that the last line has no end, as a log does whose writer
	// was killed; that line does not count.
	CutOff bool
}

// TypeCount counts the messages of a type in two logs.
type TypeCount struct {
	Type p2p.Type
	A, B uint64
}

// Difference is the first message in which the logs of one sequence differ.
type Difference struct {
	Dir      p2p.Dir
	From, To string // as Options.Name calls them
	// Number is the message's place in the sequence, from 1; 0 where the
	// order does not count.
	Number uint64
	// A and B are the messages at that place, nil where a log has none.
	A, B *Entry
	// Behind says that the log without a message may yet have it: it was so
	// far behind the other that Compare gave the sequence up.
	Behind bool
}

// Entry is a message in a log.
type Entry struct {
	Line   uint64 // from 1
	Type   p2p.Type
	Length int
	Digest uint32 // 0 where digests do not count
}

// Equal reports whether the logs tell of the same messages.
func (d *Diff) Equal() bool { return d.Different == 0 }

// String says where the logs differ, in one line.
func (d Difference) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s > %s, %s", d.From, d.To, d.Dir)
	if d.Number > 0 {
		fmt.Fprintf(&b, ", message %d", d.Number)
	}
	none := "none"
	if d.Behind {
		none = "none so far"
	}
	fmt.Fprintf(&b, ": A has %s, B has %s", d.A.text(none), d.B.text(none))
	return b.String()
}

func (e *Entry) text(none string) string {
	if e == nil {
		return none
	}
	return fmt.Sprintf("%v of %d bytes, digest %08x, in line %d", e.Type, e.Length, e.Digest, e.Line)
}
