package webseed

import (
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"
	"net/http/httptrace"
	"net/url"
	"sync/atomic"
	"time"
)

var (
	errStopped   = errors.New("the torrent has stopped")
	errNotNeeded = errors.New("nothing is missing")
)

// maxLag bounds what is taken for a server's round trip.
const maxLag = 2 * time.Second

// seed is one URL.
type seed struct {
	g    *Group
	url  *url.URL
	name string
	// id is its peer id, the same for all its connections. Nobody else can know
	// it, and get the URL banned by sending corrupt pieces under it.
	id [20]byte
	// whole says that the server knows no ranges: a file comes from its
	// beginning or not at all.
	whole atomic.Bool
	// failures counts those since bytes last came.
	failures int
	lanes    int // how many connections the server bears; 0: it is to be seen
}

func newSeed(g *Group, u *url.URL, name string) *seed {
	s := &seed{g: g, url: u, name: name}
	sum := sha256.Sum256(append(g.salt[:], name...))
	copy(s.id[copy(s.id[:], "-WS0001-"):], sum[:])
	return s
}

// run uses the URL until it is dropped, and says why. It is errStopped where the
// torrent or ctx ended.
func (s *seed) run(ctx context.Context) error {
	for {
		wanting, err := s.g.wanting()
		if err != nil || ctx.Err() != nil {
			return errStopped
		}
		wait := s.g.times.look
		if wanting {
			err = s.once(ctx)
			var gone *useless
			switch {
			case ctx.Err() != nil:
				return errStopped
			case errors.As(err, &gone):
				return err
			case !errors.Is(err, errNotNeeded):
				wait = s.failed(err)
			}
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return errStopped
		}
	}
}

// failed counts a failure and says how long to leave the server alone.
func (s *seed) failed(err error) time.Duration {
	wait := min(s.g.times.backoff<<min(s.failures, 16), s.g.times.maxWait)
	s.failures++
	var later *busy
	if errors.As(err, &later) && later.after > 0 {
		wait = later.after
	}
	level := slog.LevelInfo
	if s.failures == 1 {
		level = slog.LevelWarn
	}
	s.g.cfg.Logger.Log(s.g.ctx, level, "web seed failed", "url", s.name, "error", err, "retry_in", wait)
	return wait
}

// once tries the server and is a peer until that ends; the error says why.
func (s *seed) once(ctx context.Context) error {
	lag, err := s.try(ctx)
	if err != nil {
		return err
	}
	if s.lanes == 0 {
		s.lanes = s.g.lanes
	}
	return s.connect(ctx, lag)
}

// try asks for one byte: whether the file is there, as long as it should be, and
// how long an answer takes.
func (s *seed) try(ctx context.Context) (lag time.Duration, err error) {
	file := firstFile(s.g.cfg.Info)
	if file < 0 {
		return 0, nil
	}
	begun := time.Now()
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		WroteRequest: func(httptrace.WroteRequestInfo) { begun = time.Now() },
	})
	st, err := s.open(ctx, file, 0, 1)
	if err != nil {
		return 0, err
	}
	lag = time.Since(begun)
	if st.end == 1 {
		var b [1]byte
		_, err = st.read(b[:])
	}
	st.close()
	return min(lag, maxLag), err
}
