package main

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"

	"starling/p2p"
)

// maxUnwritten bounds what a message log holds for a disk that is slow.
const maxUnwritten = 1 << 20

// messageLog writes every message of the peers of this process to a file, one
// JSON document a line (p2p.TapLog). The torrents' loops only put lines into
// memory; a goroutine takes them to the file. What finds the memory full is not
// logged: a transfer does not wait for its log.
type messageLog struct {
	to   io.WriteCloser
	name string
	log  *slog.Logger

	mu      sync.Mutex
	more    sync.Cond
	lines   *p2p.TapLog
	pending []byte
	lost    int   // messages that found the memory full
	err     error // of the file; nothing is logged after it
	closed  bool
	done    chan struct{}
}

// openMessageLog appends to a file.
func openMessageLog(name string, log *slog.Logger) (*messageLog, error) {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return nil, fail("message log "+name, bare(err))
	}
	return newMessageLog(f, name, log), nil
}

func newMessageLog(to io.WriteCloser, name string, log *slog.Logger) *messageLog {
	l := &messageLog{to: to, name: name, log: log, done: make(chan struct{})}
	l.more.L = &l.mu
	l.lines = p2p.NewTapLog(memory{l})
	go l.write()
	return l
}

// record is a p2p.Tap for any number of peers.
func (l *messageLog) record(r p2p.TapRecord) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines.Record(r)
}

// memory is where the lines of a messageLog go first; its lock is held.
type memory struct{ l *messageLog }

func (m memory) Write(line []byte) (int, error) {
	l := m.l
	switch {
	case l.err != nil || l.closed:
	case len(l.pending)+len(line) > maxUnwritten:
		l.lost++
	default:
		if len(l.pending) == 0 {
			l.more.Signal()
		}
		l.pending = append(l.pending, line...)
	}
	return len(line), nil
}

// write takes lines to the file until the log is closed and nothing is left.
func (l *messageLog) write() {
	defer close(l.done)
	var spare []byte
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		for len(l.pending) == 0 && !l.closed {
			l.more.Wait()
		}
		if len(l.pending) == 0 {
			return
		}
		lines := l.pending
		l.pending = spare[:0]
		l.mu.Unlock()
		_, err := l.to.Write(lines)
		l.mu.Lock()
		spare = lines
		if err != nil && l.err == nil {
			l.err, l.pending = err, nil
			l.log.Warn("the message log ends here; the transfer goes on", "file", l.name, "err", bare(err))
		}
	}
}

// close writes what is left and says what is not in the log. A nil log has
// nothing to close.
func (l *messageLog) close() {
	if l == nil {
		return
	}
	l.mu.Lock()
	l.closed = true
	l.more.Signal()
	l.mu.Unlock()
	<-l.done
	if err := l.to.Close(); err != nil && l.err == nil {
		l.log.Warn("the message log may be cut off", "file", l.name, "err", bare(err))
	}
	if l.lost > 0 {
		l.log.Warn(fmt.Sprintf("the message log lacks %s: the disk was too slow", plural(l.lost, "message")), "file", l.name)
	}
}
