package main

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"starling/p2p"
	"starling/p2p/monitor"
	"starling/p2p/tcp"
)

const (
	// maxUnforwarded bounds the records on their way from the torrents' loops
	// to the one that forwards; what comes beyond it is counted as lost.
	maxUnforwarded = 8192
	// lastWords bounds how long the end of a command waits for its monitor.
	lastWords = time.Second
)

// monitorLink forwards every message of the peers of this process to a monitor.
// It has a loop of its own: a monitor that is slow or gone costs a transfer
// nothing.
type monitorLink struct {
	to   string
	log  *slog.Logger
	host *tcp.Host
	// The host's loop's.
	fwd  *monitor.Forwarder
	gone bool // the monitor cannot be reached

	mu      sync.Mutex
	pending []p2p.TapRecord
	spare   []p2p.TapRecord
	lost    uint64
	posted  bool // drain is on its way
}

// openMonitorLink starts to forward to a monitor at "host:port". The connection
// is made when there is something to forward.
func openMonitorLink(to string, log *slog.Logger) *monitorLink {
	l := &monitorLink{to: to, log: log, host: tcp.NewHost(tcp.Config{Logger: log, MaxConns: 4})}
	id := hostname()
	if id == "" {
		id = "starling"
	}
	node := p2p.NewNode(l.host, p2p.Config{ID: id})
	l.fwd = monitor.NewForwarder(node, monitor.ForwarderConfig{To: to, Trouble: l.trouble})
	node.SetHooks(l.fwd.Hooks())
	l.host.Start(node, node.Limits())
	return l
}

func (l *monitorLink) trouble(err error) {
	if l.gone = err != nil; !l.gone {
		l.log.Info("the monitor answers again", "monitor", l.to)
		return
	}
	l.log.Warn("the monitor cannot be reached; the transfer goes on", "monitor", l.to, "err", err)
}

// record is a p2p.Tap for any number of peers.
func (l *monitorLink) record(r p2p.TapRecord) {
	l.mu.Lock()
	if len(l.pending) < maxUnforwarded {
		l.pending = append(l.pending, r)
	} else {
		l.lost++
	}
	post := !l.posted
	l.posted = true
	l.mu.Unlock()
	if post && l.host.Post(l.drain) != nil {
		l.mu.Lock()
		l.posted = false // the next record tries again
		l.mu.Unlock()
	}
}

// drain hands over what has come. It runs on the host's loop.
func (l *monitorLink) drain() {
	l.mu.Lock()
	records, lost := l.pending, l.lost
	l.pending, l.spare = l.spare[:0], nil
	l.lost, l.posted = 0, false
	l.mu.Unlock()
	for _, r := range records {
		l.fwd.Tap(r)
	}
	if lost > 0 {
		l.fwd.Lose(lost)
	}
	clear(records)
	l.mu.Lock()
	l.spare = records[:0]
	l.mu.Unlock()
}

// close forwards what is left, for a moment, and says what the monitor lacks. A
// nil link has nothing to close.
func (l *monitorLink) close() {
	if l == nil {
		return
	}
	done := make(chan struct{})
	err := l.host.Do(func() {
		l.drain()
		if l.gone {
			close(done)
		} else {
			l.fwd.Flush(func() { close(done) })
		}
	})
	if err == nil {
		select {
		case <-done:
		case <-time.After(lastWords):
		}
	}
	var t monitor.Totals
	_ = l.host.Do(func() {
		t = l.fwd.Totals()
		l.fwd.Stop()
	})
	ctx, cancel := context.WithTimeout(context.Background(), lastWords)
	defer cancel()
	if err := l.host.Stop(ctx); err != nil {
		l.log.Debug("close", "monitor", l.to, "err", err)
	}
	if lacks := t.Lost + t.Waiting; lacks > 0 {
		l.log.Warn(fmt.Sprintf("the monitor lacks %s", plural(int(lacks), "message")), "monitor", l.to)
	}
}
