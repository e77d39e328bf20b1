package doctor

import (
	"context"
	"fmt"
	"net/url"
	"time"
)

// Level says how bad a finding is.
type Level string

// The levels.
const (
	OK      Level = "ok"
	Warning Level = "warning" // it works, but worse than it could
	Problem Level = "problem" // something will not work
)

// Finding is what a check has found.
type Finding struct {
	Check string `json:"check"`
	Level Level  `json:"result"`
	Found string `json:"found"`
	// Cure says what to do; empty for what is ok.
	Cure string `json:"cure,omitempty"`
}

// Options say what to look at.
type Options struct {
	// Data is the directory that content is fetched to.
	Data string
	// Ports are to be free, or held by a starling.
	Ports []Port
	// Tracker is the announce URL, or the address, of the tracker that this
	// host will use; empty: none.
	Tracker *url.URL
	// Serves says that a tracker is to run on this host, which takes a
	// descriptor for each connection.
	Serves bool
	// Unread are the variables of the environment that look like options and are none.
	Unread []Variable
	// Patience bounds the wait for the tracker's answer, over each protocol.
	Patience time.Duration
}

// Run makes all checks. It ends early, with what it has found by then, when ctx
// ends.
func Run(ctx context.Context, o Options) []Finding {
	var out []Finding
	reached := reading{}
	if o.Tracker != nil {
		var f []Finding
		f, reached = reach(ctx, o.Tracker, o.Patience)
		out = append(out, f...)
	}
	checks := []func() []Finding{
		func() []Finding { return judgeEnvironment(o.Unread) },
		func() []Finding { return one(judgeClock(reached.clock, synchronised())) },
		func() []Finding { return ports(ctx, o.Ports) },
		func() []Finding { return one(judgeDescriptors(descriptors(), o.Serves)) },
		func() []Finding { return disk(ctx, o.Data) },
		func() []Finding { return one(judgeMTU(interfaces(), reached.pathMTU)) },
		func() []Finding { return one(judgeHashing(measureHashing())) },
		func() []Finding { return one(judgeMemory(measureMemory())) },
	}
	for _, check := range checks {
		if ctx.Err() != nil {
			break
		}
		out = append(out, check()...)
	}
	return out
}

func one(f Finding) []Finding { return []Finding{f} }

// Count returns how many findings have a level.
func Count(all []Finding, l Level) (n int) {
	for _, f := range all {
		if f.Level == l {
			n++
		}
	}
	return n
}

func ok(check, format string, args ...any) Finding {
	return Finding{Check: check, Level: OK, Found: fmt.Sprintf(format, args...)}
}

func warning(check, cure, format string, args ...any) Finding {
	return Finding{Check: check, Level: Warning, Found: fmt.Sprintf(format, args...), Cure: cure}
}

func problem(check, cure, format string, args ...any) Finding {
	return Finding{Check: check, Level: Problem, Found: fmt.Sprintf(format, args...), Cure: cure}
}
