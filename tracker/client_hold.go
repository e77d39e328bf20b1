package tracker

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// holdKey is what is not to be asked: a tracker of a torrent, or of anything. A
// hybrid torrent has two infohashes, and a tracker may refuse one of them.
type holdKey struct {
	url      string
	anything bool
	hash     [20]byte
}

// hold is how long that lasts, and why.
type hold struct {
	until  time.Time
	never  bool
	err    error
	silent int // bursts in a row without an answer over UDP
}

// held returns why a tracker is not to be asked of a torrent now, or nil.
func (c *Client) held(u string, hash [20]byte) error {
	if c.now == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	if h := c.holds[holdKey{url: u, anything: true}]; h != nil && now.Before(h.until) {
		return fmt.Errorf("%w; asked again in %v", h.err, h.until.Sub(now).Round(time.Second))
	}
	h := c.holds[holdKey{url: u, hash: hash}]
	var refused *RefusedError
	switch {
	case h == nil || !h.never && !now.Before(h.until):
		return nil
	case !h.never && errors.As(h.err, &refused):
		return &RefusedError{Reason: refused.Reason, RetryIn: h.until.Sub(now)}
	}
	return h.err
}

// heard notes how a tracker answered what was asked of it at a time: one that said
// when to come again (BEP 31) is asked then, one that is silent over UDP less and
// less.
func (c *Client) heard(u string, hash [20]byte, asked time.Time, err error) {
	if c.now == nil || errors.Is(err, context.Canceled) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	quiet := holdKey{url: u, anything: true}
	if errors.Is(err, errSilent) {
		h := c.holds[quiet]
		if h == nil {
			h = &hold{err: errSilent}
			c.holds[quiet] = h
		}
		h.silent++
		h.until = asked.Add(quietAfter(h.silent))
		return
	}
	delete(c.holds, quiet)
	delete(c.holds, holdKey{url: u, hash: hash})
	var refused *RefusedError
	if errors.As(err, &refused) && refused.RetryIn > 0 {
		h := &hold{err: err, never: refused.RetryIn == Never}
		if !h.never {
			h.until = c.now().Add(refused.RetryIn)
		}
		c.holds[holdKey{url: u, hash: hash}] = h
	}
}
