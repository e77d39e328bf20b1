package tracker

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"time"
)

// way is how a client reaches trackers: over one address family, or over that which
// the system chooses.
type way struct {
	get func(ctx context.Context, u *url.URL) (status int, body []byte, err error)
	web *web // nil where get is somebody else's,
	udp *udp // so too
}

func newWays(cfg *ClientConfig) []way {
	over := func(family string) way {
		w := way{web: newWeb(cfg, "tcp"+family), udp: newUDP(cfg, "ip"+family)}
		w.get = w.web.get
		return w
	}
	switch {
	case cfg.Get != nil:
		return []way{{get: cfg.Get}}
	case cfg.BothFamilies && !cfg.LocalAddr.IsValid():
		return []way{over("4"), over("6")}
	}
	return []way{over("")}
}

// errNoUDP is for a client whose requests somebody else carries.
var errNoUDP = errors.New("UDP trackers are not supported here")

// fetch gets a URL, of which it takes no more than maxReply bytes.
func (w *way) fetch(ctx context.Context, u *url.URL) (status int, body []byte, err error) {
	status, body, err = w.get(ctx, u)
	if err == nil && len(body) > maxReply {
		err = fmt.Errorf("reply: more than %d bytes", maxReply)
	}
	return status, body, err
}

// otherFamily is how long an answer over one family waits for that over the other.
const otherFamily = time.Second

// askEachWay announces to one tracker over each family at once. One answer is
// enough; the peers of both are put together.
func (c *Client) askEachWay(ctx context.Context, raw string, req *Request) (Response, error) {
	if len(c.ways) == 1 {
		return c.ask(ctx, &c.ways[0], raw, req)
	}
	type answer struct {
		Response
		err error
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	answers := make(chan answer, len(c.ways))
	for i := range c.ways {
		go func() {
			r, err := c.ask(ctx, &c.ways[i], raw, req)
			answers <- answer{r, err}
		}()
	}
	var sum answer
	for i := range c.ways {
		a := <-answers
		switch {
		case i == 0:
			sum = a
		case a.err == nil && sum.err == nil:
			sum.merge(&a.Response)
		case a.err == nil, sum.err != nil && isNoAddress(sum.err):
			sum = a
		}
		if sum.err == nil && i == 0 {
			defer time.AfterFunc(otherFamily, cancel).Stop()
		}
	}
	return sum.Response, sum.err
}

// merge adds the peers that another answer of the same tracker has.
func (r *Response) merge(other *Response) {
	list := peerList{seen: make(map[string]bool)}
	for _, p := range r.Peers {
		list.put(p)
	}
	for _, p := range other.Peers {
		list.put(p)
	}
	r.Peers = list.peers
}

// errNoFamily is that a host has no address of the family that is asked for.
var errNoFamily = errors.New("the host has no address that we can reach from ours")

// isNoAddress says whether a tracker has no address of one family, which is no
// fault.
func isNoAddress(err error) bool {
	var noAddr *net.AddrError
	var noName *net.DNSError
	return errors.Is(err, errNoFamily) || errors.As(err, &noAddr) || errors.As(err, &noName) && noName.IsNotFound
}

// ask announces to one tracker in one way.
func (c *Client) ask(ctx context.Context, w *way, raw string, req *Request) (Response, error) {
	target, err := parseTrackerURL(raw)
	if err != nil {
		return Response{}, err
	}
	c.mu.Lock()
	id, asked := c.ids[raw], c.asked[raw]
	c.mu.Unlock()
	extra := req.extra(asked)
	if target.Scheme == "udp" {
		if w.udp == nil {
			return Response{}, errNoUDP
		}
		return w.udp.announce(ctx, target, req, extra, c.cfg.Floor)
	}
	status, body, err := w.fetch(ctx, announceURL(target, req, extra, id))
	if err != nil {
		return Response{}, err
	}
	r, err := parseReply(body, c.cfg.Floor)
	if err = statusError(status, err); err != nil {
		return Response{}, err
	}
	return r, nil
}
