package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"starling/cmd/starling/internal/config"
	"starling/cmd/starling/internal/doctor"
	"starling/cmd/starling/internal/report"
)

// doctorPatience is how long doctor waits for a tracker's answer over each protocol.
const doctorPatience = 4 * time.Second

// doctorDoc is the result as JSON.
type doctorDoc struct {
	V        int              `json:"v"`
	Type     string           `json:"type"`
	OK       bool             `json:"ok"` // no problem was found
	Problems int              `json:"problems"`
	Warnings int              `json:"warnings"`
	Findings []doctor.Finding `json:"findings"`
}

func newDoctor(a *app) *cobra.Command {
	var trackerURL, data string
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Look for what would keep starling from working well on this host",
		Long: `Look at this host's clock, ports, descriptor limit, download directory, network,
processor and memory, and with --tracker at the way to the tracker. Each finding that
is not ok has its cure. Exit code 1: there is a problem.

Without --tracker the host is looked at as the tracker, too. The ports are those of
the configuration. It writes a file of at most 64 MiB to --data and removes it.`,
		Args: args(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.doctor(cmd.Context(), trackerURL, data) },
	}
	cmd.Flags().StringVar(&trackerURL, "tracker", "", "the announce `URL` of the tracker that this host is to use")
	cmd.Flags().StringVar(&data, "data", "", "the `DIR` that content is fetched to (default: that of leech)")
	return cmd
}

func (a *app) doctor(ctx context.Context, trackerURL, data string) error {
	o := doctor.Options{Data: data, Serves: trackerURL == "", Ports: a.doctorPorts(trackerURL == ""), Patience: doctorPatience}
	if data == "" {
		o.Data = a.cfg.Leech.Output
	}
	if trackerURL != "" {
		if err := config.CheckTrackerURL(trackerURL); err != nil {
			return usage("starling doctor", "--tracker: %w", err)
		}
		u, err := url.Parse(trackerURL)
		if err != nil {
			return usage("starling doctor", "--tracker: %w", err)
		}
		o.Tracker = u
	}
	found := doctor.Run(ctx, o)
	if s := stopped(ctx); s != nil {
		return &failure{code: s.code(), what: "doctor", err: s}
	}
	doc := doctorDoc{V: 1, Type: "doctor", Findings: found}
	doc.Problems, doc.Warnings = doctor.Count(found, doctor.Problem), doctor.Count(found, doctor.Warning)
	doc.OK = doc.Problems == 0
	if err := a.result(doc, doctorText(&doc)); err != nil {
		return err
	}
	if !doc.OK {
		// The result has said it all.
		return &failure{code: exitOther, what: "doctor", err: errors.New(plural(doc.Problems, "problem")), quiet: true}
	}
	return nil
}

// doctorPorts are the ports that the configuration would use on this host.
func (a *app) doctorPorts(serves bool) []doctor.Port {
	c := a.cfg
	ports := []doctor.Port{{Network: "tcp", Addr: c.Seed.Listen, For: "a seed", Option: "seed --listen"}}
	add := func(p doctor.Port) {
		if p.Addr != "" && p.Addr != "off" {
			ports = append(ports, p)
		}
	}
	add(doctor.Port{Network: "tcp", Addr: c.MetricsListen, For: "a peer's metrics", Option: "--metrics-listen"})
	if !serves {
		return ports
	}
	t := &c.Tracker
	udp := t.UDPListen
	if udp == "" {
		udp = t.Listen
	}
	add(doctor.Port{Network: "tcp", Addr: t.Listen, For: "the tracker", Option: "tracker --listen"})
	add(doctor.Port{Network: "udp", Addr: udp, For: "the tracker over UDP", Option: "tracker --udp-listen"})
	add(doctor.Port{Network: "tcp", Addr: t.AdminListen, For: "the tracker's metrics", Option: "tracker --admin-listen"})
	return ports
}

// doctorText is the result for people: a line for each finding, and its cure below.
func doctorText(doc *doctorDoc) string {
	width := len("CHECK")
	for _, f := range doc.Findings {
		width = max(width, len(f.Check))
	}
	var b strings.Builder
	line := func(check, level, text string) {
		fmt.Fprintf(&b, "%-*s  %-7s  %s\n", width, check, level, text)
	}
	line("CHECK", "RESULT", "FOUND")
	for _, f := range doc.Findings {
		line(report.Escape(f.Check), string(f.Level), report.Escape(f.Found))
		if f.Cure != "" {
			line("", "", "cure: "+report.Escape(f.Cure))
		}
	}
	fmt.Fprintf(&b, "%s, %s\n", plural(doc.Problems, "problem"), plural(doc.Warnings, "warning"))
	return b.String()
}
