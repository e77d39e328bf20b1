package webseed

import (
	"context"
	"math"
	"slices"
	"time"

	"starling/p2p"
	"starling/peer/wire"
)

const (
	// ahead is how many bytes of suggestions that the torrent has not asked for a
	// lane has; less than a piece counts as one.
	ahead = 512 << 10
	// inHand is how many bytes all lanes together may be asked for before they
	// suggest no more: as much as the torrent asks of one remote at most.
	inHand = 4 << 20
)

// planUntil suggests pieces, and says something now and then, until ctx ends.
func (l *link) planUntil(ctx context.Context) {
	tick := time.NewTicker(l.g.times.tick)
	defer tick.Stop()
	l.hello()
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.wake:
			if !l.short() {
				continue
			}
		case <-tick.C:
			l.g.mu.Lock()
			l.dry = false
			l.g.mu.Unlock()
			l.wmu.Lock()
			quiet := time.Since(l.lastSent)
			l.wmu.Unlock()
			if quiet >= l.g.times.keepAlive {
				l.send(p2p.PING, nil)
			}
		}
		l.plan()
	}
}

// short says whether a plan may change anything before the next tick: a lane is
// short of suggestions, or waits for requests that may never come, because the torrent
// has got its pieces elsewhere.
func (l *link) short() bool {
	l.g.mu.Lock()
	defer l.g.mu.Unlock()
	switch {
	case !l.interested:
		return slices.ContainsFunc(l.lanes, func(ln *lane) bool { return len(ln.unasked) > 0 || ln.next < ln.end })
	case !l.unchoked || l.guiding && l.idle():
		return true
	}
	return slices.ContainsFunc(l.lanes, func(ln *lane) bool {
		return ln.needy() && !l.dry || ln.load() == 0 && len(ln.unasked) > 0
	})
}

// plan suggests what is to be asked for next, and unchokes a torrent that is
// interested. The suggestions come first: it would otherwise ask for just any
// pieces.
func (l *link) plan() {
	var pieces []int
	var freed, unchoke bool
	err := l.g.cfg.Look(func(sw Swarm) {
		l.g.mu.Lock()
		defer l.g.mu.Unlock()
		if !l.interested {
			l.forget()
			return
		}
		pieces = l.suggestions(sw)
		freed = len(pieces) == 0 && l.guiding && l.idle() && !l.s.whole.Load()
		unchoke = !l.unchoked && (len(pieces) > 0 || !l.s.whole.Load())
		l.unchoked = l.unchoked || unchoke
		l.guiding = (l.guiding || len(pieces) > 0) && !freed
	})
	if err != nil {
		return // the torrent has stopped, and will close the connection
	}
	if len(pieces) > 0 || freed {
		l.send(wire.SUGG, wire.AppendIndexes(nil, pieces))
	}
	if unchoke {
		l.send(wire.UNCH, nil)
	}
}

// suggestions are the next pieces, a lane's in turn. Called with mu held, on the
// torrent's loop.
func (l *link) suggestions(sw Swarm) []int {
	var pieces []int
	for more := true; more; {
		more = false
		for _, ln := range l.lanes {
			if i, ok := ln.suggest(sw); ok {
				pieces = append(pieces, i)
				more = true
			}
		}
	}
	return pieces[:min(len(pieces), wire.MaxIndexes)]
}

// suggest names a lane's next piece, if it is short of requests. Where its stretch
// is at its end, or what is left of it has come from peers, it begins another.
func (ln *lane) suggest(sw Swarm) (i int, ok bool) {
	ln.unasked = slices.DeleteFunc(ln.unasked, func(i int) bool { return !sw.Open(i) })
	if !ln.needy() {
		return 0, false
	}
	for range 2 {
		for ln.next < ln.end {
			i = ln.next
			ln.next++
			if sw.Rare(i, ln.most) {
				ln.unasked = append(ln.unasked, i)
				return i, true
			}
		}
		if !ln.begin(sw) {
			return 0, false
		}
	}
	return 0, false
}

// needy says whether a lane is to be suggested more. Called with mu held.
func (ln *lane) needy() bool {
	return !ln.retired && int64(len(ln.unasked))*ln.l.g.geo.PieceLength < ahead && ln.load() < inHand/len(ln.l.lanes)
}

// begin chooses a stretch. Where the server knows no ranges it is what comes next
// in the content, for one lane.
func (ln *lane) begin(sw Swarm) bool {
	l := ln.l
	if l.dry {
		return false
	}
	var first, n int
	if l.s.whole.Load() {
		if l.lanes[slices.IndexFunc(l.lanes, func(o *lane) bool { return !o.retired })] != ln {
			return false // there is one place in the file, and one lane for it
		}
		ln.most = math.MaxInt
		first, n = sw.After(ln.end, l.g.taken())
	} else {
		first, n, ln.most = sw.Stretch(l.g.taken())
	}
	if n > 0 {
		ln.past = append(ln.past[max(0, len(ln.past)+1-maxPast):], [2]int{ln.first, ln.end})
		ln.first, ln.next, ln.end = first, first, first+n
	}
	l.dry = n == 0
	return n > 0
}

// idle says whether nothing is suggested or under way. Called with mu held.
func (l *link) idle() bool {
	for _, ln := range l.lanes {
		if len(ln.unasked) > 0 || ln.load() > 0 {
			return false
		}
	}
	return true
}

// forget gives up suggestions that the torrent will not follow. Called with mu
// held.
func (l *link) forget() {
	for _, ln := range l.lanes {
		ln.unasked, ln.next = nil, ln.end
	}
}
