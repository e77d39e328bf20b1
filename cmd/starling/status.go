package main

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"starling/cmd/starling/internal/config"
	"starling/cmd/starling/internal/report"
	"starling/tracker/fleet"
)

const (
	viewHelp    = "ask peers how they do, and show it (starling status, and a web page)"
	trackerHelp = "ask the tracker at `URL` (default: the torrent's, else " + config.LocalTracker + ")"
	labelHelp   = "only hosts with label `K=V` (repeatable)"
)

func newStatus(a *app) *cobra.Command {
	def := config.Default().Status
	cmd := &cobra.Command{
		Use:   "status [REF]",
		Short: "Show how far a fleet is, and what holds it up",
		Long: `Ask the tracker how far the hosts are: all together, or by rack, by any other label that
they were given with --node-label, or by host. Below the table are the stragglers: the
hosts that hold the others up, and why each is slow.

REF is a .torrent file, an http(s) URL of one, a magnet: link, an infohash, or a name: that
of the torrent's file at the tracker, or of the content. Without one, all swarms are listed.`,
		Args: args(0, 1, "REF"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.status(cmd.Context(), append(args, "")[0]) },
	}
	fs := cmd.Flags()
	fs.String("tracker", def.Tracker, trackerHelp)
	fs.String("by", def.By, "group the hosts by a `LABEL`, or by host")
	fs.StringArray("label", def.Label, labelHelp)
	fs.Bool("watch", def.Watch, "go on until stopped")
	fs.Duration("interval", def.Interval, "with --watch, how often to ask")
	return cmd
}

// fleetDoc is a fleet's status as a JSON line; of its parts one is there, or Status and
// Hosts.
type fleetDoc struct {
	V      int               `json:"v"`
	Type   string            `json:"type"`
	Time   string            `json:"time"`
	Swarms []fleet.SwarmInfo `json:"swarms,omitzero"`
	Status *fleet.Status     `json:"status,omitempty"`
	Hosts  []fleet.HostInfo  `json:"hosts,omitzero"`
}

// looking is one run of status.
type looking struct {
	a       *app
	view    *fleetView
	ref     string
	labels  []config.Label
	last    *fleetDoc // the last answer, nil before the first
	heard   time.Time // when that came
	trouble error     // why there is no newer one
	shown   bool      // people have seen a reading
}

func (a *app) status(ctx context.Context, ref string) error {
	c := &a.cfg.Status
	what := strings.TrimSpace("status " + ref)
	labels, err := config.Labels(c.Label)
	if err != nil {
		return usage("starling status", "%w", err)
	}
	l := &looking{a: a, ref: ref, labels: labels}
	for {
		err := l.look(ctx)
		switch {
		case stopped(ctx) != nil:
			return stoppedDaemon(ctx, what)
		case err != nil && (l.last == nil || !c.Watch):
			return fleetFailure(what, l.view, err)
		case err != nil && l.trouble == nil && !a.redraws(): // once, not each time
			a.log.Warn("the tracker does not answer", "err", oneLine(err))
		}
		if l.trouble = err; err == nil {
			l.heard = a.now()
		}
		if err == nil || a.redraws() {
			if err := a.result(l.last, l.text()); err != nil {
				return err
			}
		}
		if !c.Watch {
			return nil
		}
		select {
		case <-ctx.Done():
		case <-time.After(c.Interval):
		}
	}
}

// look asks for what is to be shown. Once that has been there, it stays until there is
// something newer.
func (l *looking) look(ctx context.Context) error {
	c := &l.a.cfg.Status
	if l.view == nil {
		v, err := openFleet(ctx, l.ref, c.Tracker)
		if err != nil {
			return err
		}
		l.view = v
	}
	doc := &fleetDoc{V: 1, Type: "fleet", Time: report.Time(l.a.now())}
	if l.ref == "" {
		all, err := l.view.swarms(ctx)
		if err != nil {
			return err
		}
		if doc.Swarms = all; l.last == nil && (c.By != "" || len(c.Label) > 0) {
			l.a.rep.Say("--by and --label are of one swarm: starling status REF")
		}
		l.last = doc
		return nil
	}
	st, err := l.view.status(ctx, c.By, l.labels)
	if err != nil {
		return err
	}
	if st.By == fleet.ByHost { // each host has a line, with more than its group tells
		st.Groups = []fleet.Group{}
		if doc.Hosts, err = l.view.hosts(ctx, l.labels); err != nil {
			return err
		}
	} else if l.last == nil && st.By != "" && st.Hosts > 0 && !slices.Contains(st.Labels, st.By) {
		l.a.rep.Say("no host has a label %q; there is: %s", st.By, report.Escape(strings.Join(append(st.Labels, fleet.ByHost), ", ")))
	}
	doc.Status, l.last = &st, doc
	return nil
}

// fleetFailure says why a tracker could not be asked. v is who was to be asked, nil if
// REF could not be read.
func fleetFailure(what string, v *fleetView, err error) error {
	verb, ref, _ := strings.Cut(what, " ")
	var f *failure
	var several *ambiguousError
	switch {
	case errors.As(err, &several):
		return fail(what, err).withCode(exitUsage).withHint("starling %s %s%s", verb, several.hashes[0], v.trackerFlag())
	case errors.Is(err, errNoSwarm):
		return fail(what, err).withCode(exitNotFound).withHint("starling status%s", v.trackerFlag())
	case errors.As(err, &f):
		if f.what = what; errors.Is(err, fs.ErrNotExist) { // the tracker may have a file of that name
			f.hint = "starling " + verb + " " + shellWords(strings.TrimSuffix(filepath.Base(ref), ".torrent"))
		}
		return f
	}
	return fail(what, err)
}
