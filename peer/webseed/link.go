package webseed

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	"starling/p2p"
	"starling/peer/wire"
	"starling/piece"
)

const (
	// maxFrame bounds what our own torrent may say in one message.
	maxFrame = 1 << 20
	// queueLength is how many requests we hold, as HELO says.
	queueLength = 64
)

// link is a web seed's connection to the torrent's host.
type link struct {
	s    *seed
	g    *Group
	conn net.Conn
	lag  time.Duration // of the server
	wake chan struct{} // has the planner look again

	wmu      sync.Mutex // a frame at a time
	lastSent time.Time

	// Guarded by the Group's mu.
	lanes      []*lane
	interested bool
	unchoked   bool
	guiding    bool // the torrent asks for suggested pieces only
	dry        bool // there was no stretch to begin; look again at the next tick
	lastWord   string
	err        error // why it ended; the first counts
}

// connect is a peer of the torrent until one side ends that. The error says why:
// errNotNeeded, *useless, or what is worth another try.
func (s *seed) connect(ctx context.Context, lag time.Duration) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ours, hosts := pipe(s.name)
	l := &link{s: s, g: s.g, conn: ours, lag: lag, wake: make(chan struct{}, 1), lastSent: time.Now()}
	for range s.lanes {
		l.lanes = append(l.lanes, newLane(l))
	}
	s.g.mu.Lock()
	s.g.links = append(s.g.links, l)
	lanes := l.lanes
	s.g.mu.Unlock()

	var tasks sync.WaitGroup
	if s.g.cfg.Adopt(hosts) != nil {
		l.end(errStopped, cancel)
	}
	defer context.AfterFunc(ctx, func() { ours.Close() })()
	tasks.Go(func() { l.end(l.read(ctx), cancel) })
	tasks.Go(func() { l.planUntil(ctx) })
	for _, ln := range lanes {
		tasks.Go(func() {
			if err := ln.run(ctx); err != nil {
				l.end(err, cancel)
			}
		})
	}
	tasks.Wait()
	return l.over()
}

// end notes why the link ends, and ends it.
func (l *link) end(err error, cancel context.CancelFunc) {
	l.g.mu.Lock()
	if l.err == nil {
		l.err = err
	}
	l.g.mu.Unlock()
	cancel()
}

// over forgets the link and says why it ended. What the torrent said last counts
// for more than how the connection broke.
func (l *link) over() error {
	g := l.g
	g.mu.Lock()
	defer g.mu.Unlock()
	for i, o := range g.links {
		if o == l {
			g.links = append(g.links[:i:i], g.links[i+1:]...)
			break
		}
	}
	l.s.lanes = 0 // where none is left, the server bears none or was down
	for _, ln := range l.lanes {
		if !ln.retired {
			l.s.lanes++
		}
	}
	reason, _, _ := strings.Cut(l.lastWord, ":")
	switch reason {
	case p2p.ReasonCorrupt.String(), p2p.ReasonBanned.String():
		return uselessf("it sent corrupt pieces")
	case p2p.ReasonNotNeeded.String():
		return errNotNeeded
	case "":
		return l.err
	}
	return fmt.Errorf("closed by the torrent: %.100s", l.lastWord)
}

// read takes what the torrent says until it closes the connection.
func (l *link) read(ctx context.Context) error {
	in := bufio.NewReader(l.conn)
	var head [p2p.HeaderSize]byte
	var body []byte
	for {
		if _, err := io.ReadFull(in, head[:]); err != nil {
			return errors.New("the torrent closed the connection")
		}
		t, n := p2p.ParseHeader(head[:])
		if n > maxFrame {
			return fmt.Errorf("a %v of %d bytes", t, n)
		}
		if cap(body) < int(n) {
			body = make([]byte, n)
		}
		body = body[:n]
		if _, err := io.ReadFull(in, body); err != nil {
			return errors.New("the torrent closed the connection")
		}
		if err := l.take(ctx, t, body); err != nil {
			return err
		}
	}
}

// take acts on one message. What is not here does not matter to one who has
// everything and wants nothing.
func (l *link) take(ctx context.Context, t p2p.Type, head []byte) error {
	switch t {
	case wire.HELO:
		return l.greet(ctx, head)
	case wire.INTR, wire.NINT:
		l.g.mu.Lock()
		l.interested = t == wire.INTR
		l.g.mu.Unlock()
		l.look()
	case wire.HAVE:
		l.look()
	case wire.REQU:
		run, err := wire.ParseRun(head, l.g.geo)
		if err == nil {
			l.asked(run)
			l.look()
		}
		return err
	case wire.CANC:
		run, err := wire.ParseRun(head, l.g.geo)
		if err == nil && l.cancelled(run) {
			l.reject(run)
		}
		return err
	case p2p.ERRO:
		l.g.mu.Lock()
		l.lastWord = string(head)
		l.g.mu.Unlock()
	}
	return nil
}

// hello is our first message. We spoke to the host, so we dialed it.
func (l *link) hello() {
	l.send(wire.HELO, (&wire.Hello{
		Version: wire.Version, InfoHash: l.g.cfg.InfoHash, PeerID: l.s.id,
		MaxQueue: queueLength, MaxRequest: wire.MaxRun,
	}).Append(nil))
}

// greet answers HELO. The torrent takes the time until it hears what we have for
// the round trip, upon which its window depends: so we wait as long as the server
// takes for an answer.
func (l *link) greet(ctx context.Context, head []byte) error {
	h, err := wire.ParseHello(head)
	if err == nil && h.InfoHash != l.g.cfg.InfoHash {
		err = errors.New("it is another torrent")
	}
	if err != nil {
		return err
	}
	select {
	case <-time.After(l.lag):
	case <-ctx.Done():
	}
	l.send(wire.HALL, nil)
	return nil
}

// look has the planner look whether there is something to suggest.
func (l *link) look() {
	select {
	case l.wake <- struct{}{}:
	default: // it will look anyway
	}
}

// send writes one message. Where that fails the reader will find the connection
// closed, and perhaps a reason.
func (l *link) send(t p2p.Type, head []byte) {
	l.write(append(p2p.AppendHeader(nil, t, len(head)), head...))
}

func (l *link) write(frame []byte) {
	l.wmu.Lock()
	defer l.wmu.Unlock()
	l.lastSent = time.Now()
	_, _ = l.conn.Write(frame)
}

func (l *link) reject(run piece.Run) { l.send(wire.REJE, wire.AppendRun(nil, run)) }
