package scenario

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"go.starlark.net/resolve"
	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"starling/p2p"
	"starling/sim/fleet"
)

// Bounds on what one script describes.
const (
	MaxSource = 1 << 20    // bytes of the script
	MaxSteps  = 20_000_000 // of the interpreter: about a second
	MaxHosts  = 20_000
	MaxRacks  = 2_000
	MaxFaults = 10_000
	MaxSends  = 10_000
	MaxParams = 100
	// maxNames bounds the hosts that all faults name together.
	maxNames = 1_000_000
	// maxExpects bounds the expectations.
	maxExpects = 1_000
)

// Options say how a script is run.
type Options struct {
	// RNGSeed is the seed of the run, and of chance in the script.
	RNGSeed uint64
	// Set overrides parameters by name.
	Set map[string]string
	// Protocols are what the script may have a node run, by name.
	Protocols map[string]func(n *p2p.Node)
	// Print gets what the script prints, a line at a time; nil drops it.
	Print func(line string)
}

// Param is a parameter that a script declares.
type Param struct {
	Name, Help     string
	Default, Value string
}

// Scenario is a script that has been run.
type Scenario struct {
	Name string
	// About is the first paragraph of comment in the script.
	About   string
	Spec    fleet.Spec
	Params  []Param // in the order of declaration
	expects []expectation
}

// Expectations is how many things the script expects of a run.
func (s *Scenario) Expectations() int { return len(s.expects) }

// Load runs the script src and returns what it describes. name is what errors
// call it. An error is one line; where the script is at fault it begins with the
// script's name and the line.
func Load(name string, src []byte, o Options) (*Scenario, error) {
	if len(src) > MaxSource {
		return nil, fmt.Errorf("%s: %d bytes, want at most %d", name, len(src), MaxSource)
	}
	s := newScript(name, o)
	thread := s.thread()
	globals := starlark.StringDict{}
	for _, b := range builtins {
		globals[b.name] = starlark.NewBuiltin(b.name, func(th *starlark.Thread, fn *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			return b.call(s, &call{th, fn.Name(), args, kwargs})
		})
	}
	for name, v := range s.constants() {
		globals[name] = v
	}
	defs, err := starlark.ExecFileOptions(&syntax.FileOptions{Set: true, TopLevelControl: true, GlobalReassign: true}, thread, name, src, globals)
	if err != nil {
		return nil, explain(name, err)
	}
	// Expectations run later, and more than once: they change nothing.
	defs.Freeze()
	return s.finish(src)
}

// script is a script at work.
type script struct {
	opts    Options
	out     Scenario
	rng     *rand.Rand
	roles   map[string]fleet.Role // of the hosts so far, by name
	numbers map[string]int        // of the hosts that leechers has named, by prefix
	racks   map[string]bool
	names   int // that faults have mentioned
}

func newScript(name string, o Options) *script {
	s := &script{
		opts: o, rng: rand.New(rand.NewPCG(o.RNGSeed, 0x73746172)),
		roles: map[string]fleet.Role{}, numbers: map[string]int{}, racks: map[string]bool{},
	}
	s.out.Name, s.out.Spec = name, fleet.Default()
	s.out.Spec.Name, s.out.Spec.RNGSeed, s.out.Spec.Protocols = name, o.RNGSeed, o.Protocols
	return s
}

func (s *script) thread() *starlark.Thread {
	t := &starlark.Thread{Name: s.out.Name}
	if print := s.opts.Print; print != nil {
		t.Print = func(_ *starlark.Thread, line string) { print(line) }
	} else {
		t.Print = func(*starlark.Thread, string) {}
	}
	bound(t)
	return t
}

// bound ends a thread that goes on for ever.
func bound(t *starlark.Thread) {
	t.SetMaxExecutionSteps(MaxSteps)
	t.OnMaxSteps = func(t *starlark.Thread) { t.Cancel(fmt.Sprintf("more than %d steps", MaxSteps)) }
}

// finish checks what can only be checked at the end.
func (s *script) finish(src []byte) (*Scenario, error) {
	out := &s.out
	var unknown []string
	for name := range s.opts.Set {
		if !slices.ContainsFunc(out.Params, func(p Param) bool { return p.Name == name }) {
			unknown = append(unknown, name)
		}
	}
	if len(unknown) > 0 {
		slices.Sort(unknown)
		return nil, fmt.Errorf("%s: no parameter %s; %s", out.Name, strings.Join(unknown, ", "), s.knownParams())
	}
	if len(out.Spec.Hosts) == 0 {
		return nil, fmt.Errorf("%s: there is no host; call seed() and leechers()", out.Name)
	}
	if err := out.Spec.Validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", out.Name, err)
	}
	out.About = about(src)
	return out, nil
}

func (s *script) knownParams() string {
	if len(s.out.Params) == 0 {
		return "it has none"
	}
	names := make([]string, len(s.out.Params))
	for i, p := range s.out.Params {
		names[i] = p.Name
	}
	return "it has " + strings.Join(names, ", ")
}

// about is the first paragraph of a script's comment, on one line.
func about(src []byte) string {
	var words []string
	for line := range strings.Lines(strings.TrimSpace(string(src))) {
		text, ok := strings.CutPrefix(strings.TrimSpace(line), "#")
		if text = strings.TrimSpace(text); !ok || text == "" {
			break
		}
		words = append(words, text)
	}
	return strings.Join(words, " ")
}

// explain puts an interpreter's error on one line that begins with the place in
// the script.
func explain(name string, err error) error {
	var (
		eval   *starlark.EvalError
		bad    syntax.Error
		unruly resolve.ErrorList
	)
	switch {
	case errors.As(err, &eval):
		msg := strings.ReplaceAll(eval.Msg, "Starlark computation cancelled: ", "")
		for i := range eval.CallStack {
			if pos := eval.CallStack.At(i).Pos; pos.Filename() == name {
				return fmt.Errorf("%s:%d: %s", name, pos.Line, oneLine(msg))
			}
		}
		return fmt.Errorf("%s: %s", name, oneLine(msg))
	case errors.As(err, &bad):
		return fmt.Errorf("%s:%d: %s", name, bad.Pos.Line, oneLine(bad.Msg))
	case errors.As(err, &unruly) && len(unruly) > 0:
		return fmt.Errorf("%s:%d: %s", name, unruly[0].Pos.Line, oneLine(unruly[0].Msg))
	}
	return fmt.Errorf("%s: %s", name, oneLine(err.Error()))
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
