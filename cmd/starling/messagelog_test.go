package main

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"starling/p2p"
	"starling/p2p/monitor"
)

// file is where a message log goes in these tests.
type file struct {
	bytes.Buffer
	fail   error
	gate   chan struct{} // if not nil, a Write waits for it
	began  chan struct{} // if not nil, hears of each Write
	writes int
	closed bool
}

func (f *file) Write(b []byte) (int, error) {
	if f.began != nil {
		f.began <- struct{}{}
	}
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
	f := &file{gate: make(chan struct{}), began: make(chan struct{}, 100)}
	l, said := logTo(f)
	record := p2p.TapRecord{Time: time.Unix(0, 0), From: strings.Repeat("a", 40), To: strings.Repeat("b", 40), Type: p2p.PING}
	l.record(record)
	<-f.began
	const n = 3 * maxUnwritten / 100
	for range n - 2 {
		l.record(record)
	}
	l.copied([]monitor.Line{{Lost: 7}}) // what a monitor was told is not forgotten
	f.gate <- struct{}{}
	<-f.began // the next write has made room
	l.record(record)
	close(f.gate)
	l.close()
	lines, told := 0, uint64(0)
	for text := range strings.Lines(f.String()) {
		line, err := monitor.ParseLine([]byte(text))
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if told += line.Lost; line.Lost == 0 {
			lines++
		}
	}
	if f.Len() > 2*maxUnwritten || lines == 0 || l.lost == 0 || lines+int(told) != n+7 {
		t.Errorf("%d lines written, %d left out of %d, of which the log tells %d", lines, l.lost, n, told)
	}
	if !strings.Contains(said.String(), "was too slow") {
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
