package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"starling/cmd/starling/internal/livefleet"
	"starling/cmd/starling/internal/report"
	"starling/p2p"
	"starling/sim/fleet"
	simreport "starling/sim/report"
	"starling/sim/scenario"
)

// single makes one run and shows it.
func (s *simCommand) single(ctx context.Context) error {
	sc, err := s.load(s.rngSeed)
	if err != nil {
		return err
	}
	r, err := s.execute(ctx, sc)
	if err != nil {
		return err
	}
	if s.out != "" {
		if err := simreport.WriteDir(s.out, r); err != nil {
			return fail("sim --out "+s.out, err)
		}
		s.a.rep.Say("written   %s", s.out)
	}
	outcomes := sc.Check(r)
	doc, err := s.document(r, outcomes)
	if err != nil {
		return fail("sim", err)
	}
	var text bytes.Buffer
	if err := simreport.Text(&text, r, report.Width(s.a.stdout)); err != nil {
		return fail("sim", err)
	}
	for _, o := range outcomes {
		fmt.Fprintln(&text, outcomeLine(s.name(), &o))
	}
	if err := s.a.result(doc, text.String()); err != nil {
		return err
	}
	return s.verdict(r, outcomes)
}

// execute runs a scenario on the network that was asked for.
func (s *simCommand) execute(ctx context.Context, sc *scenario.Scenario) (r *fleet.Result, err error) {
	show := s.progress(sc, 1)
	o := fleet.Options{Progress: func(x fleet.Sample) { show(x.Progress) }}
	var closeLog func() error
	if o.Tap, closeLog, err = s.tap(); err != nil {
		return nil, err
	}
	if s.network == "tcp" {
		r, err = livefleet.Run(ctx, &sc.Spec, livefleet.Options{Tap: o.Tap, Progress: o.Progress, Logger: s.a.log})
	} else {
		r, err = fleet.Run(ctx, &sc.Spec, o)
	}
	s.a.rep.Finish()
	if failed := closeLog(); err == nil && failed != nil {
		return nil, fail("message log "+s.a.cfg.MessageLog, bare(failed))
	}
	var refused *livefleet.RefusedError
	switch {
	case errors.As(err, &refused):
		return nil, fail("sim "+s.name(), err).withCode(exitUsage)
	case err != nil:
		return nil, interruptedOr(ctx, "sim "+s.name(), err)
	}
	return r, nil
}

// tap is what sees the messages of a run: the log of --message-log, which unlike
// that of real peers is complete, for virtual time waits for the disk; and the
// monitor of --monitor. closing ends the log.
func (s *simCommand) tap() (tap p2p.Tap, closing func() error, err error) {
	closing = func() error { return nil }
	if addr := s.a.cfg.Monitor; addr != "" {
		s.a.copies = openMonitorLink(addr, s.a.log)
		tap = s.a.copies.record
	}
	name := s.a.cfg.MessageLog
	if name == "" {
		return tap, closing, nil
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return nil, nil, fail("message log "+name, bare(err))
	}
	w := bufio.NewWriterSize(f, 256<<10)
	log, copies := p2p.NewTapLog(w), tap
	tap = func(r p2p.TapRecord) {
		log.Record(r)
		if copies != nil {
			copies(r)
		}
	}
	return tap, func() error { return errors.Join(log.Err(), w.Flush(), f.Close()) }, nil
}

// progress returns a function that shows how far runs of a scenario are, as the
// share of what all their leechers want.
func (s *simCommand) progress(sc *scenario.Scenario, runs int) func(share float64) {
	leechers := int64(0)
	for i := range sc.Spec.Hosts {
		if sc.Spec.Hosts[i].Role == fleet.Leecher {
			leechers++
		}
	}
	began, total := s.a.now(), leechers*sc.Spec.Size*int64(runs)
	return func(share float64) {
		st := report.Status{Name: s.name(), State: "simulating", BytesTotal: total, BytesDone: int64(share * float64(total))}
		if spent := s.a.now().Sub(began).Seconds(); spent > 0 {
			st.DownBPS = int64(float64(st.BytesDone) / spent)
		}
		if st.DownBPS > 0 {
			left := (total - st.BytesDone) / st.DownBPS
			st.ETA = &left
		}
		s.a.rep.Status(st, false)
	}
}

// verdict is nil if all is as it should be.
func (s *simCommand) verdict(r *fleet.Result, outcomes []scenario.Outcome) error {
	wrong := failed(outcomes)
	var err error
	switch broken := len(r.Violations); {
	case broken > 0:
		err = fmt.Errorf("%s at rng seed %d", brokenText(broken), r.RNGSeed)
	case wrong > 0:
		err = fmt.Errorf("%d of %s not met at rng seed %d", wrong, plural(len(outcomes), "expectation"), r.RNGSeed)
	default:
		return nil
	}
	return (&failure{code: exitOther, what: "sim " + s.name(), err: err}).withHint("%s", s.replay(r.RNGSeed))
}

func brokenText(n int) string {
	if n == 1 {
		return "1 invariant was broken"
	}
	return itoa(n) + " invariants were broken"
}

func failed(outcomes []scenario.Outcome) (n int) {
	for _, o := range outcomes {
		if !o.OK {
			n++
		}
	}
	return n
}

// outcomeLine says in one line whether an expectation was met.
func outcomeLine(name string, o *scenario.Outcome) string {
	switch {
	case o.OK:
		return "met       " + report.Escape(o.Text)
	case o.Err != nil:
		return "NOT MET   " + report.Escape(o.Text) + ": " + report.Escape(oneLine(o.Err))
	}
	line := fmt.Sprintf("NOT MET   %s (%s:%d)", o.Text, name, o.Line)
	if o.Seen != "" {
		line += ": " + o.Seen
	}
	return report.Escape(line)
}

// simDoc is a run as JSON: what was expected, and the result as in result.json,
// without what is long.
type simDoc struct {
	V            int          `json:"v"`
	Type         string       `json:"type"`
	OK           bool         `json:"ok"`
	Network      string       `json:"network"`
	Replay       string       `json:"replay"`
	Expectations []outcomeDoc `json:"expectations"`
	Result       rawJSON      `json:"result"`
}

// rawJSON is a document within a document.
type rawJSON = json.RawMessage

func resultJSON(r *fleet.Result) (rawJSON, error) {
	var b bytes.Buffer
	err := simreport.WriteJSON(&b, r)
	return bytes.TrimSpace(b.Bytes()), err
}

type outcomeDoc struct {
	Text string `json:"text"`
	Line int    `json:"line"`
	OK   bool   `json:"ok"`
	Seen string `json:"seen"`
	Err  string `json:"error,omitempty"`
}

func outcomeDocs(outcomes []scenario.Outcome) []outcomeDoc {
	docs := []outcomeDoc{}
	for _, o := range outcomes {
		d := outcomeDoc{Text: o.Text, Line: o.Line, OK: o.OK, Seen: o.Seen}
		if o.Err != nil {
			d.Err = oneLine(o.Err)
		}
		docs = append(docs, d)
	}
	return docs
}

func (s *simCommand) document(r *fleet.Result, outcomes []scenario.Outcome) (*simDoc, error) {
	result, err := resultJSON(r)
	if err != nil {
		return nil, err
	}
	return &simDoc{
		V: 1, Type: "sim", OK: len(r.Violations) == 0 && failed(outcomes) == 0, Network: s.network,
		Replay: s.replay(r.RNGSeed), Expectations: outcomeDocs(outcomes), Result: result,
	}, nil
}

// readUpTo reads at most n bytes.
func readUpTo(r io.Reader, n int64) ([]byte, error) { return io.ReadAll(io.LimitReader(r, n)) }

// indented breaks text into lines of at most width columns, each indented.
func indented(text string, by, width int) string {
	pad := strings.Repeat(" ", by)
	var b strings.Builder
	column := 0
	for _, word := range strings.Fields(text) {
		if column > 0 && column+1+len(word) > width {
			b.WriteByte('\n')
			column = 0
		}
		if column == 0 {
			b.WriteString(pad)
			column = by
		} else {
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += len(word)
	}
	return b.String()
}

// shortTime prints a virtual time so that it can be found in a log.
func shortTime(d time.Duration) string { return d.Round(time.Microsecond).String() }
