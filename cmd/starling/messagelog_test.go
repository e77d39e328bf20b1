package main

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"starling/p2p"
)

// file is where a message log goes in these tests.
type file struct {
	bytes.Buffer
	fail   error
	gate   chan struct{} // if not nil, a Write waits for it
	writes int
	closed bool
}

func (f *file) Write(b []byte) (int, error) {
	if f.gate != nil {
		<-f.gate
	}
	if f.writes++; f.fail != nil {
		return 0, f.fail
	}
	return f.Buffer.Write(b)
}

func (f *file) Close() error {
	f.closed = true
	return nil
}

func logTo(f *file) (*messageLog, *bytes.Buffer) {
	var said bytes.Buffer
	return newMessageLog(f, "m.log", slog.New(slog.NewTextHandler(&said, nil))), &said
}

func TestMessageLog(t *testing.T) {
	f := &file{}
	l, said := logTo(f)
	for range 1000 {
		l.record(p2p.TapRecord{From: "a", To: "b", Type: p2p.PING})
	}
	l.close()
	if n := strings.Count(f.String(), "\n"); n != 1000 || !f.closed || said.Len() != 0 {
		t.Errorf("%d lines, closed %v, said %q", n, f.closed, said)
	}
	l.record(p2p.TapRecord{Type: p2p.PING}) // a late one is no harm
	(*messageLog)(nil).close()
}

// TestMessageLogSlow: what a slow disk cannot take is left out, and counted.
func TestMessageLogSlow(t *testing.T) {
	f := &file{gate: make(chan struct{})}
	l, said := logTo(f)
	const n = 3 * maxUnwritten / 100
	for range n {
		l.record(p2p.TapRecord{From: strings.Repeat("a", 40), To: strings.Repeat("b", 40), Type: p2p.PING})
	}
	close(f.gate)
	l.close()
	lines := strings.Count(f.String(), "\n")
	if f.Len() > 2*maxUnwritten || lines == 0 || l.lost == 0 || lines+l.lost != n {
		t.Errorf("%d lines written, %d left out of %d", lines, l.lost, n)
	}
	if !strings.Contains(said.String(), "the disk was too slow") {
		t.Errorf("said %q", said)
	}
}

// TestMessageLogFails: the first error is said, once, and ends the log.
func TestMessageLogFails(t *testing.T) {
	f := &file{fail: errors.New("no space left on device"), gate: make(chan struct{})}
	l, said := logTo(f)
	l.record(p2p.TapRecord{Type: p2p.PING})
	close(f.gate)
	for range 1000 {
		l.record(p2p.TapRecord{Type: p2p.PING})
	}
	l.close()
	if strings.Count(said.String(), "\n") != 1 || !strings.Contains(said.String(), "no space left") {
		t.Errorf("said %q", said)
	}
	if !f.closed {
		t.Error("not closed")
	}
}
