package tracker

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"sync"
	"time"

	"starling/tracker/swarm"
)

// Event is what a peer reports with an announce.
type Event = swarm.Event

// The events of an announce; Paused is a partial seed's (BEP 21).
const (
	EventNone      = swarm.None
	EventCompleted = swarm.Completed
	EventStarted   = swarm.Started
	EventStopped   = swarm.Stopped
	EventPaused    = swarm.Paused
)

// Request is one announce.
type Request struct {
	InfoHash, PeerID [20]byte
	Port             uint16
	// Uploaded and Downloaded are bytes since the started event. Left is the
	// bytes still wanted; a negative one is unknown, and goes out as one
	// block, because some trackers refuse an announce without.
	Uploaded, Downloaded, Left int64
	Event                      Event
	// NumWant is the number of peers wanted; negative leaves it to the tracker.
	NumWant int
	// Key tells a tracker that two addresses are the same peer (BEP 7).
	Key uint32
	// Extra is further parameters, such as x_metrics_port or x_node.
	Extra []Param
}

// Param is a parameter of an announce; both are percent-encoded on the way out.
type Param struct{ Name, Value string }

// Response is what a tracker answered.
type Response struct {
	// URL is the tracker that answered.
	URL string
	// Interval is how long to wait until the next announce, MinInterval how
	// long at least. Both are within the client's bounds.
	Interval, MinInterval time.Duration
	// Peers holds each address once. It may hold our own.
	Peers []Peer
	// Complete and Incomplete are the seeds and the others; -1 is unknown.
	Complete, Incomplete int
	Warning              string
	// ExternalIP is our address as the tracker sees it (BEP 24), if it told.
	ExternalIP netip.Addr

	trackerID string
}

// Peer is an address to try. Nothing of it is verified.
type Peer struct {
	// ID is set only if HasID is: compact replies have none.
	ID    [20]byte
	HasID bool
	// Addr is "host:port". The host may be a DNS name.
	Addr string
}

// RefusedError is a tracker's failure reason.
type RefusedError struct {
	Reason string
	// RetryIn is when the tracker wants to be asked again (BEP 31); 0 if it
	// did not say, and Never if never.
	RetryIn time.Duration
}

// Never is the RetryIn of a tracker that does not want to be asked again.
const Never = time.Duration(1<<63 - 1)

func (e *RefusedError) Error() string { return "tracker refused: " + strconv.Quote(e.Reason) }

// Bounds of what a tracker may do to a client.
const (
	maxReply    = 1 << 20 // bytes, after decompression
	maxInterval = time.Hour
	minInterval = 10 * time.Second
	// unsaidInterval is for a tracker that gives no usable interval.
	unsaidInterval = 5 * time.Minute
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
	// Get fetches a URL; nil is HTTP. An error is that there was no answer. The
	// client does not bound how long another Get takes, reads no clock beside
	// it, and takes no more than maxReply of the body.
	Get func(ctx context.Context, u *url.URL) (status int, body []byte, err error)
}

// Client announces one torrent to its trackers, over HTTP if nothing else is
// configured. It is safe for concurrent use, and starts nothing by itself.
type Client struct {
	cfg ClientConfig
	get func(ctx context.Context, u *url.URL) (status int, body []byte, err error)
	web *web // nil where get is somebody else's

	mu    sync.Mutex // a leaf
	tiers *Tiers
	ids   map[string]string // tracker id by URL, to be echoed
}

// NewClient returns a client. Close it after use.
func NewClient(cfg ClientConfig) *Client {
	if cfg.Floor <= 0 {
		cfg.Floor = minInterval
	}
	c := &Client{cfg: cfg, tiers: NewTiers(cfg.Tiers, cfg.Rng), ids: make(map[string]string)}
	if c.get = cfg.Get; c.get == nil {
		c.web = newWeb(&cfg)
		c.get = c.web.get
	}
	return c
}

// Close closes the connections that are kept for later announces.
func (c *Client) Close() {
	if c.web != nil {
		c.web.http.CloseIdleConnections()
	}
}

// ErrNoTracker says that there is nobody to announce to.
var ErrNoTracker = errors.New("the torrent has no tracker")

// Announce asks one tracker after the other until one answers, and prefers that
// one from then on. If none does, the error has each one's reason, each at most
// clientTimeout late; errors.As finds the first RefusedError in it.
func (c *Client) Announce(ctx context.Context, req Request) (Response, error) {
	c.mu.Lock()
	order := c.tiers.Order()
	c.mu.Unlock()
	if len(order) == 0 {
		return Response{}, ErrNoTracker
	}
	var failed error
	for _, u := range order {
		r, err := c.ask(ctx, u, &req)
		if err == nil {
			c.note(u, r.trackerID)
			r.URL = u
			return r, nil
		}
		failed = errors.Join(failed, fmt.Errorf("tracker %s: %w", redact(u), err))
		if ctx.Err() != nil {
			break
		}
	}
	return Response{}, failed
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

func (c *Client) note(u, id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tiers.Succeeded(u)
	if id != "" {
		c.ids[u] = id
	}
}

// ask announces to one tracker.
func (c *Client) ask(ctx context.Context, raw string, req *Request) (Response, error) {
	c.mu.Lock()
	id := c.ids[raw]
	c.mu.Unlock()
	target, err := announceURL(raw, req, id)
	if err != nil {
		return Response{}, err
	}
	status, body, err := c.get(ctx, target)
	switch {
	case err != nil:
		return Response{}, err
	case len(body) > maxReply:
		return Response{}, fmt.Errorf("reply: more than %d bytes", maxReply)
	}
	r, err := parseReply(body, c.cfg.Floor)
	var refused *RefusedError
	if status != http.StatusOK && !errors.As(err, &refused) {
		return Response{}, fmt.Errorf("HTTP status %d", status)
	}
	return r, err
}
