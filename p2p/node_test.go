package p2p_test

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"starling/p2p"
	"starling/p2p/p2ptest"
)

// start returns a node "me:1" on a recording host.
func start(t *testing.T, cfg p2p.Config) (*p2ptest.Host, *p2p.Node) {
	t.Helper()
	h := p2ptest.NewHost(1)
	if cfg.Addr == "" {
		cfg.Addr = "me:1"
	}
	n := p2p.NewNode(h, cfg)
	h.Start(n)
	return h, n
}

// want compares what the host wrote, timers left out, with lines.
func want(t *testing.T, h *p2ptest.Host, lines ...string) {
	t.Helper()
	w := ""
	if len(lines) > 0 {
		w = strings.Join(lines, "\n") + "\n"
	}
	if got := h.TakeSends(); got != w {
		t.Errorf("host saw:\n%swant:\n%s", got, w)
	}
}

// The answers to the standard messages, each on a connection of its own, as a
// peer of the paper asks them.
func TestStandardAnswers(t *testing.T) {
	h, n := start(t, p2p.Config{MaxPeers: 2})
	if err := n.AddPeer("b:1", "b:1"); err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("x", 300)
	steps := []struct {
		typ     p2p.Type
		data    string
		answers []string
	}{
		{p2p.NAME, "", []string{`REPL "me:1"`}},
		{p2p.LIST, "", []string{`REPL "1"`, `REPL "b:1 b 1"`}},
		{p2p.JOIN, "b:1 b 1", []string{`ERRO "Join: peer already inserted b:1"`}},
		{p2p.JOIN, "me:1 me 1", []string{`ERRO "Join: peer already inserted me:1"`}},
		{p2p.JOIN, "alias me 1", []string{`ERRO "Join: peer already inserted alias"`}},
		{p2p.JOIN, "", []string{`ERRO "Join: incorrect arguments"`}},
		{p2p.JOIN, "c:1 c", []string{`ERRO "Join: incorrect arguments"`}},
		{p2p.JOIN, "c:1 c 0", []string{`ERRO "Join: incorrect arguments"`}},
		{p2p.JOIN, "c:1 c 65536", []string{`ERRO "Join: incorrect arguments"`}},
		{p2p.JOIN, "c:1 c -1", []string{`ERRO "Join: incorrect arguments"`}},
		{p2p.JOIN, "c:1 c/d 1", []string{`ERRO "Join: incorrect arguments"`}},
		{p2p.JOIN, "c:1 c 1 more", []string{`ERRO "Join: incorrect arguments"`}},
		{p2p.JOIN, "c\x00 c 1", []string{`ERRO "Join: incorrect arguments"`}},
		{p2p.JOIN, long + " c 1", []string{`ERRO "Join: incorrect arguments"`}},
		{p2p.JOIN, "six fe80::1 80", []string{`REPL "Join: peer added: six"`}},
		{p2p.JOIN, "d:1 d 1", []string{`ERRO "Join: too many peers"`}},
		{p2p.LIST, "", []string{`REPL "2"`, `REPL "b:1 b 1"`, `REPL "six fe80::1 80"`}},
		{p2p.QUIT, "six", []string{`REPL "Quit: peer removed: six"`}},
		{p2p.QUIT, "six", []string{`ERRO "Quit: peer not found: six"`}},
		{p2p.QUIT, "a b", []string{`ERRO "Quit: incorrect arguments"`}},
		{p2p.PING, "", nil},
		{p2p.REPL, "unasked", nil},
		{p2p.ERRO, "unasked", nil},
	}
	for _, s := range steps {
		c := h.Accept("x:9")
		h.Deliver(c, s.typ, s.data)
		var lines []string
		for _, a := range s.answers {
			lines = append(lines, fmt.Sprintf("send %d %s", c, a))
		}
		want(t, h, append(lines, fmt.Sprintf("close %d served", c))...)
	}
	if n.Unknown() != 0 {
		t.Errorf("%d of the standard messages are unknown", n.Unknown())
	}
}

// A list that is longer than one answer may be is cut, and differs in where.
func TestLongList(t *testing.T) {
	h, n := start(t, p2p.Config{})
	for i := range 1500 {
		if err := n.AddPeer(fmt.Sprintf("p%04d", i), "p:1"); err != nil {
			t.Fatal(err)
		}
	}
	firsts := map[string]bool{}
	for range 4 {
		c := h.Accept("x:9")
		h.Deliver(c, p2p.LIST, "")
		lines := strings.Split(strings.TrimSpace(h.TakeSends()), "\n")
		if len(lines) != 1+1000+1 || !strings.HasSuffix(lines[0], `"1000"`) {
			t.Fatalf("%d lines, first %q", len(lines), lines[0])
		}
		firsts[strings.Fields(lines[1])[3]] = true
	}
	if len(firsts) < 2 {
		t.Error("always the same part of the list")
	}
}

func TestHandlers(t *testing.T) {
	echo := p2p.T("ECHO")
	var unknown []string
	h, n := start(t, p2p.Config{})
	n.SetHooks(p2p.Hooks{Unknown: func(_ p2p.ConnID, m *p2p.Message) {
		unknown = append(unknown, fmt.Sprintf("%v %s", m.Type, m.Head))
	}})
	n.Handle(echo, p2p.Spec{Max: 10}, func(p2p.ConnID, *p2p.Message) { t.Error("replaced handler ran") })
	n.Handle(echo, p2p.Spec{Max: 100}, func(c p2p.ConnID, m *p2p.Message) {
		if err := n.Reply(c, *m); err != nil {
			t.Error(err)
		}
	})
	if s, ok := n.Limits().For(echo); !ok || s.Max != 100 {
		t.Errorf("limit of ECHO: %+v, %v", s, ok)
	}
	if s, ok := n.Limits().For(p2p.T("WHAT")); ok || s.Max != 64<<10 {
		t.Errorf("limit of an unknown type: %+v, %v", s, ok)
	}
	c := h.Accept("x:9")
	h.Deliver(c, echo, "hello")
	want(t, h, `send 1 ECHO "hello"`, "close 1 served")

	body := p2ptest.Blank(5)
	c = h.Accept("x:9")
	h.DeliverBody(c, p2p.T("WHAT"), "ever", body)
	want(t, h, "close 2 served")
	if body.Released != 1 || n.Unknown() != 1 || len(unknown) != 1 || unknown[0] != "WHAT ever" {
		t.Errorf("released %d, unknown %d %q", body.Released, n.Unknown(), unknown)
	}

	n.Handle(echo, p2p.Spec{}, nil)
	if _, ok := n.Limits().For(echo); ok {
		t.Error("handler not removed")
	}
}

// Connections of the protocol stay, those of nobody go, and the hooks say so.
func TestConnections(t *testing.T) {
	hello := p2p.T("HELO")
	var heard []string
	h, n := start(t, p2p.Config{})
	n.SetHooks(p2p.Hooks{
		Opened:  func(c p2p.ConnInfo) { heard = append(heard, fmt.Sprintf("opened %d %v", c.ID, c.Dialed)) },
		Drained: func(c p2p.ConnID, _ int) { heard = append(heard, fmt.Sprintf("drained %d", c)) },
		Closed:  func(c p2p.ConnID, err error) { heard = append(heard, fmt.Sprintf("closed %d %v", c, err)) },
	})
	n.Handle(hello, p2p.Spec{Max: 10}, func(c p2p.ConnID, _ *p2p.Message) { n.Keep(c) })
	tell := func(lines ...string) {
		t.Helper()
		if got, w := strings.Join(heard, "\n"), strings.Join(lines, "\n"); got != w {
			t.Errorf("heard:\n%s\nwant:\n%s", got, w)
		}
		heard = nil
	}

	kept := h.Accept("x:9")
	h.Deliver(kept, hello, "")
	h.Deliver(kept, p2p.NAME, "")
	h.Advance(time.Hour)
	h.Drain(kept)
	want(t, h, `send 1 REPL "me:1"`)
	tell("opened 1 false", "drained 1")

	dialed := n.Dial("y:1")
	h.Open(dialed)
	h.Deliver(dialed, p2p.NAME, "")
	h.Hangup(dialed, io.EOF)
	want(t, h, "dial 2 y:1", `send 2 REPL "me:1"`)
	tell("opened 2 true", "closed 2 EOF")

	h.Fail(n.Dial("z:1"))
	want(t, h, "dial 3 z:1")
	tell("closed 3 connection refused")

	silent := h.Accept("x:9")
	h.Advance(10*time.Second - 1)
	want(t, h)
	h.Advance(1)
	want(t, h, "close 4 timeout: no first message")
	tell("opened 4 false", "closed 4 timeout: no first message")
	h.Deliver(silent, p2p.NAME, "")

	n.Close(kept, p2p.Violation(p2p.ReasonNotNeeded, "both %s", "seeds"))
	want(t, h, "close 1 not_needed: both seeds")
	tell()
	body := p2ptest.Blank(1)
	n.Received(kept, &p2p.Message{Type: p2p.NAME, Body: body})
	want(t, h)
	if body.Released != 1 {
		t.Error("a body on a closed connection was not released")
	}
}

// An answer may come after the handler, on a connection for one request and in
// an envelope.
func TestDefer(t *testing.T) {
	slow := p2p.T("SLOW")
	var calls []p2p.Call
	var closed []p2p.ConnID
	h, n := start(t, p2p.Config{})
	n.SetHooks(p2p.Hooks{Closed: func(c p2p.ConnID, _ error) { closed = append(closed, c) }})
	n.Handle(slow, p2p.Spec{Max: 100}, func(c p2p.ConnID, _ *p2p.Message) {
		call, err := n.Defer()
		if again, _ := n.Defer(); again != call {
			t.Error("deferred twice")
		}
		if err != nil {
			n.ReplyText(c, p2p.ERRO, err.Error())
			return
		}
		calls = append(calls, call)
	})
	text := func(s string) p2p.Message { return p2p.Message{Type: p2p.REPL, Head: []byte(s)} }

	c := h.Accept("x:9")
	h.Deliver(c, slow, "")
	h.Deliver(c, p2p.NAME, "") // one request a connection
	h.Advance(29 * time.Second)
	want(t, h)
	n.ReplyTo(calls[0], text("late"))
	n.Finish(calls[0])
	n.Finish(calls[0])
	want(t, h, `send 1 REPL "late"`, "close 1 served")
	if err := n.ReplyTo(calls[0], text("more")); err != p2p.ErrClosed {
		t.Errorf("reply after Finish: %v", err)
	}

	c = h.Accept("x:9")
	h.Deliver(c, slow, "")
	h.Advance(30 * time.Second)
	want(t, h, "close 2 served")
	if len(closed) != 1 || closed[0] != c {
		t.Errorf("closed %v", closed)
	}

	c = h.Accept("x:9")
	h.Deliver(c, p2p.MSID, "\x00\x00\x00\x07\x00SLOW")
	h.Deliver(c, p2p.MSID, "\x00\x00\x00\x08\x00NAME")
	want(t, h, `send 3 MSID "\x00\x00\x00\b\x01REPLme:1"`, `send 3 MSID "\x00\x00\x00\b\x03"`)
	n.ReplyTo(calls[2], text("late"))
	n.Finish(calls[2])
	want(t, h, `send 3 MSID "\x00\x00\x00\a\x01REPLlate"`, `send 3 MSID "\x00\x00\x00\a\x03"`)
	for range 64 {
		h.Deliver(c, p2p.MSID, "\x00\x00\x00\x09\x00SLOW")
	}
	want(t, h)
	h.Deliver(c, p2p.MSID, "\x00\x00\x00\x0a\x00SLOW")
	want(t, h, `send 3 MSID "\x00\x00\x00\n\x01ERROtoo_many: deferred requests"`, `send 3 MSID "\x00\x00\x00\n\x03"`)
	h.Hangup(c, io.EOF)
	if err := n.ReplyTo(calls[5], text("gone")); err != p2p.ErrClosed {
		t.Errorf("reply on a closed connection: %v", err)
	}
	n.Finish(calls[5])
	h.Advance(time.Minute)
	want(t, h)

	// Deferred and finished within the handler: the same as answered.
	n.Handle(p2p.T("FAST"), p2p.Spec{Max: 1}, func(p2p.ConnID, *p2p.Message) {
		call, _ := n.Defer()
		n.ReplyTo(call, text("done"))
		n.Finish(call)
	})
	c = h.Accept("x:9")
	h.Deliver(c, p2p.T("FAST"), "")
	want(t, h, `send 4 REPL "done"`, "close 4 served")
}

// A connection that carries envelopes stays until it idles; what is wrong with
// an envelope closes it with a reason.
func TestEnvelopeServer(t *testing.T) {
	h, n := start(t, p2p.Config{})
	n.Handle(p2p.T("BULK"), p2p.Spec{Max: 100, Head: 4}, func(p2p.ConnID, *p2p.Message) { t.Error("bulk handled") })
	c := h.Accept("x:9")
	h.Deliver(c, p2p.MSID, "\x00\x00\x00\x01\x00name")
	want(t, h, `send 1 MSID "\x00\x00\x00\x01\x01REPLme:1"`, `send 1 MSID "\x00\x00\x00\x01\x03"`)
	h.Advance(100 * time.Second)
	h.Deliver(c, p2p.MSID, "\x00\x00\x00\x02\x00WHAT")
	want(t, h, `send 1 MSID "\x00\x00\x00\x02\x03"`)
	h.Deliver(c, p2p.MSID, "\x00\x00\x00\x63\x03") // a reply to nothing
	h.Deliver(c, p2p.NAME, "")
	want(t, h, `send 1 REPL "me:1"`)
	h.Advance(120 * time.Second)
	want(t, h, "close 1 idle")

	for i, bad := range []struct{ data, reason string }{
		{"", "bad_message: MSID of 0 bytes"},
		{"\x00\x00\x00\x01", "bad_message: MSID of 4 bytes"},
		{"\x00\x00\x00\x01\x00", "bad_message: MSID of 5 bytes"},
		{"\x00\x00\x00\x01\x03REP", "bad_message: MSID of 8 bytes"},
		{"\x00\x00\x00\x01\x02NAME", "bad_message: MSID with flags 0x2"},
		{"\x00\x00\x00\x01\x80NAME", "bad_message: MSID with flags 0x80"},
		{"\x00\x00\x00\x01\x00MSID", "bad_message: MSID in an MSID"},
		{"\x00\x00\x00\x01\x00BULKdata", "bad_message: BULK in an MSID"},
		{"\x00\x00\x00\x01\x00JOIN" + strings.Repeat("x", 1025), "too_large: JOIN of 1025 bytes"},
	} {
		c := h.Accept("x:9")
		h.Deliver(c, p2p.MSID, bad.data)
		want(t, h, fmt.Sprintf("close %d %s", i+2, bad.reason))
	}
	// The end of replies is not to be lost: who does not read is closed.
	c = h.Accept("x:9")
	h.Fill(c, true)
	h.Deliver(c, p2p.MSID, "\x00\x00\x00\x01\x00PING")
	h.Advance(0)
	want(t, h, fmt.Sprintf("refused %d MSID: outbox full", c), fmt.Sprintf("close %d slow_reader", c))
}

func TestTapLog(t *testing.T) {
	var b strings.Builder
	log := p2p.NewTapLog(&b)
	h, n := start(t, p2p.Config{Tap: log.Record})
	c := h.Accept("x:9")
	h.Deliver(c, p2p.NAME, "")
	c = h.Accept("x:9")
	n.Keep(c)
	n.Send(c, p2p.Message{Type: p2p.T("BULK"), Head: []byte("123456789"), Body: p2ptest.Blank(1000)})
	n.Identify(c, "Größe \"\\\n"+strings.Repeat("z", 300))
	h.Advance(1500 * time.Microsecond)
	h.Deliver(c, p2p.T("\x00a\"\xff"), "123")
	h.Fill(c, true)
	n.Send(c, p2p.Message{Type: p2p.PING}) // refused, so not logged
	// e3069283 is CRC-32C's check value (of the digits 1 to 9).
	wantLog := `{"time":"2026-01-01T00:00:00Z","dir":"recv","from":"x:9","to":"me:1","type":"NAME","length":0,"digest":"00000000"}
{"time":"2026-01-01T00:00:00Z","dir":"send","from":"me:1","to":"x:9","type":"REPL","length":4,"digest":"41ee9ec8"}
{"time":"2026-01-01T00:00:00Z","dir":"send","from":"me:1","to":"x:9","type":"BULK","length":1009,"digest":"e3069283"}
{"time":"2026-01-01T00:00:00.0015Z","dir":"recv","from":"Gr\u00f6\u00dfe \"\\\u000a` + strings.Repeat("z", 117) + `","to":"me:1","type":".a\".","length":3,"digest":"107b2fb2"}
`
	if b.String() != wantLog {
		t.Errorf("got:\n%swant:\n%s", b.String(), wantLog)
	}
	if log.Err() != nil {
		t.Error(log.Err())
	}
	failing := p2p.NewTapLog(failWriter{})
	failing.Record(p2p.TapRecord{})
	failing.Record(p2p.TapRecord{})
	if failing.Err() != io.ErrShortWrite {
		t.Errorf("err %v", failing.Err())
	}
}

type failWriter struct{}

func (failWriter) Write([]byte) (int, error) { return 0, io.ErrShortWrite }
