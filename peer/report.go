package peer

import (
	"cmp"
	"slices"
	"time"

	"starling/p2p"
)

// Report is how a torrent does, for a tracker that asks.
type Report struct {
	State State
	Why   Why
	// Size and Done are bytes wanted and, of these, verified; all only once they
	// are published. Down and Up are payload in bytes a second.
	Size, Done, Down, Up int64
	LeftS                int64 // seconds until all is there; -1 is unknown
	From                 []Feed
	// Have is how much we have of each 64th of the pieces, in 255ths, rounded down.
	Have [haveParts]byte
}

// Feed is a remote that gives us bytes, Rate a second.
type Feed struct {
	Addr string // "host:port"
	Web  bool   // it is a web seed
	Rate int64
}

const (
	haveParts = 64
	maxFeeds  = 8
	// reportRetry is how long a report waits at least after one that failed.
	reportRetry = 30 * time.Second
)

// reporter is when a tracker is told how we do, and what was seen since.
type reporter struct {
	timer *p2p.Timer
	every time.Duration // 0: nobody asks
	seen  []moment      // the last seconds, oldest first; at most seenSeconds
	total uint64        // payload received, as of the last of them
}

// asked takes what a tracker's answer says of reports.
func (p *reporter) asked(e *Engine, every time.Duration, now time.Time) {
	before := p.every
	if p.every = every; every <= 0 {
		p.timer.Stop()
		p.seen = p.seen[:0]
		return
	}
	if before == 0 {
		p.total = e.stats.ReceivedPayload
	}
	p.timer.Set(now.Add(e.jitter(every)))
}

// reportNow tells the tracker how we do between two announces, with one that asks for
// no peers. If an announce is under way it brings a report itself.
func (e *Engine) reportNow() {
	a := &e.announce
	switch {
	case a.running || e.stopping || e.report.every == 0:
		return
	case a.next != EventNone:
		e.announceNow() // an event waits, and brings a report
		return
	case !e.finished && e.pick.Left() == 0:
		// Who says that nothing is left before it says that it has completed is
		// not counted by trackers.
		e.report.timer.Set(e.now().Add(tickEvery))
		return
	}
	a.running = true
	in := e.announceOf(EventNone)
	in.NumWant = 0
	e.node.Host().Run(&announceJob{announcer: e.cfg.Announcer, in: in, report: true})
}

// reported takes the answer to a report. It moves no announce.
func (e *Engine) reported(j *announceJob, now time.Time) {
	if j.err != nil {
		e.obs.Announced("error")
		e.report.timer.Set(now.Add(e.jitter(max(reportRetry, e.report.every))))
	} else {
		e.obs.Announced("ok")
		e.report.asked(e, j.out.ReportIn, now)
	}
	if e.announce.again {
		e.announceNow()
	}
}

// reportOf is how we do now; nil if nobody asks.
func (e *Engine) reportOf() *Report {
	if e.report.every == 0 {
		return nil
	}
	now := e.now()
	r := &Report{
		State: e.state(now), Why: e.report.why(), Size: e.stats.BytesTotal, Done: e.stats.BytesTotal - e.pick.Left(),
		Down: int64(e.inRate.Value(now)), Up: int64(e.outRate.Value(now)), LeftS: -1, From: e.feeds(now),
	}
	switch {
	case e.finished: // what the rates still say is of the seconds before
		r.Why, r.LeftS, r.Down, r.From = WhyNone, 0, 0, nil
	default:
		r.Done = max(0, min(r.Done, r.Size-1))
		if r.Down > 0 {
			r.LeftS = (r.Size - r.Done + r.Down - 1) / r.Down
		}
	}
	e.haveShares(&r.Have)
	return r
}

// haveShares fills in Report.Have.
func (e *Engine) haveShares(out *[haveParts]byte) {
	have, n := e.pick.Have(), e.geo.NumPieces()
	if have.All() {
		for k := range out {
			out[k] = 255
		}
		return
	}
	for k := range out {
		from := k * n / haveParts
		to, has := max(from+1, (k+1)*n/haveParts), 0
		for i := from; i < to; i++ {
			count(&has, have.Has(i))
		}
		out[k] = byte(255 * has / (to - from))
	}
}

// feeds are the remotes that give us most, fastest first.
func (e *Engine) feeds(now time.Time) []Feed {
	var all []Feed
	for _, r := range e.order {
		if rate := int64(r.in.rate.Value(now)); rate > 0 && r.phase == ready {
			all = append(all, Feed{Addr: r.addr, Web: r.web, Rate: rate})
		}
	}
	slices.SortStableFunc(all, func(a, b Feed) int { return cmp.Compare(b.Rate, a.Rate) })
	return all[:min(len(all), maxFeeds)]
}
