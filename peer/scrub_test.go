package peer

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"starling/peer/wire"
)

// scrubbing sets a pass of so long going.
func scrubbing(every time.Duration, mend bool) func(*EngineConfig) {
	return func(c *EngineConfig) { c.Scrub = Scrub{Every: every, Mend: mend} }
}

// idleFor lets time go by, with jobs done within 5 ms.
func (s *stage) idleFor(d time.Duration) {
	const step = 5 * time.Millisecond
	for range int(d / step) {
		s.h.Advance(step)
		s.finishJobs()
	}
}

// saw are the details of the events of a kind.
func (s *stage) saw(kind EventKind) (details []string) {
	for _, e := range s.events {
		if e.Kind == kind {
			details = append(details, e.Detail)
		}
	}
	return details
}

// A pass reads every piece once, in order, spread over its time, and another follows.
func TestScrubPass(t *testing.T) {
	s := newStage(t, 10, all, scrubbing(100*time.Second, false))
	s.idleFor(49 * time.Second)
	if got := s.mem.rechecked; !slices.Equal(got, []int{0, 1, 2, 3, 4}) {
		t.Errorf("after half the time: %v", got)
	}
	s.idleFor(60 * time.Second)
	if got := s.mem.rechecked; !slices.Equal(got, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0}) {
		t.Errorf("after a pass: %v", got)
	}
	off := newStage(t, 10, all, nil)
	off.idleFor(100 * time.Second)
	lacking := newStage(t, 10, func(i int) bool { return i > 0 }, scrubbing(10*time.Second, true))
	lacking.idleFor(100 * time.Second)
	if len(off.mem.rechecked)+len(lacking.mem.rechecked) > 0 {
		t.Errorf("read without being told to: %v, %v", off.mem.rechecked, lacking.mem.rechecked)
	}
}

// However short the pass is to be, no more than scrubRate is read, and a disk that is
// slow has nine tenths of its time for others.
func TestScrubRate(t *testing.T) {
	s := newStage(t, 1000, all, scrubbing(time.Nanosecond, false))
	tick := func(n int, step time.Duration) (read int) {
		before := len(s.mem.rechecked)
		for range n {
			s.h.Advance(step)
			s.finishJobs()
		}
		return len(s.mem.rechecked) - before
	}
	const per = scrubRate / stagePiece // pieces a second
	if got := tick(10_000, 100*time.Microsecond); got < per/2 || got > per+1 {
		t.Errorf("%d pieces in a second, at most %d", got, per)
	}
	before := len(s.mem.rechecked)
	for range 100 { // each job takes 100 ms
		for s.h.Jobs() == 0 {
			s.h.Advance(10 * time.Millisecond)
		}
		s.h.Advance(100 * time.Millisecond)
		s.finishJobs()
		if len(s.mem.rechecked) == before+5 {
			break
		}
	}
	begun := s.h.Now()
	for len(s.mem.rechecked) < before+10 {
		for s.h.Jobs() == 0 {
			s.h.Advance(10 * time.Millisecond)
		}
		if s.h.Jobs() > 1 {
			t.Fatal("two pieces are read at a time")
		}
		s.h.Advance(100 * time.Millisecond)
		s.finishJobs()
	}
	if took := s.h.Now().Sub(begun); took < 5*time.Second {
		t.Errorf("five pieces of 100 ms each read within %v", took)
	}
}

// What is sent to somebody is read first, once a pass, and no more than maxServed
// wait.
func TestScrubServedFirst(t *testing.T) {
	s := newStage(t, 200, all, scrubbing(24*time.Hour, false))
	s.idleFor(time.Second)
	c := s.interested(1)
	before := len(s.mem.rechecked)
	for _, i := range []int{150, 7, 150} {
		s.request(c, runAt(i))
		s.h.Drain(c)
	}
	s.idleFor(3 * time.Second)
	if got := s.mem.rechecked[before:]; !slices.Equal(got, []int{150, 7}) {
		t.Errorf("read: %v", got)
	}
	for i := range 200 {
		s.Engine.scrubServed(i)
	}
	if n := len(s.scrub.served); n > maxServed {
		t.Errorf("%d pieces wait", n)
	}
}

// A seed that may not write stops serving a piece that is wrong on its disk: who
// believes that it has it is told, who asks is refused, the event names the bytes, and
// the tracker hears of no seed. When the disk has it right again, it is served again.
func TestRottenSeed(t *testing.T) {
	s := newStage(t, 10, all, scrubbing(10*time.Second, false))
	c := s.interested(1)
	s.take()
	s.mem.data[3*stagePiece+5] ^= 1
	s.idleFor(8 * time.Second)
	s.sound()
	msgs, _ := s.take(c)
	if d := only(msgs, wire.DONT); len(d) != 1 || string(d[0].head) != words(3) {
		t.Errorf("DONTs: %v", d)
	}
	if d := s.saw(Rotten); len(d) != 1 || !strings.Contains(d[0], "piece 3 is wrong on this host's disk: memory, 32768 bytes from 98304 on") {
		t.Errorf("events: %q", d)
	}
	s.request(c, runAt(3))
	s.request(c, runAt(4))
	msgs, _ = s.take(c)
	if got := names(only(msgs, wire.REJE, wire.PIEC)); got != "REJE PIEC" {
		t.Errorf("a bad and a good piece are asked for: %s", got)
	}
	st := s.Stats()
	if st.State != StateSeeding || st.BadPieces != 1 || st.PiecesDone != 9 || st.BytesDone != 9*stagePiece {
		t.Errorf("%+v", st)
	}
	if a := s.announceOf(EventNone); a.Left != stagePiece || a.Event != EventPaused {
		t.Errorf("the tracker hears %+v", a)
	}
	s.idleFor(20 * time.Second)
	if d := s.saw(Rotten); len(d) != 1 {
		t.Errorf("said more than once: %q", d)
	}
	s.mem.data[3*stagePiece+5] ^= 1
	s.idleFor(20 * time.Second)
	s.sound()
	msgs, _ = s.take(c)
	if d := only(msgs, wire.HAVE); len(d) != 1 || string(d[0].head) != words(3) || len(s.saw(Mended)) != 1 {
		t.Errorf("it is right again: %v", d)
	}
	if st := s.Stats(); st.BadPieces != 0 || st.PiecesDone != 10 || st.BytesDone != st.BytesTotal {
		t.Errorf("%+v", st)
	}
}

// One that may write fetches the piece from others and goes on as a seed. It completes
// nothing a second time.
func TestRottenIsMended(t *testing.T) {
	s := newStage(t, 10, all, scrubbing(10*time.Second, true))
	s.take()
	s.mem.data[3*stagePiece+5] ^= 1
	s.idleFor(8 * time.Second)
	s.sound()
	if st := s.Stats(); st.State != StateDownloading || st.BadPieces != 1 || s.finished {
		t.Fatalf("%+v", st)
	}
	c := s.seedThatServes(2)
	for range 5 {
		s.answer(c)
	}
	s.sound()
	if !bytes.Equal(s.mem.data, s.full) || !s.finished || s.stats.ReceivedPayload != stagePiece {
		t.Errorf("mended %v, finished %v, %d bytes fetched", bytes.Equal(s.mem.data, s.full), s.finished, s.stats.ReceivedPayload)
	}
	if st := s.Stats(); st.State != StateSeeding || st.BadPieces != 0 {
		t.Errorf("%+v", st)
	}
	if len(s.saw(Rotten)) != 1 || len(s.saw(Mended)) != 1 || len(s.saw(Complete)) != 1 || len(s.saw(Banned)) != 0 {
		t.Errorf("events: %+v", s.events)
	}
}

// A piece that cannot be read just now is nobody's fault and not wrong.
func TestScrubWithoutVerdict(t *testing.T) {
	s := newStage(t, 4, all, scrubbing(4*time.Second, true))
	s.mem.unread = errors.New("too many open files")
	s.idleFor(10 * time.Second)
	if st := s.Stats(); st.PiecesDone != 4 || st.State != StateSeeding || len(s.mem.rechecked) < 8 {
		t.Errorf("%+v after %d tries", st, len(s.mem.rechecked))
	}
}

// Three hosts, and a bit falls on the disk of the seed, or of a leecher that has all:
// all complete, nobody is banned for good, and the disk is right in the end.
func TestRotInASwarm(t *testing.T) {
	for name, onSeed := range map[string]bool{"on the seed": true, "on a leecher that has all": false} {
		t.Run(name, func(t *testing.T) {
			s := newSwarm(t, 5, 4<<20, 64<<10)
			mod := func(_ *member, c *EngineConfig) { c.Scrub = Scrub{Every: 10 * time.Minute, Mend: true} }
			seed := s.join(true, mod)
			first := s.join(false, mod)
			s.finish(time.Minute, first)
			sick := first
			if onSeed {
				sick = seed
			}
			sick.mem.data[20<<16] ^= 1 // piece 20
			late := s.join(false, mod)
			s.finish(5*time.Minute, late)
			for range 900 { // it may have been sent, and read, in this pass already
				s.net.Run(time.Second)
				s.check()
				if sick.has(Rotten) {
					break
				}
			}
			s.net.Run(5 * time.Second) // all have left each other: they are called back
			s.check()
			if !bytes.Equal(sick.mem.data, s.full) || !sick.has(Rotten) || !sick.has(Mended) {
				t.Errorf("events of the sick disk's host: %+v", sick.events)
			}
			for _, m := range s.members {
				completed := 0
				for _, ev := range s.board.heard[m.addr] {
					count(&completed, ev == EventCompleted)
				}
				if completed > 1 || completed > 0 && m == seed {
					t.Errorf("%s: told the tracker %d times that it has completed", m.addr, completed)
				}
				st := m.Stats()
				if st.State != StateSeeding || st.BadPieces != 0 || m.has(Banned) {
					t.Errorf("%s: %s, %d bad pieces, banned %v", m.addr, st.State, st.BadPieces, m.has(Banned))
				}
			}
		})
	}
}

// What a disk wrote wrong is found by reading it again: no sender is blamed, and the
// event names the disk.
func TestWrittenWrongBlamesNobody(t *testing.T) {
	s := newStage(t, 6, nothing, scrubbing(6*time.Second, true))
	c := s.seedThatServes(1)
	for range 3 {
		s.answer(c)
	}
	if !s.finished {
		t.Fatal("not complete")
	}
	s.mem.data[2*stagePiece] ^= 1 // as if it had never been written right
	s.idleFor(20 * time.Second)
	c = s.seedThatServes(2)
	for range 5 {
		s.answer(c)
	}
	s.sound()
	if d := s.saw(Rotten); len(d) != 1 || !strings.Contains(d[0], "on this host's disk") {
		t.Errorf("events: %q", d)
	}
	if len(s.saw(Banned)) > 0 || s.Stats().CorruptPieces > 0 || !bytes.Equal(s.mem.data, s.full) || !s.finished {
		t.Errorf("banned %v, %d corrupt pieces, finished %v", s.saw(Banned), s.Stats().CorruptPieces, s.finished)
	}
}

// The only seed has a wrong piece, which it sends, is found out by its own disk before
// it is banned, and has from the next one who has it.
func TestRotOnTheOnlySeed(t *testing.T) {
	s := newSwarm(t, 6, 4<<20, 64<<10)
	mod := func(_ *member, c *EngineConfig) { c.Scrub = Scrub{Every: 24 * time.Hour, Mend: true} }
	sick := s.join(true, mod)
	sick.mem.data[20<<16] ^= 1
	late := s.join(false, mod)
	for range 120 {
		s.net.Run(time.Second)
		s.check()
	}
	if st := late.Stats(); st.PiecesDone != 63 || st.CorruptPieces != 1 || late.has(Banned) || !sick.has(Rotten) {
		t.Errorf("%d pieces came, %d corrupt, banned %v, found out %v", st.PiecesDone, st.CorruptPieces, late.has(Banned), sick.has(Rotten))
	}
	whole := s.join(true, mod)
	s.finish(time.Minute, late, whole)
	for range 60 {
		s.net.Run(time.Second)
		s.check()
	}
	if !bytes.Equal(sick.mem.data, s.full) || sick.Stats().State != StateSeeding || late.has(Banned) {
		t.Errorf("%s, events %+v", sick.Stats().State, sick.events)
	}
}

// Who asks a second time for a piece that he was sent gets it when it has been read: a
// right one, or a refusal. How often he may have one read so is bounded.
func TestDoubts(t *testing.T) {
	s := newStage(t, 100, all, scrubbing(24*time.Hour, false))
	s.idleFor(time.Second)
	c := s.interested(1)
	fetch := func(i int) string {
		s.take()
		for _, begin := range []int{0, stagePiece / 2} {
			r := runAt(i)
			r.Begin = begin
			s.request(c, r)
			s.h.Drain(c)
		}
		msgs, _ := s.take(c)
		return names(only(msgs, wire.PIEC, wire.REJE))
	}
	read := func(i int) (n int) {
		for _, o := range s.mem.rechecked {
			count(&n, o == i)
		}
		return n
	}
	if got := fetch(9); got != "PIEC PIEC" {
		t.Fatal(got)
	}
	s.idleFor(5 * time.Second)
	if got := fetch(9); got != "" {
		t.Errorf("sent unread: %s", got)
	}
	s.h.Advance(time.Millisecond)
	s.finishJobs()
	s.h.Drain(c)
	s.h.Drain(c)
	msgs, _ := s.take(c)
	if got := names(only(msgs, wire.PIEC, wire.REJE)); got != "PIEC PIEC" || read(9) != 2 {
		t.Errorf("a right piece, read %d times: %s", read(9), got)
	}
	s.mem.data[9*stagePiece] ^= 1
	fetch(9)
	s.h.Advance(time.Millisecond)
	s.finishJobs()
	msgs, _ = s.take(c)
	if got := names(only(msgs, wire.PIEC, wire.REJE)); got != "REJE REJE" {
		t.Errorf("a wrong piece: %s", got)
	}
	for i := range 40 {
		fetch(50 + i)
		fetch(50 + i)
		for range 4 {
			s.idleFor(10 * time.Millisecond)
			s.h.Drain(c)
		}
	}
	s.sound()
	if n := s.remotes[c].doubts; n != maxDoubts {
		t.Errorf("%d pieces were read because one remote asked twice", n)
	}
}
