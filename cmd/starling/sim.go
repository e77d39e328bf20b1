package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"starling/cmd/starling/internal/report"
	"starling/internal/units"
	"starling/sim/scenario"
)

// simCommand is what `starling sim` was asked for.
type simCommand struct {
	a       *app
	file    string // of the scenario; empty with preset
	preset  string
	src     []byte
	rngSeed uint64
	seeds   int
	set     []string // NAME=VALUE
	out     string
	network string
	compare []string // DIM=A,B,...
	list    bool

	advice simAsk
}

func newSim(a *app) *cobra.Command {
	s := &simCommand{a: a}
	cmd := &cobra.Command{
		Use:   "sim SCENARIO | --preset NAME | --size SIZE --hosts N",
		Short: "Run the same peers in virtual time and show how they do",
		Long: `Run a scenario: the peers, tracker and announce client of the other commands on a
virtual network in virtual time. The same scenario and --rng-seed give the same run,
event by event, on every machine.

SCENARIO is a Starlark script; --list shows those that come with the program, and
"starling sim --preset NAME --list" the parameters of one. Every run checks the
invariants of the code; a broken one is printed with the command that replays it.

With --size and --hosts instead of a scenario it recommends a piece size, a number of
neighbours and a choke policy, from runs that it makes.`,
		Args: args(0, 1, "SCENARIO"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				s.file = args[0]
			}
			return s.run(cmd)
		},
	}
	fs := cmd.Flags()
	fs.StringVar(&s.preset, "preset", "", "the scenario `NAME` that comes with the program")
	fs.BoolVar(&s.list, "list", false, "list the presets, or the parameters of a scenario, and run nothing")
	fs.Uint64Var(&s.rngSeed, "rng-seed", 1, "the seed `N` of all that is random")
	fs.IntVar(&s.seeds, "rng-seeds", 1, "run `N` seeds, from --rng-seed on, and print those that break an invariant")
	fs.StringArrayVar(&s.set, "set", nil, "set a parameter of the scenario, `NAME=VALUE` (repeatable)")
	fs.StringVar(&s.out, "out", "", "write CSV, JSON and an HTML page to `DIR`")
	fs.StringVar(&s.network, "network", "sim", "sim, or tcp: a small scenario on the loopback interface, in real time")
	fs.StringArrayVar(&s.compare, "compare", nil, "run side by side, `DIM=A,B`: picker, policy, piece, peers, slots, seeds, rng-seed or a parameter (repeatable)")
	s.advice.flags(fs)
	// The only error is that there is no such flag.
	_ = cmd.RegisterFlagCompletionFunc("preset", func(*cobra.Command, []string, string) (names []string, _ cobra.ShellCompDirective) {
		for _, p := range scenario.Presets() {
			names = append(names, cobra.CompletionWithDesc(p.Name, p.About))
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	})
	return cmd
}

// run does what the flags ask for.
func (s *simCommand) run(cmd *cobra.Command) error {
	if err := s.check(cmd); err != nil {
		return err
	}
	ctx := cmd.Context()
	if s.advice.wanted(cmd) {
		return s.advise(ctx)
	}
	if s.list && s.file == "" && s.preset == "" {
		return s.listPresets()
	}
	if err := s.read(); err != nil {
		return err
	}
	switch {
	case s.list:
		return s.listParams()
	case s.seeds > 1:
		return s.many(ctx)
	case len(s.compare) > 0:
		return s.sideBySide(ctx)
	}
	return s.single(ctx)
}

// check refuses what does not go together.
func (s *simCommand) check(cmd *cobra.Command) error {
	bad := func(format string, args ...any) error { return usage(cmd.CommandPath(), format, args...) }
	advice := s.advice.wanted(cmd)
	logs := s.a.cfg.MessageLog != "" || s.a.cfg.Monitor != ""
	switch {
	case s.file != "" && s.preset != "":
		return bad("a SCENARIO and --preset exclude each other")
	case advice && (s.file != "" || s.preset != ""):
		return bad("--size, --hosts, --up, --down and --seed-up are for advice without a scenario; parameters of one are given by --set")
	case advice && (s.list || s.out != "" || len(s.compare)+len(s.set) > 0 || s.seeds != 1 || s.network != "sim" || logs):
		return bad("advice takes --size, --hosts, --up, --down, --seed-up and --rng-seed only")
	case !advice && !s.list && s.file == "" && s.preset == "":
		return bad("missing argument: SCENARIO, --preset NAME, or --size and --hosts")
	case s.network != "sim" && s.network != "tcp":
		return bad("--network %q is not one of sim, tcp", s.network)
	case s.seeds < 1:
		return bad("--rng-seeds %d is less than 1", s.seeds)
	case s.seeds > 1 && (s.out != "" || len(s.compare) > 0 || s.network == "tcp" || logs):
		return bad("--rng-seeds does not go with --out, --compare, --network tcp, --message-log or --monitor: each is about single runs")
	case len(s.compare) > 0 && (s.network == "tcp" || logs):
		return bad("--compare does not go with --network tcp, --message-log or --monitor")
	case s.a.cfg.MetricsListen != "":
		return bad("a simulation serves no metrics; leave --metrics-listen out")
	}
	return nil
}

// name is what the run is called.
func (s *simCommand) name() string {
	if s.preset != "" {
		return s.preset
	}
	return s.file
}

// read reads the script.
func (s *simCommand) read() (err error) {
	if s.preset != "" {
		if s.src, err = scenario.Preset(s.preset); err != nil {
			return fail("sim", err).withCode(exitUsage).withHint("starling sim --list")
		}
		return nil
	}
	f, err := os.Open(s.file)
	if err != nil {
		return fail("sim "+s.file, bare(err))
	}
	defer f.Close()
	// A byte more than a script may have tells one that is too long.
	if s.src, err = readUpTo(f, scenario.MaxSource+1); err != nil {
		return fail("sim "+s.file, bare(err))
	}
	return nil
}

// load runs the script with an rng seed and parameters besides those of --set.
func (s *simCommand) load(rngSeed uint64, more ...string) (*scenario.Scenario, error) {
	o := scenario.Options{RNGSeed: rngSeed, Set: map[string]string{}}
	for _, kv := range append(s.set[:len(s.set):len(s.set)], more...) {
		name, value, ok := strings.Cut(kv, "=")
		if !ok || name == "" {
			return nil, usage("starling sim", "--set %q is not NAME=VALUE", kv)
		}
		o.Set[name] = value
	}
	if s.seeds == 1 && len(s.compare) == 0 {
		o.Print = func(line string) { s.a.rep.Say("%s", line) }
	}
	sc, err := scenario.Load(s.name(), s.src, o)
	if err != nil {
		return nil, fail("sim", err).withCode(exitUsage)
	}
	return sc, nil
}

// replay is the command that makes one run again.
func (s *simCommand) replay(rngSeed uint64, more ...string) string {
	words := []string{"starling", "sim"}
	if s.preset != "" {
		words = append(words, "--preset", s.preset)
	} else {
		words = append(words, s.file)
	}
	words = append(words, "--rng-seed", fmt.Sprint(rngSeed))
	for _, kv := range s.set {
		words = append(words, "--set", kv)
	}
	if s.network != "sim" {
		words = append(words, "--network", s.network)
	}
	return shellWords(append(words, more...)...)
}

// presetDoc is a script that comes with the program, as JSON.
type presetDoc struct {
	Name  string `json:"name"`
	About string `json:"about"`
}

func (s *simCommand) listPresets() error {
	var (
		docs []presetDoc
		text strings.Builder
	)
	for _, p := range scenario.Presets() {
		docs = append(docs, presetDoc{p.Name, p.About})
		fmt.Fprintf(&text, "%s\n%s\n", p.Name, indented(p.About, 4, 80))
	}
	return s.a.result(docs, text.String())
}

// paramDoc is a parameter of a scenario, as JSON.
type paramDoc struct {
	Name    string `json:"name"`
	Default string `json:"default"`
	Help    string `json:"help"`
}

func (s *simCommand) listParams() error {
	sc, err := s.load(s.rngSeed)
	if err != nil {
		return err
	}
	docs := []paramDoc{}
	var text strings.Builder
	fmt.Fprintf(&text, "%s: %s of %s, %s\n", s.a.visible(sc.Name), plural(len(sc.Spec.Hosts), "host"),
		units.FormatExact(sc.Spec.Size), plural(sc.Expectations(), "expectation"))
	if sc.About != "" {
		text.WriteString(indented(report.Escape(sc.About), 4, 80) + "\n")
	}
	for _, p := range sc.Params {
		docs = append(docs, paramDoc{p.Name, p.Default, p.Help})
		fmt.Fprintf(&text, "--set %s=%s\n%s\n", report.Escape(p.Name), report.Escape(p.Default), indented(report.Escape(p.Help), 4, 80))
	}
	return s.a.result(docs, text.String())
}
