package peer

import (
	"context"
	"time"

	"starling/p2p"
)

// Announce times. An interval comes from the tracker and is bounded by its
// client; these hold where there is none yet.
const (
	announceWait    = 30 * time.Second // for one announce, all trackers tried
	firstRetry      = time.Second      // of who has had no answer yet
	lastRetry       = time.Minute
	hungryRetry     = 5 * time.Minute // of who needs peers, at most
	defaultInterval = 30 * time.Minute
	hungry          = 8 // with fewer remotes and candidates we ask again soon
)

// announceState is when and why we next talk to the tracker.
type announceState struct {
	timer    *p2p.Timer
	next     AnnounceEvent
	running  bool
	again    bool // an event came up while one was running
	failures int
	tracker  string // who answered last
	failed   bool
	// What the last answer wished; 0: there was none, or it did not say.
	interval, minInterval time.Duration
}

// announceJob asks the tracker.
type announceJob struct {
	announcer Announcer
	in        Announce
	out       Announced
	err       error
	report    bool // it is not due, but for its Report
}

func (j *announceJob) Class() p2p.Class { return p2p.Network }

func (j *announceJob) Do(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, announceWait)
	defer cancel()
	j.out, j.err = j.announcer.Announce(ctx, j.in)
}

// announceEvent tells the tracker of an event at once.
func (e *Engine) announceEvent(ev AnnounceEvent) {
	if e.announce.next != EventStarted { // a tracker must hear of the start first
		e.announce.next = ev
	}
	e.announceNow()
}

// announceNow announces, unless an announce is under way: one at a time.
func (e *Engine) announceNow() {
	a := &e.announce
	if e.cfg.Announcer == nil || e.stopping {
		return
	}
	if a.running {
		a.again = true
		return
	}
	a.running, a.again = true, false
	a.timer.Stop()
	e.node.Host().Run(&announceJob{announcer: e.cfg.Announcer, in: e.announceOf(a.next)})
}

func (e *Engine) announceOf(ev AnnounceEvent) Announce {
	want := e.cfg.NumWant
	if ev == EventStopped || e.finished && len(e.remotes) > 0 {
		want = 0 // a seed is found by others
	}
	left := e.pick.Left()
	if missing := e.lacking(); left == 0 && missing > 0 {
		left = missing // no seed, though we want no more (BEP 21)
		if ev == EventNone {
			ev = EventPaused
		}
	}
	if left == 0 && !e.finished && e.stats.ReceivedPayload > 0 {
		left = 1 // it is not published yet, and `completed` is still to be said
	}
	return Announce{
		InfoHash: e.cfg.InfoHash, InfoHashV2: e.cfg.InfoHashV2, PeerID: e.cfg.PeerID, Port: e.cfg.ListenPort,
		Uploaded: int64(e.stats.SentPayload), Downloaded: int64(e.stats.ReceivedPayload),
		Left: left, Event: ev, NumWant: want, Report: e.reportOf(),
	}
}

// lacking is how many bytes of the torrent we do not have, wanted or not.
func (e *Engine) lacking() (n int64) {
	for i := range e.geo.NumPieces() {
		if !e.pick.Have().Has(i) {
			n += int64(e.geo.DataSize(i))
		}
	}
	return n
}

// switchedTracker drops the peers of the tracker before where the torrent is
// private: who belongs to it is for one tracker to say (BEP 27).
func (e *Engine) switchedTracker(url string) {
	before := e.announce.tracker
	e.announce.tracker = url
	if !e.cfg.Private || before == "" || before == url {
		return
	}
	for _, r := range e.order {
		if !r.web {
			e.fault(r, p2p.Violation(p2p.ReasonNotNeeded, "its tracker gave way to another"))
		}
	}
	e.cands.init()
}

// announced takes the tracker's answer and sets the next time.
func (e *Engine) announced(j *announceJob) {
	a := &e.announce
	a.running = false
	if e.stopping {
		return
	}
	now := e.now()
	if j.report {
		e.reported(j, now)
		return
	}
	if j.err != nil {
		e.announceFailed(j.err, now)
		return
	}
	e.obs.Announced("ok")
	e.report.asked(e, j.out.ReportIn, now)
	if a.failed || e.stats.TrackerErr != nil || j.in.Event == EventStarted {
		e.emit(TrackerOK, "", nil)
	}
	a.failed, a.failures, e.stats.TrackerErr = false, 0, nil
	if a.next == j.in.Event {
		a.next = EventNone
	}
	if j.in.Event == EventStarted && e.finished && e.stats.ReceivedPayload > 0 && e.lacking() == 0 {
		a.next, a.again = EventCompleted, true
	}
	e.stats.TrackerComplete, e.stats.TrackerIncomplete = j.out.Complete, j.out.Incomplete
	if j.out.ExternalIP.IsValid() {
		e.external = j.out.ExternalIP
	}
	e.switchedTracker(j.out.Tracker)
	for _, addr := range j.out.Peers {
		e.cands.addAs(addr, fromTracker, asFirst, now)
	}
	for _, addr := range j.out.PeersV2 {
		e.cands.addAs(addr, fromTracker, asSecond, now)
	}
	e.dialMore(now)
	if a.again {
		e.announceNow()
		return
	}
	a.interval, a.minInterval = j.out.Interval, j.out.MinInterval
	if a.interval <= 0 {
		a.interval = defaultInterval
	}
	wait := a.interval
	if e.hungry() && a.minInterval > 0 {
		wait = min(wait, a.minInterval)
	}
	a.timer.Set(now.Add(e.jitter(wait)))
}

// hungry says whether we need more peers than we have.
func (e *Engine) hungry() bool { return !e.finished && len(e.remotes) < hungry }

func (e *Engine) announceFailed(err error, now time.Time) {
	a := &e.announce
	e.obs.Announced("error")
	if !a.failed {
		e.emit(TrackerFailed, "", err)
	}
	a.failed = true
	e.stats.TrackerErr = err
	a.failures++
	a.timer.Set(now.Add(e.retryAnnounce()))
}

// retryAnnounce is how long to wait after a failure. Who has had an answer goes on as
// if this had been one: then a tracker that comes back is asked as often as ever, by a
// fleet of any size and however long it was away, and it is for two intervals that it
// remembers us. Retries that came sooner would meet at its return, all those of the
// time that it was away.
func (e *Engine) retryAnnounce() time.Duration {
	a := &e.announce
	switch {
	case a.interval == 0:
		wait := min(firstRetry<<min(a.failures-1, 16), lastRetry)
		return wait/2 + time.Duration(e.node.Host().Rand().Int64N(int64(wait/2)+1))
	case e.hungry():
		wait := min(a.interval, hungryRetry)
		if a.minInterval > 0 {
			wait = min(wait, a.minInterval)
		}
		return e.jitter(wait)
	}
	return e.jitter(a.interval)
}

// jitter spreads a wait by ±10 %, so that a fleet that was started together
// does not announce together for ever.
func (e *Engine) jitter(d time.Duration) time.Duration {
	return d*9/10 + time.Duration(e.node.Host().Rand().Int64N(int64(d/5)+1))
}

// Stop ends the torrent's dealings with others: no more connections, requests
// or announces. It returns the last announce, and whether the tracker knows of
// us at all.
func (e *Engine) Stop() (last Announce, known bool) {
	e.tellAll()
	e.stopping = true
	e.announce.timer.Stop()
	e.report.timer.Stop()
	if e.scrub.timer != nil {
		e.scrub.timer.Stop()
	}
	last = e.announceOf(EventStopped)
	for _, r := range e.order {
		e.fault(r, p2p.Violation(p2p.ReasonShutdown, "going away"))
	}
	e.settle()
	return last, e.cfg.Announcer != nil && e.announce.next != EventStarted
}

// SetLimits changes the rate limits, bytes a second, 0: none.
func (e *Engine) SetLimits(up, down int64) {
	e.up.rate, e.down.rate = up, down
	e.upPassed()
	e.downPassed()
}

// AddFound connects to addresses that were found under one of our infohashes.
func (e *Engine) AddFound(infoHash [20]byte, addrs []string) {
	for _, a := range addrs {
		e.cands.addAs(a, fromUser, e.nameOf(infoHash), e.now())
	}
	e.dialMore(e.now())
}

// AddPeers connects to more addresses.
func (e *Engine) AddPeers(addrs []string) {
	for _, a := range addrs {
		e.cands.add(a, fromUser, e.now())
	}
	e.dialMore(e.now())
}
