package main

import (
	"context"
	"errors"
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

REF is a .torrent file, an http(s) URL of one, a magnet: link, an infohash, or the name
that the torrent has at the tracker. Without one, all swarms are listed.`,
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

// fleetDoc is a fleet's status as a JSON line; of its parts one is there.
type fleetDoc struct {
	V      int               `json:"v"`
	Type   string            `json:"type"`
	Time   string            `json:"time"`
	Swarms []fleet.SwarmInfo `json:"swarms,omitempty"`
	Status *fleet.Status     `json:"status,omitempty"`
	Hosts  []fleet.HostInfo  `json:"hosts,omitempty"`
}

func (a *app) status(ctx context.Context, ref string) error {
	c := &a.cfg.Status
	what := "status"
	if ref != "" {
		what += " " + ref
	}
	labels, err := config.Labels(c.Label)
	if err != nil {
		return usage("starling status", "%w", err)
	}
	v, err := openFleet(ctx, ref, c.Tracker)
	if err != nil {
		return err
	}
	for {
		doc, err := a.readFleet(ctx, v, ref, labels)
		if err == nil {
			err = a.result(doc, a.screen(c.Watch)+a.fleetText(doc))
		}
		switch {
		case stopped(ctx) != nil:
			return stoppedDaemon(ctx, what)
		case err != nil:
			return fleetFailure(what, err)
		case !c.Watch:
			return nil
		}
		select {
		case <-ctx.Done():
		case <-time.After(c.Interval):
		}
	}
}

// readFleet asks for what is to be shown.
func (a *app) readFleet(ctx context.Context, v *fleetView, ref string, labels []config.Label) (doc fleetDoc, err error) {
	doc = fleetDoc{V: 1, Type: "fleet", Time: report.Time(a.now())}
	if ref == "" {
		doc.Swarms, err = v.swarms(ctx)
		return doc, err
	}
	st, err := v.status(ctx, a.cfg.Status.By, labels)
	if err != nil {
		return doc, err
	}
	if st.By == fleet.ByHost { // each host has a line, with more than its group tells
		st.Groups = nil
		if doc.Hosts, err = v.hosts(ctx, labels); err != nil {
			return doc, err
		}
	}
	doc.Status = &st
	return doc, nil
}

// fleetFailure says why a tracker could not be asked.
func fleetFailure(what string, err error) error {
	var f *failure
	switch {
	case errors.As(err, &f):
		f.what = what
		return f
	case errors.Is(err, errNoSwarm):
		return fail(what, err).withCode(exitNotFound).withHint("starling status")
	}
	return fail(what, err)
}

// screen clears a terminal before the next of many readings.
func (a *app) screen(watch bool) string {
	if watch && report.IsTerminal(a.stdout) {
		return "\x1b[H\x1b[2J"
	}
	return ""
}
