package main

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"starling/sim/fleet"
	simreport "starling/sim/report"
	"starling/sim/scenario"
)

// maxCompared bounds the runs of one comparison.
const maxCompared = 64

// choice is one value of one dimension.
type choice struct{ dim, value string }

// text is the choice as a table shows it; a number says of what.
func (c choice) text() string {
	if c.value == "" || c.value[0] >= '0' && c.value[0] <= '9' {
		return c.dim + "=" + c.value
	}
	return c.value
}

// variant is one run of a comparison.
type variant struct {
	label   string
	choices []choice
}

// compared is what came of a variant.
type compared struct {
	result *fleet.Result
	err    error
}

// sideBySide runs all combinations of the dimensions and shows them together.
func (s *simCommand) sideBySide(ctx context.Context) error {
	variants, err := combine(s.compare)
	if err != nil {
		return usage("starling sim", "%w", err)
	}
	specs := make([]*scenario.Scenario, len(variants))
	for i, v := range variants { // mistakes first: the runs may take long
		if specs[i], err = s.vary(v.choices); err != nil {
			return err
		}
	}
	progress := s.progress(specs[0], len(specs))
	var runs []simreport.Labelled
	bad := -1
	var badly compared
	err = inOrder(len(specs), func(i int) compared { return s.compareOne(ctx, specs[i]) }, func(i int, c compared) error {
		if c.err != nil {
			return c.err
		}
		runs = append(runs, simreport.Labelled{Label: variants[i].label, Result: c.result})
		if bad < 0 && len(c.result.Violations) > 0 {
			bad, badly = i, c
		}
		progress(float64(i+1) / float64(len(specs)))
		return nil
	})
	s.a.rep.Finish()
	if err != nil {
		return interruptedOr(ctx, "sim "+s.name(), err)
	}
	if s.out != "" {
		if err := simreport.WriteCompareDir(s.out, runs); err != nil {
			return fail("sim --out "+s.out, err)
		}
		s.a.rep.Say("written   %s", s.out)
	}
	if err := s.showCompared(variants, runs); err != nil {
		return err
	}
	if bad < 0 {
		return nil
	}
	err = fmt.Errorf("%s: %s", variants[bad].label, brokenText(len(badly.result.Violations)))
	return (&failure{code: exitOther, what: "sim " + s.name(), err: err}).withHint("%s", s.replayVariant(&variants[bad]))
}

// compareOne makes one run of a comparison. Expectations are not asked: they are
// about the scenario as it is, and a comparison changes it.
func (s *simCommand) compareOne(ctx context.Context, sc *scenario.Scenario) (c compared) {
	c.result, c.err = guarded(ctx, &sc.Spec)
	return c
}

// combine reads --compare flags and returns every combination of their values.
func combine(flags []string) ([]variant, error) {
	all := []variant{{}}
	var dims []string
	for _, f := range flags {
		dim, list, ok := strings.Cut(f, "=")
		if !ok || dim == "" || list == "" {
			return nil, fmt.Errorf("--compare %q is not DIM=A,B", f)
		}
		if slices.Contains(dims, dim) {
			return nil, fmt.Errorf("--compare %s is given twice", dim)
		}
		dims = append(dims, dim)
		var next []variant
		for _, v := range all {
			for value := range strings.SplitSeq(list, ",") {
				if len(next) == maxCompared {
					return nil, fmt.Errorf("--compare asks for more than %d runs", maxCompared)
				}
				c := choice{dim, value}
				label := strings.TrimSpace(v.label + " " + c.text())
				next = append(next, variant{label: label, choices: append(v.choices[:len(v.choices):len(v.choices)], c)})
			}
		}
		all = next
	}
	return all, nil
}

// vary loads the scenario with choices made: a parameter of the script, or else
// what every scenario has.
func (s *simCommand) vary(choices []choice) (*scenario.Scenario, error) {
	base, err := s.load(s.rngSeed)
	if err != nil {
		return nil, err
	}
	seed, set, rest := s.rngSeed, []string(nil), []choice(nil)
	for _, c := range choices {
		switch {
		case slices.ContainsFunc(base.Params, func(p scenario.Param) bool { return p.Name == c.dim }):
			set = append(set, c.dim+"="+c.value)
		case c.dim == "rng-seed":
			if seed, err = strconv.ParseUint(c.value, 10, 64); err != nil {
				return nil, usage("starling sim", "--compare rng-seed: %q is not a whole number", c.value)
			}
		case slices.Contains(scenario.Dimensions(), c.dim):
			rest = append(rest, c)
		default:
			return nil, usage("starling sim", "--compare %s: no such dimension; there are %s, rng-seed and the scenario's parameters%s",
				c.dim, strings.Join(scenario.Dimensions(), ", "), paramNames(base))
		}
	}
	sc, err := s.load(seed, set...)
	if err != nil {
		return nil, err
	}
	for _, c := range rest {
		if err := scenario.Vary(&sc.Spec, c.dim, c.value); err != nil {
			return nil, fail("sim --compare", err).withCode(exitUsage)
		}
	}
	return sc, nil
}

func paramNames(sc *scenario.Scenario) string {
	var names []string
	for _, p := range sc.Params {
		names = append(names, p.Name)
	}
	if len(names) == 0 {
		return " (it has none)"
	}
	return " (" + strings.Join(names, ", ") + ")"
}

// replayVariant is the command that makes the run of a variant again.
func (s *simCommand) replayVariant(v *variant) string {
	var more []string
	for _, c := range v.choices {
		more = append(more, "--compare", c.dim+"="+c.value)
	}
	return s.replay(s.rngSeed, more...)
}

// compareDoc is a comparison as JSON.
type compareDoc struct {
	V    int        `json:"v"`
	Type string     `json:"type"`
	Runs []namedDoc `json:"runs"`
}

type namedDoc struct {
	Label  string  `json:"label"`
	Replay string  `json:"replay"`
	Result rawJSON `json:"result"`
}

func (s *simCommand) showCompared(variants []variant, runs []simreport.Labelled) error {
	doc := compareDoc{V: 1, Type: "sim_compare", Runs: make([]namedDoc, len(runs))}
	for i, r := range runs {
		raw, err := resultJSON(r.Result)
		if err != nil {
			return fail("sim", err)
		}
		doc.Runs[i] = namedDoc{r.Label, s.replayVariant(&variants[i]), raw}
	}
	var text bytes.Buffer
	if err := simreport.CompareText(&text, runs); err != nil {
		return fail("sim", err)
	}
	return s.a.result(doc, text.String())
}
