package main

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"

	"starling/p2p"
	"starling/p2p/monitor"
)

// maxUnwritten bounds what a message log holds for a disk that is slow.
const maxUnwritten = 1 << 20

// messageLog writes messages to a file, one JSON document a line (p2p.TapLog):
// those of the peers of this process, or those that a monitor gets. Protocol
// loops only put lines into memory; a goroutine takes them to the file. What
// finds the memory full is not logged but counted, and a line says so at its
// place: a transfer does not wait for its log.
type messageLog struct {
	to   io.WriteCloser
	name string
	log  *slog.Logger

	mu      sync.Mutex
	more    sync.Cond
	line    []byte
	pending []byte
	gap     uint64 // messages that found the memory full since the last line
	lost    uint64 // and since the beginning
	err     error  // of the file; nothing is logged after it
	closed  bool
	done    chan struct{}
}

// tap is what sees the messages of a peer of this process: the log of
// --message-log, the monitor of --monitor, both or, as nil, none. All peers
// share them.
func (a *app) tap() (p2p.Tap, error) {
	if a.cfg.MessageLog != "" && a.messages == nil {
		var err error
		if a.messages, err = openMessageLog(a.cfg.MessageLog, a.log); err != nil {
			return nil, err
		}
	}
	if a.cfg.Monitor != "" && a.copies == nil {
		a.copies = openMonitorLink(a.cfg.Monitor, a.log)
	}
	messages, copies := a.messages, a.copies
	switch {
	case messages != nil && copies != nil:
		return func(r p2p.TapRecord) {
			messages.record(r)
			copies.record(r)
		}, nil
	case messages != nil:
		return messages.record, nil
	case copies != nil:
		return copies.record, nil
	}
	return nil, nil
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
	go l.write()
	return l
}

// record is a p2p.Tap for any number of peers.
func (l *messageLog) record(r p2p.TapRecord) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.put(&monitor.Line{Record: r})
}

// copied takes what a monitor got.
func (l *messageLog) copied(lines []monitor.Line) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range lines {
		l.put(&lines[i])
	}
}

// put leaves a line for the writer; the lock is held.
func (l *messageLog) put(line *monitor.Line) {
	if l.err != nil || l.closed {
		return
	}
	l.line = l.line[:0]
	if l.gap > 0 {
		l.line = (&monitor.Line{Lost: l.gap}).AppendJSON(l.line)
	}
	l.line = line.AppendJSON(l.line)
	if len(l.pending)+len(l.line) > maxUnwritten {
		n := max(line.Lost, 1)
		l.gap += n
		l.lost += n
		return
	}
	if len(l.pending) == 0 {
		l.more.Signal()
	}
	l.pending = append(l.pending, l.line...)
	l.gap = 0
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
	if l.gap > 0 && l.err == nil {
		l.pending = (&monitor.Line{Lost: l.gap}).AppendJSON(l.pending)
	}
	l.more.Signal()
	l.mu.Unlock()
	<-l.done
	if err := l.to.Close(); err != nil && l.err == nil {
		l.log.Warn("the message log may be cut off", "file", l.name, "err", bare(err))
	}
	if l.lost > 0 {
		l.log.Warn(fmt.Sprintf("the message log lacks %s: what it is written to was too slow", plural(int(l.lost), "message")), "file", l.name)
	}
}
