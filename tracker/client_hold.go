package tracker

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// hold is how long a tracker is not to be asked, and why.
type hold struct {
	until  time.Time
	never  bool
	err    error
	silent int // bursts in a row without an answer over UDP
}

// held returns why a tracker is not to be asked now, or nil.
func (c *Client) held(u string) error {
	if c.now == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	h := c.holds[u]
	if h == nil || h.err == nil {
		return nil
	}
	left := h.until.Sub(c.now())
	var refused *RefusedError
	switch {
	case h.never:
		return h.err
	case left <= 0:
		return nil
	case errors.As(h.err, &refused):
		return &RefusedError{Reason: refused.Reason, RetryIn: left}
	}
	return fmt.Errorf("%w; asked again in %v", h.err, left.Round(time.Second))
}

// heard notes how a tracker answered what was asked of it at a time: one that said
// when to come again (BEP 31) is asked then, one that is silent over UDP less and
// less.
func (c *Client) heard(u string, asked time.Time, err error) {
	if c.now == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	var refused *RefusedError
	switch {
	case errors.As(err, &refused) && refused.RetryIn > 0:
		h := &hold{err: err, never: refused.RetryIn == Never}
		if !h.never {
			h.until = c.now().Add(refused.RetryIn)
		}
		c.holds[u] = h
	case errors.Is(err, errSilent):
		h := c.holds[u]
		if h == nil || !errors.Is(h.err, errSilent) {
			h = &hold{err: errSilent}
			c.holds[u] = h
		}
		h.silent++
		h.until = asked.Add(quietAfter(h.silent))
	case errors.Is(err, context.Canceled): // nothing was learned
	default:
		delete(c.holds, u)
	}
}
