package tracker

import (
	"errors"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"starling/tracker/swarm"
)

// Local is a tracker without a socket, a clock or a lock: what a Server answers to
// a query, for whoever brings the query and the time himself, such as a
// simulation. It is not safe for concurrent use.
type Local struct {
	cfg       Config
	rng       *rand.Rand
	store     *swarm.Store
	trackerID string
	sc        scratch
}

// NewLocal returns an empty tracker. Of cfg it uses Swarm and MaxPeers; it refuses
// what is not valid, and what needs files or registration. rng is its only source
// of chance.
func NewLocal(cfg Config, rng *rand.Rand) (*Local, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	switch {
	case cfg.TorrentsDir != "" || cfg.StatePath != "":
		return nil, errors.New("a local tracker keeps no files: it takes neither a torrents folder nor a snapshot")
	case !cfg.Swarm.Open:
		return nil, errors.New("a local tracker has no registry: it must be open")
	}
	l := &Local{cfg: cfg, rng: rng}
	l.Forget()
	return l, nil
}

// Forget is a restart without a snapshot: every swarm is gone.
func (l *Local) Forget() {
	l.store = swarm.New(l.cfg.Swarm)
	l.trackerID = newTrackerID(l.rng.Uint64())
}

// Get answers GET /announce with a raw query, as a Server does to a peer at from.
// now is the time since any beginning and never goes back. The body is the
// caller's to keep. A failure reason has status 200.
func (l *Local) Get(now time.Duration, from netip.Addr, rawQuery string) (status int, body []byte) {
	if status, body = tooLong("/announce?", rawQuery); body != nil {
		return status, body
	}
	l.store.Expire(now) // a Server's clock does it each second; nobody sees the difference
	_ = l.sc.announce(l, now, []byte(rawQuery), from.Unmap().WithZone(""), l.trackerID)
	return http.StatusOK, slices.Clone(l.sc.body)
}

// Scrape answers GET /scrape, likewise.
func (l *Local) Scrape(now time.Duration, rawQuery string) (status int, body []byte) {
	if status, body = tooLong("/scrape?", rawQuery); body != nil {
		return status, body
	}
	l.store.Expire(now)
	_ = l.sc.scrape(l, []byte(rawQuery), l.cfg.Swarm.MinInterval)
	return http.StatusOK, slices.Clone(l.sc.body)
}

// tooLong is the answer to a target that is longer than a tracker reads.
func tooLong(path, rawQuery string) (status int, body []byte) {
	if len(path)+len(rawQuery) > maxTarget {
		return http.StatusRequestURITooLong, []byte("the URL is too long\n")
	}
	return 0, nil
}

// Totals counts the swarms and peers known at the time of the last request.
func (l *Local) Totals() swarm.Totals { return l.store.Totals() }

// announce implements swarms.
func (l *Local) announce(now time.Duration, q *swarm.Request, r *swarm.Response) error {
	t := l.store.Totals()
	q.NoJoin = l.cfg.MaxPeers > 0 && t.Seeders+t.Leechers >= l.cfg.MaxPeers
	return l.store.Announce(l.rng, now, q, r)
}

// scrape implements swarms.
func (l *Local) scrape(h swarm.InfoHash) (swarm.Counts, bool) { return l.store.Scrape(h) }
