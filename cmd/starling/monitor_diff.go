package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"starling/cmd/starling/internal/report"
	"starling/internal/units"
	"starling/p2p/monitor"
)

// maxDifferencesShown is how many differences are printed for people.
const maxDifferencesShown = 20

// diffOptions are the flags of `starling monitor diff`.
type diffOptions struct {
	filter     filterFlags
	as         []string
	anyAddress bool
	noDigest   bool
}

func newMonitorDiff(a *app) *cobra.Command {
	var o diffOptions
	cmd := &cobra.Command{
		Use:   "diff A B",
		Short: "Say where two message logs differ",
		Long: `Compare two message logs, of --message-log or of a monitor, of real peers or
simulated ones. For each direction between two peers, as each of them logged it, the
messages must be the same in both: type, length and digest, in their order. Times and
the mixture of several peers' messages do not count.

Peers that go by other names in one log are brought together with --as OLD=NEW. An
address from which somebody dialed differs from run to run: with --any-address those
that no --as names are nobody in particular, and of their messages only the number of
each kind counts.`,
		Args: args(2, 2, "A B"),
		RunE: func(cmd *cobra.Command, files []string) error { return a.monitorDiff(cmd.Context(), files, &o) },
	}
	fs := cmd.Flags()
	fs.StringArrayVar(&o.as, "as", nil, "in either log, the name OLD stands for NEW: `OLD=NEW` (repeatable)")
	fs.BoolVar(&o.anyAddress, "any-address", false, "addresses are nobody in particular")
	fs.BoolVar(&o.noDigest, "no-digest", false, "messages of one type and length are the same")
	o.filter.add(cmd)
	return cmd
}

// options checks the flags.
func (o *diffOptions) options() (monitor.Options, error) {
	const command = "starling monitor diff"
	filter, err := o.filter.filter(command)
	if err != nil {
		return monitor.Options{}, err
	}
	as := map[string]string{}
	for _, s := range o.as {
		old, name, ok := strings.Cut(s, "=")
		if !ok || old == "" || name == "" {
			return monitor.Options{}, usage(command, "--as %q is not OLD=NEW", s)
		}
		as[old] = name
	}
	return monitor.Options{Filter: filter, AnyDigest: o.noDigest, Name: func(name string) string {
		if other, ok := as[name]; ok {
			return other
		}
		if _, _, err := net.SplitHostPort(name); err == nil && o.anyAddress {
			return ""
		}
		return name
	}}, nil
}

// diffDoc is the result as JSON.
type diffDoc struct {
	Equal       bool      `json:"equal"`
	A           sideDoc   `json:"a"`
	B           sideDoc   `json:"b"`
	ByType      []typeDoc `json:"by_type"`
	Sequences   int       `json:"sequences"`
	Different   int       `json:"different"`
	Differences []string  `json:"differences"`
}

type sideDoc struct {
	Records uint64 `json:"records"`
	Lost    uint64 `json:"lost"`
	CutOff  bool   `json:"cut_off"`
}

type typeDoc struct {
	Type string `json:"type"`
	A    uint64 `json:"a"`
	B    uint64 `json:"b"`
}

func (a *app) monitorDiff(ctx context.Context, names []string, o *diffOptions) error {
	opt, err := o.options()
	if err != nil {
		return err
	}
	var files [2]io.Reader
	for i, name := range names {
		f, err := os.Open(name)
		if err != nil {
			return fail("monitor diff "+name, bare(err))
		}
		defer f.Close()
		files[i] = untilDone{ctx, f}
	}
	d, err := monitor.Compare(files[0], files[1], opt)
	if err != nil {
		return interruptedOr(ctx, "monitor diff", fail("monitor diff", err).withCode(exitIntegrity))
	}
	doc := diffDoc{
		Equal: d.Equal(), A: side(&d.A), B: side(&d.B), ByType: []typeDoc{},
		Sequences: d.Pairs, Different: d.Different, Differences: []string{},
	}
	for _, t := range d.ByType {
		doc.ByType = append(doc.ByType, typeDoc{t.Type.String(), t.A, t.B})
	}
	for _, diff := range d.Differences {
		doc.Differences = append(doc.Differences, diff.String())
	}
	if err := a.result(doc, doc.text()); err != nil {
		return err
	}
	if !doc.Equal {
		return &failure{
			code: exitOther, what: "monitor diff",
			err: fmt.Errorf("the logs differ in %d of %s", d.Different, plural(d.Pairs, "sequence")),
		}
	}
	return nil
}

func side(s *monitor.Side) sideDoc {
	return sideDoc{Records: s.Records, Lost: s.Lost, CutOff: s.CutOff}
}

// text is the result for people.
func (d *diffDoc) text() string {
	var b strings.Builder
	for i, s := range []sideDoc{d.A, d.B} {
		fmt.Fprintf(&b, "%s: %s", []string{"A", "B"}[i], plural(int(s.Records), "message"))
		if s.Lost > 0 {
			fmt.Fprintf(&b, "; it says that it lacks %s", units.FormatCount(int64(s.Lost)))
		}
		if s.CutOff {
			b.WriteString("; its last line is cut off")
		}
		b.WriteString("\n")
	}
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "TYPE\tA\tB\t\n")
	for _, t := range d.ByType {
		fmt.Fprintf(w, "%s\t%s\t%s\t\n", t.Type, units.FormatCount(int64(t.A)), units.FormatCount(int64(t.B)))
	}
	w.Flush()
	for _, diff := range d.Differences[:min(len(d.Differences), maxDifferencesShown)] {
		fmt.Fprintf(&b, "%s\n", report.Escape(diff))
	}
	if more := d.Different - maxDifferencesShown; more > 0 {
		fmt.Fprintf(&b, "and %s\n", plural(more, "more difference"))
	}
	if d.Equal {
		fmt.Fprintf(&b, "the same in %s\n", plural(d.Sequences, "sequence"))
	}
	return b.String()
}

// untilDone reads until a context ends.
type untilDone struct {
	ctx context.Context
	r   io.Reader
}

func (u untilDone) Read(b []byte) (int, error) {
	if u.ctx.Err() != nil {
		return 0, context.Cause(u.ctx)
	}
	return u.r.Read(b)
}
