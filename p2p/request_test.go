package p2p_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"starling/p2p"
	"starling/p2p/p2ptest"
)

// outcome notes what a request came to, and fails on a second one.
type outcome struct {
	t       *testing.T
	told    bool
	replies []string
	err     error
}

func (o *outcome) fn(rs []p2p.Message, err error) {
	o.t.Helper()
	if o.told {
		o.t.Error("told twice")
	}
	o.told, o.err = true, err
	for _, r := range rs {
		o.replies = append(o.replies, fmt.Sprintf("%v %s", r.Type, r.Head))
	}
}

// is checks the outcome: its replies joined by "|", or its error's reason.
func (o *outcome) is(want string) {
	o.t.Helper()
	got := strings.Join(o.replies, "|")
	if o.err != nil {
		got = p2p.ReasonOf(o.err).String()
	}
	if !o.told {
		got = "nothing yet"
	}
	if got != want {
		o.t.Errorf("outcome %q (%v), want %q", got, o.err, want)
	}
}

func name() p2p.Message { return p2p.Message{Type: p2p.NAME} }

func TestConnectAndSend(t *testing.T) {
	for _, tc := range []struct {
		name string
		run  func(h *p2ptest.Host, c p2p.ConnID)
		want string
		seen string
	}{
		{"replies until the end", func(h *p2ptest.Host, c p2p.ConnID) {
			h.Open(c)
			h.Deliver(c, p2p.REPL, "one")
			h.Deliver(c, p2p.ERRO, "two")
			h.Hangup(c, io.EOF)
		}, "REPL one|ERRO two", "send 1 NAME \"\"\n"},
		{"no reply", func(h *p2ptest.Host, c p2p.ConnID) {
			h.Open(c)
			h.Hangup(c, io.EOF)
		}, "", "send 1 NAME \"\"\n"},
		{"dial fails", func(h *p2ptest.Host, c p2p.ConnID) { h.Fail(c) }, "dial_failed", ""},
		{"breaks", func(h *p2ptest.Host, c p2p.ConnID) {
			h.Open(c)
			h.Deliver(c, p2p.REPL, "one")
			h.Hangup(c, errors.New("reset"))
		}, "io", "send 1 NAME \"\"\n"},
		{"host finds fault", func(h *p2ptest.Host, c p2p.ConnID) {
			h.Open(c)
			h.Hangup(c, p2p.Violation(p2p.ReasonTooLarge, "frame"))
		}, "too_large", "send 1 NAME \"\"\n"},
		{"dial takes too long", func(h *p2ptest.Host, c p2p.ConnID) {
			h.Advance(10 * time.Second)
		}, "timeout", "close 1 timeout: request\n"},
		{"answer takes too long", func(h *p2ptest.Host, c p2p.ConnID) {
			h.Advance(9 * time.Second)
			h.Open(c)
			h.Deliver(c, p2p.REPL, "one")
			h.Advance(time.Second)
		}, "timeout", "send 1 NAME \"\"\nclose 1 timeout: request\n"},
		{"too many replies", func(h *p2ptest.Host, c p2p.ConnID) {
			h.Open(c)
			for range 5000 {
				h.Deliver(c, p2p.REPL, "")
			}
		}, "too_large", "send 1 NAME \"\"\nclose 1 too_large: replies\n"},
		{"too much reply", func(h *p2ptest.Host, c p2p.ConnID) {
			h.Open(c)
			for range 20 {
				h.Deliver(c, p2p.REPL, strings.Repeat("x", 60<<10))
			}
		}, "too_large", "send 1 NAME \"\"\nclose 1 too_large: replies\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			h, n := start(t, p2p.Config{})
			n.SetHooks(p2p.Hooks{
				Opened: func(p2p.ConnInfo) { t.Error("hook Opened for a request") },
				Closed: func(p2p.ConnID, error) { t.Error("hook Closed for a request") },
			})
			o := &outcome{t: t}
			n.ConnectAndSend("b:1", name(), true, o.fn)
			o.is("nothing yet")
			h.TakeSends()
			tc.run(h, 1)
			o.is(tc.want)
			if got := h.TakeSends(); got != tc.seen {
				t.Errorf("host saw:\n%swant:\n%s", got, tc.seen)
			}
			h.Advance(time.Hour)
		})
	}
}

func TestSendToPeer(t *testing.T) {
	h, n := start(t, p2p.Config{Allow: func(addr string) bool { return addr != "victim:1" }})
	if err := n.AddPeer("bob", "b:1"); err != nil {
		t.Fatal(err)
	}
	if err := n.AddPeer("eve", "victim:1"); p2p.ReasonOf(err) != p2p.ReasonRefused {
		t.Errorf("a forbidden address entered the table: %v", err)
	}

	o := &outcome{t: t}
	n.SendToPeer("bob", name(), false, o.fn)
	o.is("nothing yet")
	h.Open(1)
	o.is("")
	want(t, h, "dial 1 b:1", `send 1 NAME ""`, "close 1 served")

	o = &outcome{t: t}
	n.SendToPeer("carol", name(), true, o.fn)
	o.is("nothing yet") // never inside the call
	h.Advance(0)
	o.is("unroutable")

	n.SetRouter(func(to string) (string, string, bool) { return "bob", "b:1", true })
	head := []byte("carol q 3")
	o = &outcome{t: t}
	n.SendToPeer("carol", p2p.Message{Type: p2p.T("QUER"), Head: head}, true, o.fn)
	copy(head, "XXXXXXXXX")
	h.Open(2)
	want(t, h, "dial 2 b:1", `send 2 QUER "carol q 3"`)

	o = &outcome{t: t}
	body := p2ptest.Blank(3)
	n.ConnectAndSend("victim:1", p2p.Message{Type: p2p.NAME, Body: body}, true, o.fn)
	h.Advance(0)
	o.is("refused")
	want(t, h)
	if body.Released != 1 {
		t.Error("body of a refused request not released")
	}
	n.SendToPeer("nobody", name(), true, nil)
	h.Advance(0)
}

// Too many requests at a time are refused; room that is freed can be used.
func TestRequestBound(t *testing.T) {
	h, n := start(t, p2p.Config{})
	failed := 0
	for range 1025 {
		n.ConnectAndSend("b:1", name(), true, func(_ []p2p.Message, err error) {
			if p2p.ReasonOf(err) == p2p.ReasonTooMany {
				failed++
			}
		})
	}
	h.Advance(0)
	if failed != 1 {
		t.Fatalf("%d requests refused, want 1", failed)
	}
	h.Fail(1)
	n.ConnectAndSend("b:1", name(), true, func(_ []p2p.Message, err error) { failed++ })
	h.Advance(0)
	if failed != 1 {
		t.Error("freed room not used")
	}
}

// A reply's body belongs to who takes it, and to nobody else.
func TestReplyBodies(t *testing.T) {
	h, n := start(t, p2p.Config{})
	taken, left, late := p2ptest.Blank(1), p2ptest.Blank(2), p2ptest.Blank(3)
	n.ConnectAndSend("b:1", name(), true, func(rs []p2p.Message, err error) {
		if len(rs) != 2 || rs[0].Body != taken {
			t.Fatalf("replies %v, %v", rs, err)
		}
		rs[0].Body = nil
	})
	h.Open(1)
	h.DeliverBody(1, p2p.REPL, "", taken)
	h.DeliverBody(1, p2p.REPL, "", left)
	h.Hangup(1, io.EOF)
	n.ConnectAndSend("b:1", name(), true, nil)
	h.Open(2)
	h.DeliverBody(2, p2p.REPL, "", late)
	h.Advance(time.Minute)
	if taken.Released != 0 || left.Released != 1 || late.Released != 1 {
		t.Errorf("released %d %d %d", taken.Released, left.Released, late.Released)
	}
}

// Requests overlap on one open connection and are told apart by their ids.
func TestRequest(t *testing.T) {
	h, n := start(t, p2p.Config{})
	c := n.Dial("b:1")
	closed := &outcome{t: t}
	n.Request(c, name(), closed.fn) // not open yet
	h.Advance(0)
	closed.is("io")
	h.Open(c)
	var a, b, late, broken outcome
	for _, o := range []*outcome{&a, &b, &late, &broken} {
		o.t = t
		n.Request(c, name(), o.fn)
	}
	want(t, h, "dial 1 b:1",
		`send 1 MSID "\x00\x00\x00\x01\x00NAME"`, `send 1 MSID "\x00\x00\x00\x02\x00NAME"`,
		`send 1 MSID "\x00\x00\x00\x03\x00NAME"`, `send 1 MSID "\x00\x00\x00\x04\x00NAME"`)
	h.Deliver(c, p2p.MSID, "\x00\x00\x00\x02\x01REPLb1")
	h.Deliver(c, p2p.MSID, "\x00\x00\x00\x01\x01REPLa1")
	h.Deliver(c, p2p.MSID, "\x00\x00\x00\x02\x03REPLb2") // last, with a message
	h.Deliver(c, p2p.MSID, "\x00\x00\x00\x01\x03")       // last, without
	a.is("REPL a1")
	b.is("REPL b1|REPL b2")
	h.Advance(10 * time.Second)
	late.is("timeout")
	broken.is("timeout")
	h.Deliver(c, p2p.MSID, "\x00\x00\x00\x03\x03REPLlate")
	if !h.Alive(c) {
		t.Error("a late reply closed the connection")
	}

	broken = outcome{t: t}
	n.Request(c, name(), broken.fn)
	h.Hangup(c, io.EOF)
	broken.is("eof")

	c = h.Accept("x:9")
	n.Keep(c)
	h.Fill(c, true)
	full := &outcome{t: t}
	n.Request(c, name(), full.fn)
	full.is("nothing yet")
	h.Advance(0)
	full.is("slow_reader")
	h.Fill(c, false)
	failed := 0
	for range 65 {
		n.Request(c, name(), func(_ []p2p.Message, err error) {
			if p2p.ReasonOf(err) == p2p.ReasonTooMany {
				failed++
			}
		})
	}
	h.Advance(0)
	if failed != 1 {
		t.Errorf("%d of 65 requests refused", failed)
	}
	body := p2ptest.Blank(64<<10 + 1)
	large := &outcome{t: t}
	d := h.Accept("y:9")
	n.Request(d, p2p.Message{Type: p2p.NAME, Body: body}, large.fn)
	h.Advance(0)
	large.is("too_large")
	if body.Released != 1 {
		t.Error("body of a refused request not released")
	}
	own := &outcome{t: t}
	n.Close(c, nil)
	n.Request(c, name(), own.fn)
	h.Advance(0)
	own.is("io")
}

func TestRequestEndsWithClose(t *testing.T) {
	h, n := start(t, p2p.Config{})
	c := h.Accept("x:9")
	n.Keep(c)
	o := &outcome{t: t}
	n.Request(c, name(), o.fn)
	n.Close(c, p2p.Violation(p2p.ReasonShutdown, "bye"))
	o.is("nothing yet")
	h.Advance(0)
	o.is("shutdown")
	h.Advance(time.Minute)
}
