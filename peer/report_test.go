package peer

import (
	"context"
	"errors"
	"slices"
	"syscall"
	"testing"
	"time"

	"starling/p2p"
	"starling/peer/wire"
	"starling/piece"
)

const reportPieces = 200

// asker is a tracker that wants reports every other second, while it is there.
type asker struct {
	said []Announce
	down bool
	next Announced
}

func (a *asker) Announce(_ context.Context, in Announce) (Announced, error) {
	if a.down {
		return Announced{}, errors.New("connection refused")
	}
	a.said = append(a.said, in)
	return a.next, nil
}

// reporting is a stage whose tracker asks for reports.
type reporting struct {
	*stage
	tracker *asker
}

func newReporting(t *testing.T, have func(int) bool, mod func(*EngineConfig)) *reporting {
	t.Helper()
	a := &asker{next: Announced{Interval: time.Minute, ReportIn: 2 * time.Second}}
	s := newStage(t, reportPieces, have, func(cfg *EngineConfig) {
		cfg.Announcer = a
		if mod != nil {
			mod(cfg)
		}
	})
	return &reporting{s, a}
}

// announces finishes the announces that wait, and leaves the disk's jobs.
func (r *reporting) announces() {
	var others []p2p.Job
	for r.h.Jobs() > 0 {
		j := r.h.PopJob(0)
		if an, ok := j.(*announceJob); ok {
			an.Do(context.Background())
			r.h.Return(an)
		} else {
			others = append(others, j)
		}
	}
	for _, j := range others {
		r.h.Run(j)
	}
}

// pass lets seconds pass, each of which begins with do.
func (r *reporting) pass(seconds int, do func()) {
	for range seconds {
		if do != nil {
			do()
		}
		r.h.Advance(time.Second)
		r.announces()
	}
}

// serve has sources answer one request each.
func (r *reporting) serve(cs ...p2p.ConnID) {
	r.t.Helper()
	for _, c := range cs {
		if len(r.remotes[c].requests) > 0 {
			r.pieceOf(c, r.remotes[c].requests[0].run)
		}
	}
}

// last is the last report.
func (r *reporting) last() *Report {
	r.t.Helper()
	if len(r.tracker.said) == 0 || r.tracker.said[len(r.tracker.said)-1].Report == nil {
		r.t.Fatalf("no report: %+v", r.tracker.said)
	}
	return r.tracker.said[len(r.tracker.said)-1].Report
}

// leecher meets one that has all but the first few pieces; it serves us or not.
func (r *reporting) leecher(id byte, serves bool) p2p.ConnID {
	r.t.Helper()
	c := r.greetFrom(id)
	have := piece.NewBitfield(reportPieces)
	for i := 3; i < reportPieces; i++ {
		have.Set(i)
	}
	r.h.Deliver(c, wire.BITF, string(have.Bytes()))
	if serves {
		r.h.Deliver(c, wire.UNCH, "")
	}
	return c
}

// staged is a download that something holds up.
type staged struct {
	have func(int) bool
	mod  func(*EngineConfig)
	play func(r *reporting)
	want Why
}

// stagedReasons has each reason at least once.
var stagedReasons = map[string]staged{
	"complete":     {have: all, play: func(r *reporting) { r.pass(4, nil) }, want: WhyNone},
	"nobody there": {play: func(r *reporting) { r.pass(4, nil) }, want: WhyPeers},
	"nobody has anything": {play: func(r *reporting) {
		r.meet(1, wire.HNON)
		r.pass(4, nil)
	}, want: WhyPeers},
	"a seed alone": {play: func(r *reporting) {
		c := r.seedThatServes(1)
		r.pass(6, func() { r.serve(c); r.finishJobs() })
	}, want: WhySeed},
	"a seed, and leechers who have next to nothing": {play: func(r *reporting) {
		r.meet(2, wire.HNON)
		c := r.seedThatServes(1)
		r.pass(6, func() { r.serve(c); r.finishJobs() })
	}, want: WhySeed},
	"leechers": {play: func(r *reporting) {
		a, b := r.leecher(1, true), r.leecher(2, true)
		r.pass(8, func() { r.serve(a, b); r.finishJobs() })
	}, want: WhyPeers},
	"leechers that serve others": {play: func(r *reporting) {
		r.leecher(1, false)
		r.pass(4, nil)
	}, want: WhyChoked},
	"a seed serves, and those who have most of it do not": {play: func(r *reporting) {
		r.leecher(1, false)
		c := r.seedThatServes(2)
		r.pass(6, func() { r.serve(c); r.finishJobs() })
	}, want: WhyChoked},
	"a slow disk": {play: func(r *reporting) {
		a, b := r.leecher(1, true), r.leecher(2, true)
		for range 100 { // the network gives all that is asked for
			r.serve(a, b)
		}
		r.pass(6, func() { r.serve(a, b) })
	}, want: WhyDisk},
	"a full disk": {play: func(r *reporting) {
		c := r.seedThatServes(1)
		r.mem.fail = syscall.ENOSPC
		r.pass(6, func() { r.serve(c); r.finishJobs() })
	}, want: WhyDisk},
	"our own limit": {
		mod: func(cfg *EngineConfig) { cfg.DownLimit = stagePiece / 2 },
		play: func(r *reporting) {
			a, b := r.leecher(1, true), r.leecher(2, true)
			r.pass(8, func() { r.serve(a, b); r.finishJobs() })
		}, want: WhyLimit},
	"our own limit, between two requests": {
		mod: func(cfg *EngineConfig) { cfg.DownLimit = 2*stagePiece + 2<<10 },
		play: func(r *reporting) {
			a, b := r.leecher(1, true), r.leecher(2, true)
			r.pass(40, func() { r.serve(a, b); r.finishJobs(); r.serve(a, b); r.finishJobs() })
		}, want: WhyLimit},
	"no tracker and nobody known": {play: func(r *reporting) {
		r.pass(2, nil)
		r.tracker.down = true
		r.pass(200, nil)
		r.tracker.down = false
		said := len(r.tracker.said)
		for len(r.tracker.said) == said {
			r.pass(1, nil)
		}
	}, want: WhyTracker},
	"as much from one as from four": {play: func(r *reporting) {
		var cs []p2p.ConnID
		for id := range byte(4) {
			cs = append(cs, r.leecher(1+id, true))
		}
		r.pass(5, func() { r.serve(cs[:2]...); r.finishJobs() })
		for _, c := range cs[1:] {
			r.h.Hangup(c, errors.New("gone"))
		}
		r.pass(4, func() {
			for before := r.stats.ReceivedPayload; r.stats.ReceivedPayload < before+2*stagePiece; r.finishJobs() {
				r.serve(cs[0])
			}
		})
		r.announceNow()
		r.announces()
	}, want: WhyLink},
}

// TestWhy stages every reason that a download may have for not being faster.
func TestWhy(t *testing.T) {
	for what, c := range stagedReasons {
		t.Run(what, func(t *testing.T) {
			have := c.have
			if have == nil {
				have = nothing
			}
			r := newReporting(t, have, c.mod)
			c.play(r)
			if got := r.last().Why; got != c.want {
				t.Errorf("%q, want %q; seen %+v", got, c.want, r.report.seen)
			}
			r.sound()
		})
	}
}

func TestLinkIsFull(t *testing.T) {
	moments := func(pairs ...int) (out []moment) {
		for i := 0; i < len(pairs); i += 2 {
			out = append(out, moment{sources: pairs[i], bytes: uint64(pairs[i+1])})
		}
		return out
	}
	for what, c := range map[string]struct {
		seen []moment
		want bool
	}{
		"too short":             {moments(1, 100, 4, 100), false},
		"more sources, no more": {moments(2, 100, 2, 104, 4, 103, 4, 110, 3, 101, 2, 100), true},
		"more sources, more":    {moments(2, 100, 2, 104, 4, 190, 4, 200, 3, 150, 2, 100), false},
		"always as many":        {moments(20, 100, 21, 104, 22, 100, 21, 100, 22, 101, 20, 100), false},
		"none":                  {moments(0, 0, 4, 0, 0, 0, 4, 0, 0, 0, 4, 0), false},
	} {
		if got := linkIsFull(c.seen); got != c.want {
			t.Errorf("%s: %v", what, got)
		}
	}
	for seeds, want := range map[int]Why{1: WhySeed, 2: WhyLink} {
		full := reporter{seen: moments(2, 100, 2, 104, 4, 103, 4, 110, 3, 101, 2, 100)}
		for i := range full.seen {
			full.seen[i].why, full.seen[i].seeds = WhySeed, seeds
		}
		if got := full.why(); got != want {
			t.Errorf("as much from few as from many, of whom %d have everything: %q, want %q", seeds, got, want)
		}
	}
	p := reporter{}
	if p.why() != WhyNone {
		t.Error("a reason before anything was seen")
	}
	for _, w := range []Why{WhyDisk, WhyPeers, WhyPeers, WhyDisk} {
		p.seen = append(p.seen, moment{why: w})
	}
	if got := p.why(); got != WhyDisk {
		t.Errorf("of two that are equal %q, want the later", got)
	}
}

// TestReports: a report is an announce that asks for no peers, comes when the tracker
// says, moves no announce, and ends when the tracker wants none.
func TestReports(t *testing.T) {
	r := newReporting(t, func(i int) bool { return i < 100 }, nil)
	if first := r.tracker.said[0]; first.Event != EventStarted || first.Report != nil {
		t.Errorf("the first announce: %+v", first)
	}
	c := r.leecher(1, true)
	addr := r.remotes[c].addr
	r.pass(21, func() { r.serve(c); r.finishJobs() })
	n := len(r.tracker.said)
	if n < 9 || n > 12 {
		t.Errorf("%d announces in 21 s, want one in 2", n)
	}
	for _, a := range r.tracker.said[1:] {
		if a.Event != EventNone || a.NumWant != 0 || a.Report == nil || a.Left == 0 {
			t.Fatalf("a report: %+v", a)
		}
	}
	last := r.last()
	if last.State != StateDownloading || last.Size != reportPieces*stagePiece || last.Done < 110*stagePiece || last.Down <= 0 ||
		last.LeftS != (last.Size-last.Done+last.Down-1)/last.Down {
		t.Errorf("%+v", last)
	}
	if len(last.From) != 1 || last.From[0].Addr != addr || last.From[0].Rate <= 0 {
		t.Errorf("from %+v, want %s", last.From, addr)
	}
	if last.Have[0] != 255 || last.Have[haveParts-1] > 255/2 {
		t.Errorf("have %v", last.Have)
	}
	r.pass(40, nil)
	regular := slices.IndexFunc(r.tracker.said, func(a Announce) bool { return a.NumWant > 0 && a.Event == EventNone })
	if regular < 0 {
		t.Error("reports have kept an announce from its time")
	}
	r.tracker.next.ReportIn = 0
	r.pass(3, nil)
	n = len(r.tracker.said)
	r.pass(30, nil)
	if len(r.tracker.said) != n || r.reportOf() != nil || len(r.report.seen) != 0 {
		t.Errorf("%d reports that nobody wants", len(r.tracker.said)-n)
	}
	r.sound()
}

// TestReportFails: a tracker that is gone is not asked for each report.
func TestReportFails(t *testing.T) {
	r := newReporting(t, nothing, nil)
	r.pass(4, nil)
	r.tracker.down = true
	r.pass(3, nil)
	r.tracker.down = false
	n := len(r.tracker.said)
	r.pass(20, nil)
	if got := len(r.tracker.said) - n; got != 0 {
		t.Errorf("%d reports within %v of one that failed", got, reportRetry)
	}
	r.pass(20, nil)
	if len(r.tracker.said) == n {
		t.Error("no report ever again")
	}
	r.sound()
}

// TestLastReports: who completes says so at once, with all of it only once it is
// published, and who leaves says how far it was.
func TestLastReports(t *testing.T) {
	r := newReporting(t, func(i int) bool { return i > 0 }, nil)
	r.pass(3, nil)
	c := r.seedThatServes(1)
	r.serve(c)
	for r.h.Jobs() > 0 && !r.complete {
		r.h.FinishJob(0)
	}
	if p := r.reportOf(); p.Done != p.Size-1 || p.Why == WhyNone && p.LeftS == 0 {
		t.Errorf("before it is published: %+v", p)
	}
	if got := r.heldBy(r.now()); got != WhyDisk {
		t.Errorf("it waits for %q", got)
	}
	said := len(r.tracker.said)
	r.pass(10, nil)
	if len(r.tracker.said) != said {
		t.Errorf("before completed it says %+v", r.tracker.said[said:])
	}
	r.tracker.down = true
	r.finishJobs()
	r.tracker.down = false
	for len(r.tracker.said) == said {
		r.pass(1, nil)
	}
	a := r.tracker.said[len(r.tracker.said)-1]
	if a.Event != EventCompleted || a.Report.Done != a.Report.Size || a.Report.State != StateSeeding || a.Report.Why != WhyNone || a.Report.Have[0] != 255 {
		t.Errorf("%+v %+v", a, a.Report)
	}
	if r.inRate.Value(r.now()) <= 0 || a.Report.Down != 0 || len(a.Report.From) != 0 {
		t.Errorf("it has all of it, and says that it gets %d from %v", a.Report.Down, a.Report.From)
	}
	last, known := r.Stop()
	if !known || last.Event != EventStopped || last.Report == nil || last.Report.Done != last.Report.Size {
		t.Errorf("the goodbye: %+v", last)
	}
}

// TestFeedsAreBounded: the fastest few are named.
func TestFeedsAreBounded(t *testing.T) {
	r := newReporting(t, nothing, nil)
	for id := range byte(maxFeeds + 3) {
		c := r.leecher(1+id, true)
		r.remotes[c].in.rate.Add(r.now(), 1000*(1+int(id)))
	}
	r.h.Advance(2 * time.Second)
	got := r.feeds(r.now())
	if len(got) != maxFeeds || !slices.IsSortedFunc(got, func(a, b Feed) int { return int(b.Rate - a.Rate) }) || got[0].Addr != "10.0.0.11:7011" {
		t.Errorf("%+v", got)
	}
}
