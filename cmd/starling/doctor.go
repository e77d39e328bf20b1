package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

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
	Time     string           `json:"time"`
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
		Long: `Look at the environment's STARLING_ variables, and at this host's clock, ports,
descriptor limit, download directory, network, processor and memory, and with --tracker at the way to the tracker. Each finding that
is not ok has its cure. Exit code 1: there is a problem.

Without --tracker the host is looked at as the tracker, too. The ports are those of
the configuration. It writes a file of at most 64 MiB to --data and removes it.`,
		Args: args(0, 0, ""), Annotations: map[string]string{ownFindings: "true"},
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
		o.Tracker, _ = url.Parse(trackerURL) // it has just been checked
	}
	for _, u := range config.Strangers(a.environ, "") {
		o.Unread = append(o.Unread, doctor.Variable{Name: u.Name, Like: u.Like})
	}
	found := doctor.Run(ctx, o)
	if s := stopped(ctx); s != nil {
		return &failure{code: s.code(), what: "doctor", err: s}
	}
	doc := doctorDoc{V: 1, Type: "doctor", Time: report.Time(a.now()), Findings: found}
	doc.Problems, doc.Warnings = doctor.Count(found, doctor.Problem), doctor.Count(found, doctor.Warning)
	doc.OK = doc.Problems == 0
	width := 0
	if report.IsTerminal(a.stdout) {
		width = report.Width(a.stdout)
	}
	if err := a.result(doc, doctorText(&doc, width)); err != nil {
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
	var ports []doctor.Port
	add := func(p doctor.Port) {
		same := func(q doctor.Port) bool { return q.Network == p.Network && q.Addr == p.Addr }
		if p.Addr != "" && p.Addr != "off" && !slices.ContainsFunc(ports, same) {
			ports = append(ports, p)
		}
	}
	add(doctor.Port{Network: "tcp", Addr: c.Seed.Listen, For: "a seed", Option: "seed --listen"})
	add(doctor.Port{Network: "tcp", Addr: c.Leech.Listen, For: "a leech", Option: "leech --listen"})
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

// foundLeast is how many columns a finding's text must have to stand in the third one.
const foundLeast = 40

// doctorText is the result for people: a line for each finding, and its cure below. On
// a terminal, width > 0, long texts go on in their column, or below the other two where
// that would be too narrow.
func doctorText(doc *doctorDoc, width int) string {
	check := len("CHECK")
	for _, f := range doc.Findings {
		check = max(check, utf8.RuneCountInString(report.Escape(f.Check)))
	}
	indent := check + len("  problem  ")
	narrow := width > 0 && width-indent < foundLeast
	if narrow {
		indent = 4
	}
	var b strings.Builder
	text := func(s string, first bool) {
		for _, line := range wrap(s, width-indent) {
			if !first {
				b.WriteString(strings.Repeat(" ", indent))
			}
			first = false
			b.WriteString(line + "\n")
		}
	}
	row := func(name, level, found string) {
		head := fmt.Sprintf("%-*s  %-7s  ", check, name, level)
		if narrow {
			head = strings.TrimRight(head, " ") + "\n"
		}
		b.WriteString(head)
		text(found, !narrow)
	}
	row("CHECK", "RESULT", "FOUND")
	for _, f := range doc.Findings {
		row(report.Escape(f.Check), string(f.Level), report.Escape(f.Found))
		if f.Cure != "" {
			text("cure: "+report.Escape(f.Cure), false)
		}
	}
	fmt.Fprintf(&b, "%s, %s\n", plural(doc.Problems, "problem"), plural(doc.Warnings, "warning"))
	return b.String()
}
