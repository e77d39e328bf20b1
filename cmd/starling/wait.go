package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"starling/cmd/starling/internal/config"
	"starling/cmd/starling/internal/report"
	"starling/tracker/fleet"
)

// trackerPatience is how long a tracker that has answered before may be out of reach:
// one that restarts must not end a wait.
const trackerPatience = 30 * time.Second

func newWait(a *app) *cobra.Command {
	def := config.Default().Wait
	cmd := &cobra.Command{
		Use:   "wait REF",
		Short: "Wait until enough hosts have all of it",
		Long: `Wait until so many hosts have all that they want: 95% of those that the tracker knows of,
of --expect N if more are to come, or a number of hosts. A host that completed and left
counts for a day; a swarm that nobody has joined yet has no hosts.

The exit code is 0 if it is so, 10 if it is not within --timeout, and 6 if the tracker is
out of reach: at the beginning, or for half a minute later on. REF is as in status.`,
		Args: args(1, 1, "REF"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.wait(cmd.Context(), args[0]) },
	}
	fs := cmd.Flags()
	fs.String("hosts", def.Hosts, "how many hosts must be done: `N` or N%")
	fs.Int("expect", def.Expect, "take percentages of `N` hosts, if the tracker does not know of more")
	fs.Duration("timeout", def.Timeout, "give up after so long (0: never)")
	fs.String("tracker", def.Tracker, trackerHelp)
	fs.StringArray("label", def.Label, labelHelp)
	fs.Duration("interval", def.Interval, "how often to ask")
	return cmd
}

// waiting is one run of wait.
type waiting struct {
	a      *app
	ref    string
	view   *fleetView // nil until REF is read
	quota  config.Quota
	labels []config.Label
	last   fleet.Status
	heard  time.Time // when the tracker answered last; zero: never
	away   bool      // it has not since, which was said
	shown  time.Time
	step   int
}

func (a *app) wait(ctx context.Context, ref string) error {
	c := &a.cfg.Wait
	quota, err := config.ParseQuota(c.Hosts)
	if err != nil {
		return usage("starling wait", "--hosts %w", err)
	}
	labels, err := config.Labels(c.Label)
	if err != nil {
		return usage("starling wait", "%w", err)
	}
	w := &waiting{a: a, ref: ref, quota: quota, labels: labels, step: -1}
	asking := ctx
	if c.Timeout > 0 {
		var cancel context.CancelFunc
		asking, cancel = context.WithTimeout(ctx, c.Timeout)
		defer cancel()
	}
	what := "wait " + ref
	for {
		met, err := w.look(asking)
		switch {
		case stopped(ctx) != nil:
			return stoppedDaemon(ctx, what)
		case met:
			return a.result(w.doc(), w.line()+"\n")
		case asking.Err() != nil && !w.heard.IsZero():
			return w.unmet()
		case asking.Err() != nil:
			return fail(what, fmt.Errorf("no answer within %s", c.Timeout)).withCode(exitUnreached).retryable()
		case err != nil:
			return fleetFailure(what, w.view, err)
		}
		select {
		case <-asking.Done():
		case <-time.After(c.Interval):
		}
	}
}

// look asks the tracker, and says whether enough hosts are done.
func (w *waiting) look(ctx context.Context) (met bool, err error) {
	if w.view == nil {
		if w.view, err = openFleet(ctx, w.ref, w.a.cfg.Wait.Tracker); err != nil {
			return false, err
		}
	}
	st, err := w.view.status(ctx, "", w.labels)
	now := w.a.now()
	switch {
	case ctx.Err() != nil:
		return false, err
	case err == nil:
		w.last = st
	case errors.Is(err, errNoSwarm):
		w.last = fleet.Status{V: 1, Groups: []fleet.Group{}, Labels: []string{}, Stragglers: []fleet.Straggler{}}
	case !w.heard.IsZero() && now.Sub(w.heard) < trackerPatience:
		if !w.away { // once, not each time
			w.away = true
			w.a.log.Warn("the tracker does not answer", "err", oneLine(err))
		}
		return false, nil
	default:
		return false, err
	}
	w.heard, w.away = now, false
	w.show(now)
	return w.quota.Met(w.last.Done, w.of()), nil
}

// of is how many hosts there are to be.
func (w *waiting) of() int { return max(w.last.Hosts, w.a.cfg.Wait.Expect) }

// line says how far it is.
func (w *waiting) line() string {
	share := 0.0
	if n := w.of(); n > 0 {
		share = float64(w.last.Done) / float64(n)
	}
	return fmt.Sprintf("%d of %s done (%s)", w.last.Done, plural(w.of(), "host"), percentText(share))
}

// show tells how far it is at the beginning, each 10 % and each 30 s.
func (w *waiting) show(now time.Time) {
	step := 0
	if n := w.of(); n > 0 {
		step = w.last.Done * 10 / n
	}
	if step == w.step && now.Sub(w.shown) < showEvery {
		return
	}
	w.step, w.shown = step, now
	if w.a.rep.Mode() == report.JSON {
		w.a.rep.Document(w.doc())
		return
	}
	line := w.line()
	if left := leftText(w.last.LeftS); left != "-" {
		line += ", " + left + " left"
	}
	w.a.rep.Say("waiting   %s  %s", report.Escape(orElse(w.last.Name, w.ref)), line)
}

const showEvery = 30 * time.Second

func (w *waiting) doc() fleetDoc {
	return fleetDoc{V: 1, Type: "fleet", Time: report.Time(w.a.now()), Status: &w.last}
}

// unmet says what is missing and who holds it up.
func (w *waiting) unmet() error {
	for _, s := range w.last.Stragglers[:min(len(w.last.Stragglers), shownStragglers)] {
		done := "?"
		if s.Done != nil {
			done = percentText(*s.Done)
		}
		w.a.rep.Say("straggler %s  %s  %s", report.Escape(s.Node), done, whyText(&s))
	}
	hint := "starling status " + shellWords(w.ref)
	if w.a.cfg.Wait.Tracker != "" {
		hint += w.view.trackerFlag()
	}
	return &failure{
		code: exitUnmet, what: "wait " + w.ref, retry: true, hint: hint,
		err: fmt.Errorf("%s, wanted %s", w.line(), w.a.cfg.Wait.Hosts),
	}
}
