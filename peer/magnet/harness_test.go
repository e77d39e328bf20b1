package magnet

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"starling/p2p"
	"starling/p2p/p2ptest"
	"starling/peer/wire"
)

var (
	testHash = [20]byte{1}
	testID   = [20]byte{0x50}
)

// actor is a peer that the test plays.
type actor struct {
	id     byte
	info   []byte // what it takes for the dictionary; nil: it says that it has none
	size   uint32 // what it says of its length, if not what it is
	caps   uint16 // besides CapInfo
	deaf   bool   // it shakes no hands
	silent bool   // it answers no request
	reject bool
	leaves int           // after so many parts it is gone
	slow   time.Duration // it waits so long before each part
	// hashes answers for the trees; nil: it refuses, as mute says without a word.
	hashes func(h wire.Hashes) []byte
	mute   bool
	runs   int // of hashes, that it was asked for

	conn  p2p.ConnID // 0: none
	dials []time.Time
	asked []int64 // the parts that it was asked for, over all its connections
	gave  int
	owes  []owed
}

// owed is a part that a slow actor is going to give.
type owed struct {
	part int64
	at   time.Time
}

// table is a Fetcher, and its swarm by address.
type table struct {
	*Fetcher
	t      *testing.T
	h      *p2ptest.Host
	info   []byte
	actors map[string]*actor
	seats  []*actor // in order
	by     map[p2p.ConnID]*actor
	checks int
	found  [][]byte
	trees  []Tree // what is to be fetched besides
	enough bool   // the dictionary will do without
	got    []Tree
	ended  map[string][]string // why the Fetcher closed connections, by address
}

var errWrong = errors.New("wrong")

func newTable(t *testing.T, size int) *table {
	tb := &table{
		t: t, h: p2ptest.NewHost(1), info: make([]byte, size),
		actors: map[string]*actor{}, by: map[p2p.ConnID]*actor{}, ended: map[string][]string{},
	}
	rand.NewChaCha8([32]byte{byte(size)}).Read(tb.info)
	n := p2p.NewNode(tb.h, p2p.Config{})
	tb.Fetcher = New(n, Config{
		InfoHash: testHash, PeerID: testID,
		Check: func(info []byte) error {
			if tb.checks++; !bytes.Equal(info, tb.info) {
				return errWrong
			}
			return nil
		},
		Trees:  func([]byte) []Tree { return tb.trees },
		Enough: func([]byte) bool { return tb.enough },
		Done:   func(info []byte, trees []Tree) { tb.found, tb.got = append(tb.found, info), trees },
	})
	tb.h.Start(n)
	n.Wake()
	return tb
}

// honest is an actor that has the dictionary.
func (tb *table) honest() *actor { return &actor{info: tb.info} }

// liar is one that has another of the same length: one byte of one part differs.
func (tb *table) liar(part int) *actor {
	lie := bytes.Clone(tb.info)
	lie[min(part*wire.MetaPart, len(lie)-1)] ^= 1
	return &actor{info: lie}
}

// sit puts actors in the swarm and tells the Fetcher of them.
func (tb *table) sit(as ...*actor) []string {
	var addrs []string
	for _, a := range as {
		a.id = byte(len(tb.actors) + 1)
		addr := fmt.Sprintf("10.0.0.%d:6881", a.id)
		tb.actors[addr] = a
		tb.seats = append(tb.seats, a)
		addrs = append(addrs, addr)
	}
	tb.Add(addrs)
	return addrs
}

// run lets time pass, and the actors act.
func (tb *table) run(d time.Duration) {
	tb.t.Helper()
	for end := tb.h.Now().Add(d); ; tb.h.Advance(50 * time.Millisecond) {
		tb.act()
		tb.sound()
		if len(tb.found) > 0 || !tb.h.Now().Before(end) {
			return
		}
	}
}

// act plays the actors until nobody has anything to say.
func (tb *table) act() {
	for {
		lines := tb.h.TakeSends()
		for line := range strings.Lines(lines) {
			tb.hear(strings.TrimSuffix(line, "\n"))
		}
		busy := lines != ""
		for tb.h.Jobs() > 0 {
			tb.h.FinishJob(0)
			busy = true
		}
		for _, a := range tb.seats {
			if len(a.owes) > 0 && !tb.h.Now().Before(a.owes[0].at) {
				part := a.owes[0].part
				a.owes = a.owes[1:]
				tb.give(a, part)
				busy = true
			}
		}
		if !busy {
			return
		}
	}
}

// hear plays what one line of the host means to its actor.
func (tb *table) hear(line string) {
	word := strings.SplitN(line, " ", 4)
	n, err := strconv.Atoi(word[1])
	if err != nil {
		return
	}
	c := p2p.ConnID(n)
	if word[0] == "dial" {
		tb.dialed(c, word[2])
		return
	}
	a := tb.by[c]
	if a == nil {
		return
	}
	switch {
	case word[0] == "close":
		addr := fmt.Sprintf("10.0.0.%d:6881", a.id)
		tb.ended[addr] = append(tb.ended[addr], strings.TrimSuffix(word[2], ":"))
		tb.gone(a)
	case word[0] == "send" && word[2] == "HELO" && !a.deaf:
		h := wire.Hello{
			Version: 1, Caps: wire.CapInfo | wire.CapBlocks | a.caps, InfoHash: testHash, PeerID: [20]byte{a.id},
			MaxQueue: 250, MaxRequest: 16 << 10,
		}
		tb.h.Deliver(c, wire.HELO, string(h.Append(nil)))
		tb.h.Deliver(c, wire.HNON, "")
		i := wire.Info{Metadata: uint32(len(a.info)), Flags: wire.InfoMeta}
		if a.size != 0 {
			i.Metadata = a.size
		}
		tb.h.Deliver(c, wire.INFO, string(i.Append(nil)))
	case word[0] == "send" && word[2] == "HREQ":
		head, err := strconv.Unquote(word[3])
		if err != nil {
			tb.t.Fatal(err)
		}
		tb.giveHashes(a, head)
	case word[0] == "send" && word[2] == "META":
		head, err := strconv.Unquote(word[3])
		if err != nil {
			tb.t.Fatal(err)
		}
		m, err := wire.ParseMeta([]byte(head))
		if err != nil || m.Kind != wire.MetaRequest && m.Kind != wire.MetaReject {
			tb.t.Fatalf("it sent %q", head)
		}
		if m.Kind == wire.MetaReject {
			return
		}
		a.asked = append(a.asked, m.Part)
		if !a.silent {
			a.owes = append(a.owes, owed{m.Part, tb.h.Now().Add(a.slow)})
		}
	}
}

func (tb *table) dialed(c p2p.ConnID, addr string) {
	if !tb.h.Alive(c) {
		return // given up meanwhile
	}
	a := tb.actors[addr]
	if a == nil {
		tb.h.Fail(c)
		return
	}
	a.conn, tb.by[c] = c, a
	a.dials = append(a.dials, tb.h.Now())
	tb.h.Open(c)
}

func (tb *table) gone(a *actor) {
	delete(tb.by, a.conn)
	a.conn, a.owes = 0, nil
}

// give answers a request.
func (tb *table) give(a *actor, part int64) {
	m := wire.Meta{Kind: wire.MetaData, Part: part, Total: int64(len(a.info))}
	if a.size != 0 {
		m.Total = int64(a.size)
	}
	from := int(part) * wire.MetaPart
	switch {
	case a.reject:
		m.Kind = wire.MetaReject
	case from < len(a.info):
		m.Data = a.info[from:min(len(a.info), from+wire.MetaPart)]
	default: // it says more than it has
		m.Data = make([]byte, min(wire.MetaPart, int(a.size)-from))
	}
	a.gave++
	tb.h.Deliver(a.conn, wire.META, string(m.Append(nil)))
	if c := a.conn; a.gave == a.leaves && c != 0 {
		tb.gone(a)
		tb.h.Hangup(c, p2p.Violation(p2p.ReasonIO, "reset"))
	}
}

// giveHashes answers a request for hashes.
func (tb *table) giveHashes(a *actor, head string) {
	h, err := wire.ParseHashes([]byte(head))
	if err != nil {
		tb.t.Fatalf("it sent %q: %v", head, err)
	}
	a.runs++
	switch {
	case a.mute:
	case a.hashes == nil:
		tb.h.Deliver(a.conn, wire.HREJ, head)
	default:
		h.Answer = a.hashes(h)
		tb.h.Deliver(a.conn, wire.HASH, string(h.Append(nil)))
	}
}

// sound holds the Fetcher's books against one another.
func (tb *table) sound() {
	tb.t.Helper()
	f := tb.Fetcher
	if len(f.conns) > maxConns || len(f.peers) > maxPeers {
		tb.t.Fatalf("%d connections to %d peers", len(f.conns), len(f.peers))
	}
	asked := map[int]*peer{}
	for _, p := range f.peers {
		if (p.conn != 0) != (f.conns[p.conn] == p) || p.conn == 0 && (p.known || p.size != 0 || len(p.asked) > 0) {
			tb.t.Fatalf("%s: connection %d, known %v, size %d, %d parts asked for", p.addr, p.conn, p.known, p.size, len(p.asked))
		}
		if len(p.asked) > ahead || p.liar && p.conn != 0 {
			tb.t.Fatalf("%s: %d parts asked for, liar %v", p.addr, len(p.asked), p.liar)
		}
		for _, a := range p.asked {
			if asked[a.part] != nil || f.from[a.part] != p || f.parts[a.part] != nil {
				tb.t.Fatalf("part %d is asked for twice, or had", a.part)
			}
			asked[a.part] = p
		}
	}
	runs := map[*peer]int{}
	for i := range f.hashes {
		if a := &f.hashes[i]; a.from != nil {
			runs[a.from]++
		}
	}
	for _, p := range f.peers {
		if runs[p] != p.hashes || p.hashes > ahead {
			tb.t.Fatalf("%s: %d runs of hashes asked for, really %d", p.addr, p.hashes, runs[p])
		}
	}
	got := 0
	for i, part := range f.parts {
		if part != nil {
			got++
		} else if f.from[i] != asked[i] {
			tb.t.Fatalf("part %d is taken for asked for", i)
		}
	}
	if got != f.got || len(f.parts) != len(f.from) {
		tb.t.Fatalf("%d parts are had, really %d", f.got, got)
	}
}

// done fails the test unless the dictionary was found, once.
func (tb *table) done() {
	tb.t.Helper()
	if len(tb.found) != 1 || !bytes.Equal(tb.found[0], tb.info) {
		tb.t.Fatalf("found %d dictionaries; closed: %v", len(tb.found), tb.ended)
	}
}
