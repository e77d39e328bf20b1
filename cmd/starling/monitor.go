package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"starling/cmd/starling/internal/report"
	"starling/internal/units"
	"starling/p2p"
	"starling/p2p/monitor"
	"starling/p2p/tcp"
)

const (
	// maxForwarders bounds the connections of a monitor, one for each process
	// that forwards.
	maxForwarders = 8192
	// maxForwardersPerIP bounds those of one public address.
	maxForwardersPerIP = 256
	// maxSummary is how many senders the summary for people names.
	maxSummary = 20
)

// monitorOptions are the flags of `starling monitor`.
type monitorOptions struct {
	listen string
	filter filterFlags
	count  bool
}

// filterFlags are those that choose messages.
type filterFlags struct{ types, peers []string }

func newMonitor(a *app) *cobra.Command {
	var o monitorOptions
	cmd := &cobra.Command{
		Use:   "monitor",
		Short: "Watch the messages of other starlings as they are sent",
		Long: `Listen for copies of messages and print them as JSON lines, as --message-log writes
them. Other commands forward theirs with --monitor HOST:PORT. Ctrl-C ends it; a
summary goes to stderr then, or with --json to stdout as the last line.

A message between two peers that both forward is printed twice, as sent ("dir":"send")
and as received ("recv").`,
		Args: args(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.monitor(cmd.Context(), &o) },
	}
	fs := cmd.Flags()
	fs.StringVar(&o.listen, "listen", ":6980", "listen at `HOST:PORT`; port 0 picks a free one")
	fs.BoolVar(&o.count, "count", false, "count only, print no messages")
	o.filter.add(cmd)
	cmd.AddCommand(newMonitorDiff(a))
	return cmd
}

// add defines the flags.
func (f *filterFlags) add(cmd *cobra.Command) {
	fs := cmd.Flags()
	fs.StringArrayVar(&f.types, "type", nil, "only messages of `TYPE`, like HAVE (repeatable)")
	fs.StringArrayVar(&f.peers, "peer", nil, "only messages from or to a peer with `TEXT` in its name (repeatable)")
}

// filter checks the flags.
func (f *filterFlags) filter(command string) (monitor.Filter, error) {
	out := monitor.Filter{Peers: f.peers}
	for _, s := range f.types {
		t, ok := monitor.ParseType(s)
		if !ok {
			return out, usage(command, "--type %q is not four printable letters", s)
		}
		out.Types = append(out.Types, t)
	}
	return out, nil
}

// monitor serves until it is told to stop.
func (a *app) monitor(ctx context.Context, o *monitorOptions) error {
	filter, err := o.filter.filter("starling monitor")
	if err != nil {
		return err
	}
	if _, _, err := net.SplitHostPort(o.listen); err != nil {
		return usage("starling monitor", "--listen %q is not HOST:PORT", o.listen)
	}
	ln, err := net.Listen("tcp", o.listen)
	if err != nil {
		return fail("monitor", err).withCode(exitOther)
	}
	cfg := monitor.Config{Filter: filter}
	var out *messageLog
	if !o.count {
		out = newMessageLog(unclosed{a.stdout}, "stdout", a.log)
		cfg.Sink = out.copied
	}
	w := a.watchCopies(ln, cfg)
	a.ready(report.Event{Addresses: map[string]string{"monitor": ln.Addr().String()}})
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	go w.live(tick.C, a.service.Alive)
	select {
	case <-ctx.Done():
	case err = <-w.served:
	}
	stats := w.stop()
	out.close()
	if err != nil {
		return fail("monitor", err)
	}
	if err := a.tellCounts(&stats); err != nil {
		return fail("write the summary", err)
	}
	return stoppedDaemon(ctx, "monitor")
}

// countsDoc is the summary as a JSON line.
type countsDoc struct {
	V    int    `json:"v"`
	Type string `json:"type"`
	Time string `json:"time"`
	*monitor.Stats
}

// tellCounts prints the summary.
func (a *app) tellCounts(s *monitor.Stats) error {
	doc := countsDoc{1, "counts", a.now().UTC().Format("2006-01-02T15:04:05.000000Z"), s}
	if a.cfg.JSON {
		return a.writeJSON(doc)
	}
	switch a.rep.Mode() {
	case report.JSON:
		return json.NewEncoder(a.rep.Writer()).Encode(doc)
	case report.None:
		return nil
	}
	_, err := io.WriteString(a.rep.Writer(), summaryOf(s))
	return err
}

// unclosed is a stream that is not ours to close.
type unclosed struct{ io.Writer }

func (unclosed) Close() error { return nil }

// monitoring is a monitor on TCP.
type monitoring struct {
	host     *tcp.Host
	mon      *monitor.Monitor
	acceptor *tcp.Acceptor
	served   chan error
}

// watchCopies runs a monitor on a listener, which becomes its own.
func (a *app) watchCopies(ln net.Listener, cfg monitor.Config) *monitoring {
	w := &monitoring{served: make(chan error, 1)}
	w.host = tcp.NewHost(tcp.Config{Logger: a.log, MaxConns: maxForwarders})
	node := p2p.NewNode(w.host, p2p.Config{Addr: ln.Addr().String()})
	w.mon = monitor.New(node, cfg)
	limits := node.Limits()
	w.host.Start(node, limits)
	w.acceptor = tcp.NewAcceptor(ln, tcp.AcceptorConfig{
		Limits: limits, Logger: a.log, MaxPending: maxForwarders, MaxPerIP: maxForwardersPerIP,
		Route: func(*tcp.FirstMessage) *tcp.Host { return w.host },
	})
	go func() { w.served <- w.acceptor.Serve() }()
	return w
}

// live calls alive at each tick, once the loop that takes the copies has answered. It
// waits for as long as that takes, and ends with the host.
func (w *monitoring) live(tick <-chan time.Time, alive func()) {
	for {
		select {
		case <-w.host.Done():
			return
		case <-tick:
		}
		if w.host.Do(func() {}) != nil {
			return
		}
		alive()
	}
}

// stop ends it and returns what it has counted.
func (w *monitoring) stop() (s monitor.Stats) {
	w.acceptor.Close()
	_ = w.host.Do(func() { s = w.mon.Stats() })
	ctx, cancel := context.WithTimeout(context.Background(), farewell)
	defer cancel()
	_ = w.host.Stop(ctx) // it goes on to stop if time is over, and the process ends
	return s
}

// summaryOf is what was counted, for people.
func summaryOf(s *monitor.Stats) string {
	text := plural(int(s.Records), "message") + " of " + plural(s.Sources, "source")
	if s.Filtered > 0 {
		text += "; " + units.FormatCount(int64(s.Filtered)) + " more did not match"
	}
	if s.Lost > 0 {
		text += "; " + units.FormatCount(int64(s.Lost)) + " more were lost on the way here"
	}
	text += "\n" + tally("TYPE", s.ByType) + tally("SENDER", s.BySender[:min(len(s.BySender), maxSummary)])
	if more := len(s.BySender) - maxSummary; more > 0 {
		text += "and " + plural(more, "more sender") + "\n"
	}
	return text
}

// tally is a table of counts.
func tally(what string, rows []monitor.Named) string {
	if len(rows) == 0 {
		return ""
	}
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "SENT\tBYTES\tRECEIVED\tBYTES\t\n")
	names := []string{what}
	for _, r := range rows {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t\n", units.FormatCount(int64(r.Sent)), units.FormatBytes(int64(r.BytesSent)),
			units.FormatCount(int64(r.Received)), units.FormatBytes(int64(r.BytesReceived)))
		names = append(names, report.Escape(r.Name))
	}
	w.Flush()
	return zip(b.String(), names)
}
