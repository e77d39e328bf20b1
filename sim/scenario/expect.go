package scenario

import (
	"fmt"
	"strings"

	"go.starlark.net/starlark"

	"starling/sim/fleet"
)

// expectation is a function that says of a run's result whether it is as
// expected.
type expectation struct {
	text string
	line int
	fn   starlark.Callable
}

// Outcome is what came of an expectation.
type Outcome struct {
	Text string // what was expected
	Line int    // of the script
	OK   bool
	// Seen is what the expectation has read of the result, as text.
	Seen string
	// Err is why it could not be answered; OK is false then.
	Err error
}

func callExpect(s *script, c *call) (starlark.Value, error) {
	var (
		fn   starlark.Callable
		text string
	)
	if err := c.unpack("test", &fn, "text", &text); err != nil {
		return nil, err
	}
	if len(s.out.expects) == maxExpects {
		return nil, fmt.Errorf("expect: more than %d expectations", maxExpects)
	}
	line := int(c.thread.CallFrame(1).Pos.Line)
	s.out.expects = append(s.out.expects, expectation{text: oneLine(text), line: line, fn: fn})
	return starlark.None, nil
}

// Check asks every expectation about a result. It may be called more than once.
func (s *Scenario) Check(r *fleet.Result) []Outcome {
	out := make([]Outcome, len(s.expects))
	for i, e := range s.expects {
		var seen reading
		thread := &starlark.Thread{Name: s.Name, Print: func(*starlark.Thread, string) {}}
		bound(thread)
		v, err := starlark.Call(thread, e.fn, starlark.Tuple{viewResult(r, &seen)}, nil)
		out[i] = Outcome{Text: e.text, Line: e.line, Seen: seen.String()}
		switch b, isBool := v.(starlark.Bool); {
		case err != nil:
			out[i].Err = explain(s.Name, err)
		case !isBool:
			out[i].Err = fmt.Errorf("%s:%d: the test returned a %s, want True or False", s.Name, e.line, v.Type())
		default:
			out[i].OK = bool(b)
		}
	}
	return out
}

// maxSeen bounds how many values a reading keeps.
const maxSeen = 8

// reading notes what an expectation looks at, so that a failed one can say what
// it saw.
type reading struct {
	names, values []string
	more          bool
}

func (r *reading) note(name string, v starlark.Value) {
	for i, n := range r.names {
		if n == name {
			r.values[i] = v.String()
			return
		}
	}
	if len(r.names) == maxSeen {
		r.more = true
		return
	}
	r.names, r.values = append(r.names, name), append(r.values, v.String())
}

func (r *reading) String() string {
	var b strings.Builder
	for i, n := range r.names {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%s = %s", n, r.values[i])
	}
	if r.more {
		b.WriteString(" ...")
	}
	return b.String()
}
