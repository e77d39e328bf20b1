package magnet

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"starling/p2p"
	"starling/peer/wire"
)

// TestOne: a dictionary of any length comes from one peer, each part once, no more
// than ahead at a time.
func TestOne(t *testing.T) {
	for _, size := range []int{1, wire.MetaPart - 1, wire.MetaPart, wire.MetaPart + 1, 10*wire.MetaPart + 7} {
		tb := newTable(t, size)
		a := tb.honest()
		addrs := tb.sit(a)
		tb.run(time.Second)
		tb.done()
		if parts := (size + wire.MetaPart - 1) / wire.MetaPart; len(a.asked) != parts || tb.checks != 1 {
			t.Errorf("%d bytes: asked for %v, checked %d times", size, a.asked, tb.checks)
		}
		if all, having := tb.Connected(); all != 1 || having != 1 || !slices.Equal(tb.Peers(), addrs) {
			t.Errorf("%d connected, %d with it, peers %v", all, having, tb.Peers())
		}
	}
}

// TestSeveral: parts come from all who have it, also where some leave.
func TestSeveral(t *testing.T) {
	tb := newTable(t, 30*wire.MetaPart)
	as := []*actor{tb.honest(), tb.honest(), tb.honest(), {}}
	for _, a := range as {
		a.slow = 100 * time.Millisecond
	}
	as[1].leaves = 4
	tb.sit(as...)
	tb.run(5 * time.Second)
	tb.done()
	if len(as[0].asked) < 5 || as[1].gave != 4 || len(as[2].asked) < 5 || len(as[3].asked) != 0 {
		t.Errorf("asked for %d, %d, %d and %d parts", len(as[0].asked), as[1].gave, len(as[2].asked), len(as[3].asked))
	}
	if n := len(as[0].asked) + len(as[1].asked) + len(as[2].asked); n > 30+ahead {
		t.Errorf("%d parts were asked for, of 30", n)
	}
}

// TestSizes: of several sizes that peers say, what most of them say is tried, and of
// as many the smaller. One that cannot be is not asked.
func TestSizes(t *testing.T) {
	t.Run("one who says more", func(t *testing.T) {
		tb := newTable(t, 3*wire.MetaPart)
		more := &actor{info: tb.info, size: 31 << 20, slow: 9 * time.Second}
		tb.sit(more, tb.honest())
		tb.run(time.Second)
		tb.done()
	})
	t.Run("one who says less", func(t *testing.T) {
		tb := newTable(t, 3*wire.MetaPart)
		less := &actor{info: tb.info[:5]}
		tb.sit(less, tb.honest())
		tb.run(time.Second)
		tb.done()
		if tb.checks != 2 || len(less.dials) != 1 {
			t.Errorf("%d checks, dialed %d times", tb.checks, len(less.dials))
		}
	})
	t.Run("two who say more", func(t *testing.T) {
		tb := newTable(t, 3*wire.MetaPart)
		for range 2 {
			tb.sit(&actor{info: make([]byte, 4*wire.MetaPart), slow: time.Second})
		}
		tb.sit(tb.honest())
		tb.run(20 * time.Second)
		tb.done()
	})
	for _, size := range []uint32{0, maxSize + 1, 1<<32 - 1} {
		tb := newTable(t, 100)
		a := &actor{size: size}
		tb.sit(a)
		tb.run(setupWait + time.Second)
		if len(a.asked) != 0 || a.conn != 0 {
			t.Errorf("size %d: asked for %v, connected %v", size, a.asked, a.conn != 0)
		}
	}
}

// TestLiars: whoever they are among, the dictionary is found, in no more checks than
// there are liars and two more, and no liar is asked again.
func TestLiars(t *testing.T) {
	for liars := range 6 {
		for first := range 2 {
			tb := newTable(t, 5*wire.MetaPart)
			var lie []*actor
			for i := range liars {
				lie = append(lie, tb.liar(i))
			}
			if first == 0 {
				tb.sit(lie...)
				tb.sit(tb.honest())
			} else {
				tb.sit(tb.honest())
				tb.sit(lie...)
			}
			tb.run(30 * time.Second)
			tb.done()
			if tb.checks > liars+2 {
				t.Errorf("%d liars: %d checks", liars, tb.checks)
			}
		}
	}
	tb := newTable(t, 5*wire.MetaPart)
	alone := tb.liar(0)
	addrs := tb.sit(alone)
	tb.run(10 * time.Minute)
	if len(alone.asked) != 5 || len(alone.dials) != 1 || tb.checks != 1 || len(tb.Peers()) != 0 {
		t.Errorf("asked for %v, %d dials, %d checks, peers %v", alone.asked, len(alone.dials), tb.checks, tb.Peers())
	}
	if got := tb.ended[addrs[0]]; !slices.Equal(got, []string{"corrupt"}) {
		t.Errorf("closed with %v", got)
	}
	tb.Add(addrs)
	tb.sit(tb.honest())
	tb.run(time.Second)
	tb.done()
}

// TestLiarsTogether: several of whom each gave a part of a wrong dictionary are not
// all taken for liars.
func TestLiarsTogether(t *testing.T) {
	tb := newTable(t, 6*wire.MetaPart)
	honest, liar := tb.honest(), tb.liar(0)
	honest.slow, liar.slow = time.Second, time.Second
	tb.sit(liar, honest)
	tb.run(time.Minute)
	tb.done()
	if len(honest.dials) != 1 || tb.checks != 3 || len(tb.Peers()) != 1 {
		t.Errorf("%d dials of the honest one, %d checks, peers %v", len(honest.dials), tb.checks, tb.Peers())
	}
}

// TestSilent: one that does not answer, or refuses, is left for a while, longer each
// time, and what it was asked for is asked of another.
func TestSilent(t *testing.T) {
	for name, a := range map[string]*actor{"silent": {silent: true}, "reject": {reject: true}, "deaf": {deaf: true}} {
		t.Run(name, func(t *testing.T) {
			tb := newTable(t, 4*wire.MetaPart)
			a.info = tb.info
			addr := tb.sit(a)[0]
			tb.run(time.Hour)
			if n := len(a.dials); n < 20 || n > 40 {
				t.Fatalf("dialed %d times in an hour", n)
			}
			for i, d := range a.dials[1:] {
				if wait := d.Sub(a.dials[i]); wait < retryWait || i > 3 && wait < maxRetryWait {
					t.Errorf("dial %d is %v after the one before", i+1, wait)
				}
			}
			want := map[string]string{"silent": "timeout", "reject": "not_needed", "deaf": "timeout"}[name]
			if got := tb.ended[addr][0]; got != want {
				t.Errorf("closed with %s, want %s", got, want)
			}
			tb.sit(tb.honest())
			tb.run(12 * time.Second)
			tb.done()
		})
	}
}

// TestTooSlow: one that gives each part in time and all of it never does not keep
// others from being asked.
func TestTooSlow(t *testing.T) {
	tb := newTable(t, 200)
	slow := &actor{info: make([]byte, 100*wire.MetaPart), slow: 9 * time.Second}
	other := &actor{info: slow.info, slow: 9 * time.Second}
	tb.sit(slow, other)
	tb.sit(tb.honest())
	tb.run(tryWait + 100*partTime + 10*time.Second)
	tb.done()
}

// TestOurselves: an address at which we are is dialed once.
func TestOurselves(t *testing.T) {
	tb := newTable(t, 100)
	a := tb.honest()
	addrs := tb.sit(a)
	a.id = testID[0]
	tb.run(10 * time.Minute)
	if len(a.dials) != 1 || len(tb.Peers()) != 0 {
		t.Errorf("%d dials, peers %v", len(a.dials), tb.Peers())
	}
	if got := tb.ended["10.0.0.80:6881"]; !slices.Equal(got, []string{"self"}) {
		t.Errorf("%s was closed with %v", addrs[0], got)
	}
}

// TestFlood: of many addresses 1,000 are remembered and 20 connected at a time; those
// behind hundreds that do not answer are tried, too.
func TestFlood(t *testing.T) {
	tb := newTable(t, 100)
	var addrs []string
	for i := range 2 * maxPeers {
		addrs = append(addrs, fmt.Sprintf("10.1.%d.%d:6881", i/200, i%200))
	}
	tb.Add(addrs[:50])
	tb.Add(addrs[:50])
	if n := len(tb.Peers()); n != 50 {
		t.Errorf("%d addresses of 50 that were told twice", n)
	}
	for range 200 {
		tb.sit(&actor{deaf: true})
	}
	last := tb.honest()
	tb.sit(last)
	tb.Add(addrs)
	if n := len(tb.Peers()); n != maxPeers {
		t.Errorf("%d addresses", n)
	}
	tb.run(3 * time.Minute)
	tb.done()
}

// TestOthers: who does not speak BEP 10, is of another torrent or says HELO twice is
// closed; a request of our parts is rejected; what nobody asked for changes nothing.
func TestOthers(t *testing.T) {
	hello := func(hash [20]byte, caps uint16) string {
		h := wire.Hello{Version: 1, Caps: caps, InfoHash: hash, PeerID: [20]byte{9}, MaxQueue: 250, MaxRequest: 16 << 10}
		return string(h.Append(nil))
	}
	tb := newTable(t, 100)
	deaf := &actor{deaf: true}
	addr := tb.sit(deaf)[0]
	for _, tt := range []struct{ head, reason string }{
		{hello([20]byte{7}, wire.CapInfo), "unknown_torrent"},
		{hello(testHash, wire.CapBlocks), "not_needed"},
		{"short", "handshake"},
	} {
		tb.ended = map[string][]string{}
		for deaf.conn == 0 {
			tb.run(time.Second)
		}
		tb.h.Deliver(deaf.conn, wire.HELO, tt.head)
		tb.act()
		if got := tb.ended[addr]; !slices.Equal(got, []string{tt.reason}) {
			t.Errorf("closed with %v, want %s", got, tt.reason)
		}
	}
	for deaf.conn == 0 {
		tb.run(time.Second)
	}
	c := deaf.conn
	tb.h.Deliver(c, wire.HELO, hello(testHash, wire.CapInfo))
	tb.h.Take()
	for _, m := range []wire.Meta{{Kind: wire.MetaRequest, Part: 3}, {Kind: wire.MetaData, Part: -1}, {Kind: wire.MetaReject, Part: 0}, {Kind: 99}} {
		tb.h.Deliver(c, wire.META, string(m.Append(nil)))
	}
	if got, want := tb.h.TakeSends(), fmt.Sprintf("send %d META \"d8:msg_typei2e5:piecei3ee\"\n", c); got != want {
		t.Errorf("it said %q, want %q", got, want)
	}
	tb.sound()
	tb.ended = map[string][]string{}
	tb.h.Deliver(c, wire.HELO, hello(testHash, wire.CapInfo))
	tb.act()
	if got := tb.ended[addr]; !slices.Equal(got, []string{"bad_state"}) {
		t.Errorf("after a second HELO: %v", got)
	}
	if in := tb.h.Accept("10.9.9.9:1"); tb.h.Alive(in) {
		t.Error("a connection from somebody was kept")
	}
}

// TestLateAnswer: what was asked for before a new beginning and comes after it is
// taken for its part only.
func TestLateAnswer(t *testing.T) {
	tb := newTable(t, 2*wire.MetaPart)
	a := &actor{info: make([]byte, 3*wire.MetaPart), slow: 2 * time.Second}
	b, c := tb.honest(), tb.honest()
	b.slow, c.slow = 5*time.Second, 5*time.Second
	tb.sit(a)
	tb.run(time.Second) // a is asked for three parts
	tb.sit(b, c)        // who say another size, and are more
	tb.run(time.Minute)
	tb.done()
	if tb.checks != 1 || len(a.dials) != 1 {
		t.Errorf("%d checks, %d dials of the one whose answers came late", tb.checks, len(a.dials))
	}
}

// FuzzFetcher: whatever peers send, in any order, the books are right and the
// dictionary is found once an honest peer comes.
func FuzzFetcher(f *testing.F) {
	f.Add([]byte{0, 0, 1, 0, 2, 1, 3, 0, 4, 9})
	f.Add([]byte{0, 0, 2, 7, 0, 1, 2, 3, 3, 1, 6, 0, 5, 40, 0, 0})
	f.Add([]byte{0, 0, 0, 1, 2, 2, 2, 2, 3, 0, 3, 4, 3, 1, 4, 0, 5, 255})
	f.Fuzz(func(t *testing.T, script []byte) {
		tb := newTable(t, 2*wire.MetaPart+5)
		as := []*actor{{deaf: true}, {deaf: true}, {deaf: true}}
		tb.sit(as...)
		for ; len(script) >= 2 && len(tb.found) == 0; script = script[2:] {
			tb.act()
			if c := as[int(script[1])%len(as)].conn; c != 0 {
				tb.any(c, script[0]%8, script[1]/3)
			} else {
				tb.h.Advance(time.Duration(script[1]) * time.Second)
			}
			tb.sound()
		}
		tb.act()
		if len(tb.found) > 0 {
			tb.done()
			return
		}
		tb.sit(tb.honest())
		tb.run(2 * time.Minute)
		tb.done()
	})
}

// any delivers one of the messages of a script.
func (tb *table) any(c p2p.ConnID, op, arg byte) {
	sizes := [...]uint32{uint32(len(tb.info)), 5, 3 * wire.MetaPart, 0, maxSize, maxSize + 1}
	part := int64(arg%5) - 1
	switch op {
	case 0:
		h := wire.Hello{Version: 1, Caps: wire.CapInfo, InfoHash: testHash, PeerID: [20]byte{byte(c)}, MaxQueue: 250, MaxRequest: 16 << 10}
		tb.h.Deliver(c, wire.HELO, string(h.Append(nil)))
	case 1:
		tb.h.Deliver(c, wire.HNON, "")
	case 2:
		i := wire.Info{Flags: wire.InfoMeta, Metadata: sizes[int(arg)%len(sizes)]}
		tb.h.Deliver(c, wire.INFO, string(i.Append(nil)))
	case 3, 4: // a part, right or wrong
		m := wire.Meta{Kind: wire.MetaData, Part: part, Total: int64(tb.size)}
		if n := tb.size - int(part)*wire.MetaPart; part >= 0 && n > 0 {
			m.Data = make([]byte, min(n, wire.MetaPart))
			if op == 3 && tb.size == len(tb.info) {
				copy(m.Data, tb.info[part*wire.MetaPart:])
			}
		}
		tb.h.Deliver(c, wire.META, string(m.Append(nil)))
	case 5:
		m := wire.Meta{Kind: int64(arg % 4), Part: part}
		tb.h.Deliver(c, wire.META, string(m.Append(nil)))
	case 6:
		tb.h.Advance(time.Duration(arg) * time.Second)
	case 7:
		if a := tb.by[c]; a != nil {
			tb.gone(a)
		}
		tb.h.Hangup(c, p2p.Violation(p2p.ReasonIO, "reset"))
	}
}
