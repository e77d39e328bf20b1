package tracker

import (
	"context"
	"net"
	"net/http"
	"time"
)

// lastCall is how long a listener that is about to close takes who is in its queue,
// and how long after that an idle connection may still bring a request.
const lastCall = 100 * time.Millisecond

// maxLastCalls is how often a listener is looked at again because its queue is not
// empty. The second time finds it empty, but where new ones cannot be kept out of it.
const maxLastCalls = 10

// leave takes the server out of use, from the outside in: it says that it is not
// ready and goes on answering for Config.Linger, each answer the last of its
// connection; takes who has connected, and no one else; and closes the listener.
// accepted is closed when nobody is accepted any more, failed has what ends a loop.
func (s *Server) leave(public *net.TCPListener, accepted <-chan struct{}, failed <-chan error) {
	s.ready.Store(false)
	if s.cfg.Linger > 0 {
		select {
		case <-time.After(s.cfg.Linger):
		case <-failed: // there is no more to wait for
		}
	}
	s.endStreams()
	if err := refuseNew(public); err != nil {
		s.log.Debug("connections that come now may be reset", "err", err)
	}
	_ = public.SetDeadline(time.Now().Add(lastCall))
	<-accepted
	public.Close()
}

// endStreams ends the answers that have no end.
func (s *Server) endStreams() {
	if s.events != nil {
		s.events.close()
	}
}

// stop ends what was accepted, in at most Config.Drain: requests under way are
// answered, and those that come within lastCall.
func (s *Server) stop(web, admin *http.Server) {
	s.mu.Lock()
	s.draining.Store(true)
	last := time.Now().Add(min(lastCall, s.cfg.Drain))
	for c := range s.conns {
		_ = c.SetReadDeadline(last) // wakes who waits for a request
	}
	s.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), s.cfg.Drain)
	defer cancel()
	// The fronts first: one of them may still hand a request over to web.
	fronts := make(chan struct{})
	go func() { s.fronts.Wait(); close(fronts) }()
	select {
	case <-fronts:
	case <-ctx.Done():
	}
	_ = web.Shutdown(ctx)
	if admin != nil {
		_ = admin.Shutdown(ctx)
		admin.Close()
	}
	web.Close()
	s.handed.Close()
	s.mu.Lock()
	left := make([]*conn, 0, len(s.conns))
	for c := range s.conns {
		left = append(left, c)
	}
	s.mu.Unlock()
	for _, c := range left {
		c.Close()
	}
	<-fronts // every connection is closed, so none waits any more
}

// lastAnswers makes every answer the last of its connection once the server is not
// ready any more.
func (s *Server) lastAnswers(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.ready.Load() {
			w.Header().Set("Connection", "close")
		}
		h.ServeHTTP(w, r)
	})
}
