package monitor

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"

	"starling/p2p"
	"starling/p2p/p2ptest"
)

// recorded is a monitor on a recording host.
func recorded(cfg Config) (*p2ptest.Host, *Monitor) {
	h := p2ptest.NewHost(1)
	n := p2p.NewNode(h, p2p.Config{Addr: "mon:1"})
	m := New(n, cfg)
	h.Start(n)
	return h, m
}

// batchOf is the data of a COPY.
func batchOf(source string, number, lost uint64, records ...p2p.TapRecord) string {
	b := appendHeader(nil, source, number, lost)
	for _, r := range records {
		b = r.AppendJSON(b)
	}
	return string(b)
}

// TestMonitor: a batch counts once, whoever brings it and however often.
func TestMonitor(t *testing.T) {
	var passed []Line
	h, m := recorded(Config{
		Filter: Filter{Types: []p2p.Type{p2p.NAME, p2p.PING}, Peers: []string{"b:", "zz"}},
		Sink:   func(lines []Line) { passed = append(passed, lines...) },
	})
	one := batchOf("s-1", 0, 0,
		record(p2p.Sent, "a:1", "b:1", "NAME", 3),
		record(p2p.Received, "a:1", "b:1", "NAME", 3),
		record(p2p.Sent, "a:1", "c:1", "NAME", 5),
		record(p2p.Sent, "b:1", "c:1", "LIST", 7),
		record(p2p.Received, "c:1", "b:1", "PING", math.MaxUint32))
	for i, step := range []struct{ data, answer string }{
		{one, "5"},
		{one, "5"},                  // again: the acknowledgement was lost
		{batchOf("s-2", 7, 9), "0"}, // from a source that began before us
		{batchOf("s-2", 9, 0), "0"}, // and of which one was given up
		{batchOf("s-2", 8, 5), "0"}, // which comes late and does not count
		{strings.TrimSpace(batchOf("s-1", 1, 0)), "0"}, // the last line needs no end
	} {
		h.Deliver(h.Accept("x:1"), COPY, step.data)
		want := fmt.Sprintf("send %d REPL %q\nclose %d served\n", i+1, step.answer, i+1)
		if got := h.TakeSends(); got != want {
			t.Errorf("step %d: %s, want %s", i, got, want)
		}
	}
	want := Stats{
		Records: 3, Filtered: 2, Lost: 9, Sources: 2,
		ByType: []Named{{"NAME", Tally{1, 1, 3, 3}}, {"PING", Tally{0, 1, 0, math.MaxUint32}}},
		BySender: []Named{
			{"a:1", Tally{1, 1, 3, 3}}, {"c:1", Tally{0, 1, 0, math.MaxUint32}},
		},
	}
	if got := m.Stats(); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v\nwant %+v", got, want)
	}
	if len(passed) != 4 || passed[2].Record.Type != p2p.PING || passed[3] != (Line{Lost: 9}) {
		t.Errorf("passed on %+v", passed)
	}
}

// TestMonitorRefuses: a batch with anything wrong in it ends the connection and
// counts for nothing.
func TestMonitorRefuses(t *testing.T) {
	good := record(p2p.Sent, "a:1", "b:1", "NAME", 3)
	line := string(good.AppendJSON(nil))
	first := batchOf("s-1", 0, 0)
	for data, reason := range map[string]string{
		"":                                         "COPY without the line of its source",
		line:                                       "COPY without the line of its source",
		`{"source":"s","lost":0}` + "\n":           "COPY without the line of its source",
		`{"source":"","batch":0,"lost":0}`:         "COPY without the line of its source",
		`{"source":"s","batch":-1,"lost":0}`:       "COPY without the line of its source",
		batchOf(strings.Repeat("s", 301), 0, 0):    "COPY without the line of its source",
		first + line + "\n":                        "COPY: line 3 is no line of a message log",
		first + line + `{"lost":3}`:                "COPY: line 3 is no line of a message log",
		first + line + first:                       `COPY: line 3 has direction ""`,
		first + strings.Replace(line, "3", "", -1): "COPY: line 2 is no line of a message log",
		first + strings.Repeat(strings.Replace(line, "a:1", "", 1), 513): "COPY of more than 512 records",
	} {
		h, m := recorded(Config{Sink: func([]Line) { t.Error("passed on") }})
		h.Deliver(h.Accept("x:1"), COPY, data)
		err := "bad_message: " + reason
		want := fmt.Sprintf("send 1 ERRO %q\nclose 1 %s\n", err, err)
		if got := h.TakeSends(); got != want {
			t.Errorf("%.40q: %s, want %s", data, got, want)
		}
		if s := m.Stats(); s.Records != 0 || s.Lost != 0 || s.Sources != 0 {
			t.Errorf("%.40q counts: %+v", data, s)
		}
	}
	// In an envelope, which would hold the rest of the requests.
	h, m := recorded(Config{})
	h.Deliver(h.Accept("x:1"), p2p.MSID, "\x00\x00\x00\x01\x00COPYx")
	if got := h.TakeSends(); !strings.HasPrefix(got, "send 1 MSID ") || !strings.HasSuffix(got, "close 1 bad_message: COPY without the line of its source\n") {
		t.Errorf("enveloped: %s", got)
	}
	if got := m.n.Limits().Specs[COPY].Max; got != 64<<10 {
		t.Errorf("a COPY may have %d bytes", got)
	}
}

// TestMonitorBounds: names without end fill no memory, are counted together, and
// the answer to a STAT still fits.
func TestMonitorBounds(t *testing.T) {
	h, m := recorded(Config{})
	c := h.Accept("x:1")
	m.n.Keep(c)
	total := 0
	for i := range maxSources + 10 {
		name := fmt.Sprint("peer", i)
		typ := fmt.Sprintf("<<%c%c", ' '+i/50%50, '!'+i%50)
		batch := batchOf(fmt.Sprintf("s-%d", i), 0, 0,
			record(p2p.Sent, name, "b:1", typ, 1), record(p2p.Sent, name, "b:1", typ, 1))
		if i < maxTold { // the longest names that a line can hold, and the longest to write
			batch = strings.ReplaceAll(batch, "peer", strings.Repeat(`\u0001`, 300))
			h.Deliver(c, COPY, strings.Replace(batch, "s-", "again-", 1))
			total += 2
		}
		h.Deliver(c, COPY, batch)
		total += 2
	}
	s := m.Stats()
	if s.Records != uint64(total) || s.Sources != maxSources || len(m.order) != maxSources {
		t.Errorf("%d records of %d, %d sources", s.Records, total, s.Sources)
	}
	if len(s.ByType) != maxTypes+1 || s.ByType[0].Name != other || len(s.BySender) != maxSenders+1 || s.BySender[0].Name != other {
		t.Errorf("%d types from %q, %d senders from %q", len(s.ByType), s.ByType[0].Name, len(s.BySender), s.BySender[0].Name)
	}
	sum := Tally{}
	for _, n := range s.BySender {
		sum.Sent += n.Sent
	}
	if sum.Sent != uint64(total) {
		t.Errorf("the senders' counts add up to %d of %d", sum.Sent, total)
	}
	h.Take()
	h.Deliver(c, p2p.MSID, "\x00\x00\x00\x01\x00STAT")
	got := h.TakeSends()
	if strings.Count(got, "\n") != 2 || len(got) < 50<<10 {
		t.Errorf("STAT was answered with %d bytes, %d messages", len(got), strings.Count(got, "\n"))
	}
}

// TestStat: the counters as JSON, over the framework.
func TestStat(t *testing.T) {
	w := newWatched(t, Filter{})
	w.fwd.Tap(record(p2p.Received, "a:1", "b:1", "NAME", 3))
	w.net.Run(w.fwd.n.Now().Sub(p2ptest.Epoch) + 2*gather)
	var told string
	asker := w.net.Node(p2p.Config{Addr: "c:1"}, nil)
	asker.ConnectAndSend(monitorAddr, p2p.Message{Type: STAT}, true, func(replies []p2p.Message, err error) {
		if err != nil || len(replies) != 1 || replies[0].Type != p2p.REPL {
			t.Fatalf("%v, %v", replies, err)
		}
		told = string(replies[0].Head)
	})
	w.net.Run(gather)
	want := `{"records":1,"filtered":0,"lost":0,"sources":1,` +
		`"by_type":[{"name":"NAME","sent":0,"received":1,"bytes_sent":0,"bytes_received":3}],` +
		`"by_sender":[{"name":"a:1","sent":0,"received":1,"bytes_sent":0,"bytes_received":3}]}`
	if told != want {
		t.Errorf("told %s", told)
	}
	var s Stats
	if err := json.Unmarshal([]byte(told), &s); err != nil || !reflect.DeepEqual(s, w.mon.Stats()) {
		t.Errorf("%+v, %v", s, err)
	}
}
