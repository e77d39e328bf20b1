package main

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"starling/cmd/starling/internal/report"
	"starling/sim/fleet"
	"starling/sim/scenario"
)

// maxSeeds bounds --rng-seeds.
const maxSeeds = 10_000_000

// What is kept of what went wrong: so many runs, and so many violations of each.
const (
	keptSeeds      = 10_000
	keptViolations = 10
)

// seedRun is what is kept of one run among many.
type seedRun struct {
	rngSeed    uint64
	violations []fleet.Violation // the first few
	broken     int
	outcomes   []scenario.Outcome // those that were not met
	err        error
}

func (r *seedRun) bad() bool { return r.broken > 0 || len(r.outcomes) > 0 }

// many runs one scenario with many rng seeds, as many at a time as there are
// processors, and reports those that went wrong in the order of the seeds.
func (s *simCommand) many(ctx context.Context) error {
	if s.seeds > maxSeeds {
		return usage("starling sim", "--rng-seeds %d is more than %d", s.seeds, maxSeeds)
	}
	first, err := s.load(s.rngSeed)
	if err != nil {
		return err // a mistake in the script is no finding
	}
	progress := s.progress(first, s.seeds)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	began := s.a.now()
	doc := seedsDoc{V: 1, Type: "sim_seeds", First: s.rngSeed, Seeds: []seedDoc{}}
	var text strings.Builder
	err = inOrder(s.seeds, func(i int) seedRun { return s.one(ctx, s.rngSeed+uint64(i)) }, func(i int, r seedRun) error {
		if r.err != nil {
			cancel()
			return r.err
		}
		doc.Runs++
		if r.bad() {
			s.note(&doc, &text, &r)
		}
		progress(float64(i+1) / float64(s.seeds))
		return nil
	})
	s.a.rep.Finish()
	s.a.rep.Say("took      %s", s.a.now().Sub(began).Round(10*time.Millisecond))
	if err != nil && !doc.bad() {
		return interruptedOr(ctx, "sim "+s.name(), err)
	}
	// What a run that was interrupted has found is worth telling too.
	if shown := s.showSeeds(&doc, text.String()); shown != nil || err == nil {
		return shown
	}
	return interruptedOr(ctx, "sim "+s.name(), err)
}

// showSeeds prints the result of many runs, and is the verdict if all were made.
func (s *simCommand) showSeeds(doc *seedsDoc, text string) error {
	last := s.rngSeed + uint64(doc.Runs) - 1
	text += fmt.Sprintf("%s, rng seeds %d to %d: %d broke an invariant, %d not as expected\n", plural(doc.Runs, "run"),
		s.rngSeed, last, doc.Broken, doc.Unexpected)
	if err := s.a.result(doc, text); err != nil {
		return err
	}
	if !doc.bad() || doc.Runs < s.seeds {
		return nil
	}
	err := fmt.Errorf("%d of %s went wrong", doc.Broken+doc.Unexpected, plural(doc.Runs, "run"))
	return (&failure{code: exitOther, what: "sim " + s.name(), err: err}).withHint("%s", doc.Seeds[0].Replay)
}

// one makes one run of many.
func (s *simCommand) one(ctx context.Context, rngSeed uint64) (out seedRun) {
	out.rngSeed = rngSeed
	sc, err := s.load(rngSeed)
	if err != nil {
		out.err = err
		return out
	}
	r, err := guarded(ctx, &sc.Spec)
	if err != nil {
		out.err = err
		return out
	}
	out.broken = len(r.Violations)
	out.violations = append(out.violations, r.Violations[:min(keptViolations, len(r.Violations))]...)
	for _, o := range sc.Check(r) {
		if !o.OK {
			out.outcomes = append(out.outcomes, o)
		}
	}
	return out
}

// guarded runs a Spec. A panic is a broken invariant like another: it must not
// hide the seed that it comes with.
func guarded(ctx context.Context, spec *fleet.Spec) (r *fleet.Result, err error) {
	defer func() {
		if p := recover(); p != nil {
			r = &fleet.Result{Name: spec.Name, RNGSeed: spec.RNGSeed, Violations: []fleet.Violation{{
				At: -1, Invariant: "panic", Detail: fmt.Sprint(p),
			}}}
		}
	}()
	return fleet.Run(ctx, spec, fleet.Options{})
}

// inOrder calls work for 0 to n-1, as many at a time as there are processors,
// and take with each result in order. An error of take ends it.
func inOrder[T any](n int, work func(i int) T, take func(i int, t T) error) error {
	type numbered struct {
		i int
		t T
	}
	var (
		next    atomic.Int64
		over    atomic.Bool
		workers sync.WaitGroup
		results = make(chan numbered)
		early   = map[int]T{} // results whose turn has not come
		turn    int
		err     error
	)
	for range min(n, runtime.GOMAXPROCS(0)) {
		workers.Go(func() {
			for i := int(next.Add(1)) - 1; i < n && !over.Load(); i = int(next.Add(1)) - 1 {
				results <- numbered{i, work(i)}
			}
		})
	}
	go func() { workers.Wait(); close(results) }()
	for r := range results {
		for early[r.i] = r.t; err == nil; turn++ {
			t, here := early[turn]
			if !here {
				break
			}
			delete(early, turn)
			if err = take(turn, t); err != nil {
				over.Store(true)
			}
		}
	}
	return err
}

// seedsDoc is many runs as JSON.
type seedsDoc struct {
	V          int       `json:"v"`
	Type       string    `json:"type"`
	Runs       int       `json:"runs"`
	First      uint64    `json:"first_rng_seed"`
	Broken     int       `json:"broken"`     // runs that broke an invariant
	Unexpected int       `json:"unexpected"` // runs that did not, and were not as expected
	Seeds      []seedDoc `json:"seeds"`      // both
}

type seedDoc struct {
	RNGSeed      uint64       `json:"rng_seed"`
	Violations   []string     `json:"violations"` // the first few
	Expectations []outcomeDoc `json:"expectations"`
	Replay       string       `json:"replay"`
}

func (d *seedsDoc) bad() bool { return d.Broken+d.Unexpected > 0 }

// note adds a run that went wrong to the result; of many more than anybody reads
// only the number.
func (s *simCommand) note(doc *seedsDoc, text *strings.Builder, r *seedRun) {
	d := seedDoc{RNGSeed: r.rngSeed, Violations: []string{}, Expectations: outcomeDocs(r.outcomes), Replay: s.replay(r.rngSeed)}
	for _, v := range r.violations {
		d.Violations = append(d.Violations, violationText(&v))
	}
	var what string
	if r.broken > 0 {
		doc.Broken++
		what = d.Violations[0]
		if r.broken > 1 {
			what += fmt.Sprintf(" (and %d more)", r.broken-1)
		}
	} else {
		doc.Unexpected++
		o := &r.outcomes[0]
		what = strings.TrimLeft(strings.TrimPrefix(outcomeLine(s.name(), o), "NOT MET"), " ")
		what = "not met: " + what
	}
	if len(doc.Seeds) == keptSeeds {
		return
	}
	doc.Seeds = append(doc.Seeds, d)
	fmt.Fprintf(text, "seed %d: %s; %s\n", r.rngSeed, report.Escape(what), d.Replay)
}

func violationText(v *fleet.Violation) string {
	text := v.Invariant
	if v.Host != "" {
		text += " " + v.Host
	}
	if v.At >= 0 {
		text += " at " + shortTime(v.At)
	}
	return text + ": " + v.Detail
}
