package tracker

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"time"
)

// ClientConfig configures a Client.
type ClientConfig struct {
	// Tiers is the torrent's trackers (BEP 12).
	Tiers [][]string
	// Rng shuffles the tiers.
	Rng *rand.Rand
	// Floor is the shortest interval that a tracker may ask for; 0 is 10 s.
	// Where the tracker is ours, a second lets a young swarm find itself.
	Floor time.Duration
	// UserAgent is sent with each announce.
	UserAgent string
	// LocalAddr, if valid, is the address to announce from: a tracker takes
	// a peer's address from the socket, so who listens on one address of a
	// host must announce from that one (BEP 7).
	LocalAddr netip.Addr
	// BothFamilies announces over IPv4 and over IPv6 to a tracker that has
	// addresses of both, for who listens on both (BEP 7).
	BothFamilies bool
	// Get fetches a URL; nil is HTTP. An error is that there was no answer. The
	// client does not bound how long another Get takes, reads no clock beside
	// it, and takes no more than maxReply of the body.
	// With it, UDP trackers are not asked.
	Get func(ctx context.Context, u *url.URL) (status int, body []byte, err error)
}

// Client announces one torrent to its trackers, over HTTP and UDP if nothing else
// is configured. It is safe for concurrent use, and starts nothing by itself.
//
// A tracker that refuses and says when to come again (BEP 31) is not asked before,
// and one that is silent over UDP is left alone for longer each time, 4 min at most;
// the others of the torrent are asked meanwhile.
type Client struct {
	cfg  ClientConfig
	ways []way            // at least one
	now  func() time.Time // nil with a Get, and then nobody is left alone

	mu    sync.Mutex // a leaf
	tiers *Tiers
	ids   map[string]string // tracker id by URL, to be echoed
	asked map[string]bool   // trackers that want reports
	holds map[holdKey]*hold
}

// NewClient returns a client. Close it after use.
func NewClient(cfg ClientConfig) *Client {
	if cfg.Floor <= 0 {
		cfg.Floor = minInterval
	}
	c := &Client{
		cfg: cfg, tiers: NewTiers(cfg.Tiers, cfg.Rng), ids: make(map[string]string), asked: make(map[string]bool), holds: make(map[holdKey]*hold),
	}
	if c.ways = newWays(&cfg); cfg.Get == nil {
		c.now = time.Now
	}
	return c
}

// Close closes the connections that are kept for later announces.
func (c *Client) Close() {
	for i := range c.ways {
		if w := c.ways[i].web; w != nil {
			w.http.CloseIdleConnections()
		}
	}
}

// ErrNoTracker says that there is nobody to announce to.
var ErrNoTracker = errors.New("the torrent has no tracker")

// Announce asks one tracker after the other until one answers, and prefers that
// one from then on. A tracker is asked under both infohashes of a hybrid, and has
// answered if it has answered one. If none does, the error has each one's reason, each at most
// clientTimeout late; errors.As finds the first RefusedError in it.
func (c *Client) Announce(ctx context.Context, req Request) (Response, error) {
	var r Response
	u, err := c.inTurn(ctx, func(u string) (err error) {
		r, err = c.askOfBoth(ctx, u, req)
		return err
	})
	if err != nil {
		return Response{}, err
	}
	c.note(u, &r)
	r.URL = u
	return r, nil
}

// inTurn asks one tracker after the other, never two at a time (BEP 27 wants that
// of private torrents), until one answers, and returns which.
func (c *Client) inTurn(ctx context.Context, ask func(u string) error) (string, error) {
	c.mu.Lock()
	order := c.tiers.Order()
	c.mu.Unlock()
	if len(order) == 0 {
		return "", ErrNoTracker
	}
	var failed error
	for _, u := range order {
		err := ask(u)
		if err == nil {
			return u, nil
		}
		failed = errors.Join(failed, fmt.Errorf("tracker %s: %w", redact(u), err))
		if ctx.Err() != nil {
			break
		}
	}
	return "", failed
}

// redact is a tracker's URL without what may be a secret: a passkey often stands
// in its path or query.
func redact(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "with a bad URL"
	}
	return u.Scheme + "://" + u.Host
}

func (c *Client) note(u string, r *Response) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tiers.Succeeded(u)
	if r.trackerID != "" {
		c.ids[u] = r.trackerID
	}
	if r.ReportIn > 0 {
		c.asked[u] = true
	} else {
		delete(c.asked, u)
	}
}

// statusError is what is wrong with a reply of an HTTP status whose parsing gave
// err: a tracker's own reason comes before the status.
func statusError(status int, err error) error {
	var refused *RefusedError
	if status != http.StatusOK && !errors.As(err, &refused) {
		return fmt.Errorf("HTTP status %d", status)
	}
	return err
}
