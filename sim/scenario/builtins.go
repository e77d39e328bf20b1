package scenario

import (
	"go.starlark.net/lib/math"
	"go.starlark.net/starlark"
)

// builtin is a function that scripts may call.
type builtin struct {
	name string
	call func(s *script, c *call) (starlark.Value, error)
}

// builtins are all of them; docs/scenarios.md describes each. A test holds the
// page to this list.
var builtins = []builtin{
	// what is given from outside
	{"param", callParam}, {"size", callSize}, {"rate", callRate}, {"seconds", callSeconds},
	// what all hosts share
	{"content", callContent}, {"peers", callPeers}, {"network", callNetwork}, {"tracker", callTracker},
	{"rack", callRack}, {"run", callRun},
	// hosts
	{"seed", callSeed}, {"leecher", callLeecher}, {"leechers", callLeechers}, {"node", callNode},
	// chance
	{"sample", callSample}, {"shuffle", callShuffle}, {"uniform", callUniform}, {"exponential", callExponential},
	{"chance", callChance}, {"sum", callSum},
	// faults
	{"crash", callCrash}, {"power_loss", callPowerLoss}, {"leave", callLeave}, {"partition", callPartition},
	{"one_way", callOneWay}, {"slow", callSlow}, {"stall", callStall}, {"freeze", callFreeze},
	{"clock_jump", callClockJump}, {"disk_full", callDiskFull}, {"tracker_down", callTrackerDown},
	{"tracker_forgets", callTrackerForgets},
	// messages and what is to come of it all
	{"send", callSend}, {"expect", callExpect},
}

// Builtins lists the names that a script may use besides Starlark's own.
func Builtins() []string {
	var names []string
	for _, b := range builtins {
		names = append(names, b.name)
	}
	return append(names, "forever", "math", "rng_seed")
}

func (s *script) constants() starlark.StringDict {
	return starlark.StringDict{
		"forever":  starlark.String(foreverWord),
		"math":     math.Module,
		"rng_seed": starlark.MakeUint64(s.opts.RNGSeed),
	}
}

// call is one call of a builtin.
type call struct {
	thread *starlark.Thread
	name   string
	args   starlark.Tuple
	kwargs []starlark.Tuple
}

// unpack reads the arguments: pairs of a name and where the value goes, as
// starlark.UnpackArgs takes them.
func (c *call) unpack(pairs ...any) error {
	return starlark.UnpackArgs(c.name, c.args, c.kwargs, pairs...)
}
