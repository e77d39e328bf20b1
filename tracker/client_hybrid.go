package tracker

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// otherHash is how long an answer under one infohash waits for that under the other.
const otherHash = 5 * time.Second

// askOfBoth announces to one tracker, under each infohash of the torrent. A tracker
// may refuse one of them, for it keeps a list, and know the other. One that could
// not be asked of the first is not asked of the second.
func (c *Client) askOfBoth(ctx context.Context, u string, req Request) (Response, error) {
	r, err := c.askOf(ctx, u, &req)
	var refused *RefusedError
	if req.InfoHashV2 == ([20]byte{}) || req.InfoHashV2 == req.InfoHash || err != nil && !errors.As(err, &refused) {
		return r, err
	}
	if err == nil && c.now != nil {
		limited, cancel := context.WithCancel(ctx)
		defer cancel()
		defer time.AfterFunc(otherHash, cancel).Stop()
		ctx = limited
	}
	req.InfoHash = req.InfoHashV2
	second, failed := c.askOf(ctx, u, &req)
	switch {
	case failed == nil && err == nil:
		r.add(&second)
	case failed == nil:
		r, err = second, nil
		r.Peers, r.PeersV2 = nil, second.Peers
	case err != nil:
		err = fmt.Errorf("%w; of the v2 infohash: %w", err, failed)
	}
	return r, err
}

// askOf announces one infohash to one tracker, unless that is to be left alone.
func (c *Client) askOf(ctx context.Context, u string, req *Request) (Response, error) {
	if err := c.held(u, req.InfoHash); err != nil {
		return Response{}, err
	}
	asked := time.Time{}
	if c.now != nil {
		asked = c.now()
	}
	r, err := c.askEachWay(ctx, u, req)
	c.heard(u, req.InfoHash, asked, err)
	return r, err
}

// add puts the answer under the v2 infohash beside the other.
func (r *Response) add(v2 *Response) {
	r.PeersV2 = v2.Peers
	r.Interval, r.MinInterval = max(r.Interval, v2.Interval), max(r.MinInterval, v2.MinInterval)
	r.Complete, r.Incomplete = max(r.Complete, v2.Complete), max(r.Incomplete, v2.Incomplete)
	if r.Warning == "" {
		r.Warning = v2.Warning
	}
	r.ReportIn = max(r.ReportIn, v2.ReportIn)
	if !r.ExternalIP.IsValid() {
		r.ExternalIP = v2.ExternalIP
	}
	if v2.trackerID != "" {
		r.trackerID = v2.trackerID
	}
}
