package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"starling/cmd/starling/internal/report"
	"starling/peer"
	"starling/piece"
)

const (
	// changeCheck is how often we look whether somebody changed what we seed.
	changeCheck = 10 * time.Second
	// changeWait is how long changed files are left alone before they are hashed, and
	// maxChangeWait what that grows to while they go on changing.
	changeWait    = 5 * time.Second
	maxChangeWait = 10 * time.Minute
)

var errChanged = errors.New("changed while it was being seeded")

// keeper watches the files of a member that seeds. When somebody else changes one,
// what we would send is not what the hashes promise: the member leaves the swarm, all of
// it is hashed again, and it comes back with what is right. It then fetches nothing:
// an edited file is its owner's.
//
// Only watch's goroutine calls it.
type keeper struct {
	s      *swarmPeer
	m      *member
	looked time.Time
	what   string // the file that has changed
	result chan rechecked
	cancel context.CancelFunc // not nil: a check is under way
}

// rechecked is what a check has found.
type rechecked struct {
	have []byte
	err  error
}

func newKeeper(s *swarmPeer, m *member) *keeper {
	return &keeper{s: s, m: m, looked: s.a.now()}
}

// look is to be called from time to time. over means that nothing is left to seed.
func (k *keeper) look() (over bool, err error) {
	if k.cancel != nil {
		select {
		case r := <-k.result:
			k.cancel()
			k.cancel = nil
			return k.comeBack(r)
		default:
			return false, nil
		}
	}
	now := k.s.a.now()
	if now.Sub(k.looked) < changeCheck {
		return false, nil
	}
	k.looked = now
	changed, file := k.m.store.Changed()
	if !changed {
		return false, nil
	}
	k.what = filepath.ToSlash(file)
	k.m.event("changed", k.what+": not served until all is checked")
	ctx, cancel := context.WithCancel(context.Background())
	k.cancel, k.result = cancel, make(chan rechecked, 1)
	k.m.checking.Store(true)
	k.s.a.metrics.Checking(1)
	go func(t *peer.Torrent, result chan<- rechecked) {
		have, err := k.check(ctx, t)
		result <- rechecked{have, err}
	}(k.m.torrent, k.result)
	return false, nil
}

// check leaves the swarm and hashes everything, when nobody has written for a while.
func (k *keeper) check(ctx context.Context, t *peer.Torrent) ([]byte, error) {
	bye, cancel := context.WithTimeout(ctx, farewell)
	err := t.Stop(bye)
	cancel()
	if err != nil {
		k.s.a.log.Warn("leaving the swarm", "err", err)
	}
	for wait := changeWait; ; wait = min(2*wait, maxChangeWait) {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(wait):
		}
		have, err := k.m.store.Check(ctx, nil)
		if err != nil {
			return nil, err
		}
		if changed, _ := k.m.store.Changed(); !changed {
			return have, nil
		}
	}
}

// comeBack joins the swarm again with what is right.
func (k *keeper) comeBack(r rechecked) (over bool, err error) {
	k.m.checking.Store(false)
	k.s.a.metrics.Checking(-1)
	what := "seed " + k.m.path()
	if r.err != nil {
		return true, fail(what, r.err)
	}
	have, err := piece.BitfieldFromBytes(r.have, k.m.meta.Info.NumPieces())
	if err != nil {
		return true, fail(what, err)
	}
	if have.None() {
		return true, fail(what, fmt.Errorf("%s: %w", k.what, errChanged)).
			withCode(exitIntegrity).withHint("starling verify REF %s", shellWords(k.m.dir))
	}
	j := k.m.joined
	j.have, j.webSeeds = have, nil
	before := k.m.torrent.Stats()
	k.m.sentBefore += int64(before.SentPayload)
	k.m.lacks = have.Len() - have.Count()
	if k.m.lacks > 0 {
		j.wanted, j.scrub.Mend, j.superSeed = have, false, false
	}
	if err := k.s.rejoin(k.m, j); err != nil {
		return true, fail(what, err)
	}
	k.m.event("rechecked", fmt.Sprintf("%d of %d pieces are right and served", have.Count(), have.Len()))
	k.looked = k.s.a.now()
	return false, nil
}

// stop ends a check that is under way.
func (k *keeper) stop() {
	if k.cancel != nil {
		k.cancel()
		<-k.result
		k.s.a.metrics.Checking(-1)
		k.cancel = nil
	}
}

// event says something of a member that the session does not know.
func (m *member) event(name, detail string) {
	m.a.rep.Event(report.Event{Name: name, Torrent: m.name, InfoHash: m.meta.WireHash().String(), Detail: detail})
}

// badAtEnd is the failure of a member that ends with content that is wrong on the
// disk; nil if none is.
func (m *member) badAtEnd(what string, last *peer.Stats) *failure {
	bad := max(last.BadPieces, 0) + m.lacks
	if bad == 0 {
		return nil
	}
	return fail(what, fmt.Errorf("%d of %d pieces are wrong on this host's disk", bad, m.meta.Info.NumPieces())).withCode(exitIntegrity).
		withHint("starling verify --repair REF %s; then starling leech REF -o %s --seed-forever", shellWords(m.dir), shellWords(m.dir))
}
