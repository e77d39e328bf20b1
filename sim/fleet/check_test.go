package fleet

import (
	"encoding/binary"
	"strings"
	"testing"

	"starling/p2p"
	"starling/peer/wire"
)

// TestChecker does on purpose what must never be, and wants it found, with the
// host that did it.
func TestChecker(t *testing.T) {
	words := func(n ...uint32) (b []byte) {
		for _, w := range n {
			b = binary.BigEndian.AppendUint32(b, w)
		}
		return b
	}
	for _, c := range []struct {
		want string
		do   func(f *fleet, m *member, c p2p.ConnID)
	}{
		{"have: HALL with", says(wire.HALL, nil)},
		{"have: HNON with", says(wire.HNON, nil)},
		{"have: BITF with piece", says(wire.BITF, []byte(strings.Repeat("\xff", 25)))},
		{"have: HAVE of piece", func(f *fleet, m *member, c p2p.ConnID) {
			f.checks.Sent(m.h, c, &p2p.Message{Type: wire.HAVE, Head: words(uint32(lacks(m).Piece))})
		}},
		{"have: piece", func(f *fleet, m *member, _ p2p.ConnID) { m.content.Section(lacks(m)).Release() }},
		{"answer: PIEC that", func(f *fleet, m *member, c p2p.ConnID) {
			f.checks.Sent(m.h, c, &p2p.Message{Type: wire.PIEC, Head: words(1, 0), Body: &body{size: 16384}})
		}},
		{"answer: REJE that", says(wire.REJE, words(1, 0, 16384))},
		{"answer: 1 requests of those it chokes", func(f *fleet, m *member, c p2p.ConnID) {
			f.checks.Delivered(m.h, c, &p2p.Message{Type: wire.REQU, Head: words(1, 0, 16384)})
			f.checks.on(m.h, c).unchoked = false
			f.checks.unanswered(m)
		}},
		{"choked: ", func(f *fleet, m *member, c p2p.ConnID) {
			f.checks.Delivered(m.h, c, &p2p.Message{Type: wire.REQU, Head: words(1, 0, 16384)})
			f.checks.Sent(m.h, c, &p2p.Message{Type: wire.CHOK})
			f.checks.Sent(m.h, c, &p2p.Message{Type: wire.PIEC, Head: words(1, 0), Body: &body{size: 16384}})
		}},
		{"I5: it dials 10.9.9.9:1, where", func(f *fleet, m *member, _ p2p.ConnID) { f.checks.Dialed(m.h, "10.9.9.9:1") }},
		{"I5: 4 attempts to reach", func(f *fleet, m *member, _ p2p.ConnID) {
			for range 4 {
				f.checks.Dialed(m.h, f.byName["leecher-2"].h.Addr())
			}
		}},
		{"I6: it bans leecher-2, which is honest", func(f *fleet, m *member, _ p2p.ConnID) {
			f.checkBan(m, f.byName["leecher-2"].h.Addr()+" sent wrong bytes")
		}},
		{"I1: published with", func(f *fleet, m *member, _ p2p.ConnID) {
			m.h.Run(finishing{m.content})
			f.run(f.world.Now() + second)
		}},
		{"conserve: it counts", func(f *fleet, m *member, _ p2p.ConnID) {
			m.delivered = 0
			f.checkBooks()
			m.delivered = 1 << 40
		}},
		{"conserve: piece 3 of 262144 bytes put as 1", func(f *fleet, m *member, _ p2p.ConnID) { m.content.PutPiece(3, &body{size: 1}) }},
	} {
		s := crowd(3, 200)
		f := newFleet(&s, Options{})
		f.build()
		f.run(5 * second)
		m := f.byName["leecher-1"]
		var conn p2p.ConnID
		for id := p2p.ConnID(1); conn == 0; id++ {
			if far := m.h.Far(id); far != nil && f.checks.on(m.h, id).unchoked {
				conn = id
			}
		}
		if len(f.res.Violations) > 0 {
			t.Fatal(f.res.Violations)
		}
		c.do(f, m, conn)
		if len(f.res.Violations) == 0 {
			t.Errorf("%s: not found", c.want)
			continue
		}
		v := f.res.Violations[0]
		if got := v.Invariant + ": " + v.Detail; !strings.HasPrefix(got, c.want) || v.Host != "leecher-1" || v.At < 5*second {
			t.Errorf("got %s of %s at %v, want %s", got, v.Host, v.At, c.want)
		}
	}
}

// TestLeak: a payload that nobody released is found at the end.
func TestLeak(t *testing.T) {
	s := crowd(2, 20)
	f := newFleet(&s, Options{})
	f.build()
	f.run(second)
	f.body(100)
	f.checkPayloads()
	if len(f.res.Violations) != 1 || f.res.Violations[0].Detail != "1 payloads were never released" {
		t.Errorf("%+v", f.res.Violations)
	}
}

// TestViolationsBounded: one fault of ours that shows at every event does not
// fill the memory.
func TestViolationsBounded(t *testing.T) {
	s := crowd(1, 4)
	f := newFleet(&s, Options{})
	for range 2 * maxViolations {
		f.violate("I9", "x", "again")
	}
	if len(f.res.Violations) != maxViolations {
		t.Errorf("%d of them", len(f.res.Violations))
	}
}
