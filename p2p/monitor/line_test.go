package monitor

import (
	"bytes"
	"math"
	"strings"
	"testing"
	"time"

	"starling/p2p"
	"starling/p2p/p2ptest"
)

// record is a record to test with.
func record(dir p2p.Dir, from, to, typ string, length int) p2p.TapRecord {
	return p2p.TapRecord{
		Time: p2ptest.Epoch.Add(time.Duration(length) * time.Microsecond), Dir: dir,
		From: from, To: to, Type: p2p.T(typ), Length: length, Digest: uint32(length) * 2654435761,
	}
}

// TestLineRoundTrip: what a TapLog writes comes back as it was, as far as a log
// can tell it.
func TestLineRoundTrip(t *testing.T) {
	for _, r := range []p2p.TapRecord{
		record(p2p.Sent, "a:1", "b:1", "NAME", 0),
		record(p2p.Received, `"\`, "Größe ", "a\"\\ ", math.MaxUint32),
		record(p2p.Received, "", strings.Repeat("x", 128), "PIEC", 262152),
	} {
		l, err := ParseLine(r.AppendJSON(nil))
		if err != nil {
			t.Fatalf("%s: %v", r.AppendJSON(nil), err)
		}
		if l.Record.Type = r.Type; l.Record != r || l.Lost != 0 { // small letters count as capitals
			t.Errorf("%+v became %+v", r, l.Record)
		}
	}
	mark := Line{Lost: math.MaxUint64}
	if l, err := ParseLine(mark.AppendJSON(nil)); err != nil || l != mark {
		t.Errorf("%+v, %v", l, err)
	}
	// A longest line is within the bound, and so is a later version's.
	r := record(p2p.Received, strings.Repeat("\x00", 500), strings.Repeat("\xff", 500), "PIEC", math.MaxUint32)
	b := r.AppendJSON(nil)
	if l, err := ParseLine(b); err != nil || l.Record.To != strings.Repeat("\ufffd", 128) {
		t.Errorf("%d bytes: %+v, %v", len(b), l, err)
	}
	more := bytes.Replace(b, []byte(`{`), []byte(`{"later":[1,{}],`), 1)
	if _, err := ParseLine(more); err != nil {
		t.Error(err)
	}
}

func TestLineRefused(t *testing.T) {
	good := record(p2p.Sent, "a:1", "b:1", "NAME", 7)
	line := string(good.AppendJSON(nil))
	for _, tc := range []struct{ old, new, err string }{
		{"{", "", "is no line of a message log"},
		{line, "", "is no line of a message log"},
		{line, "null", `has direction ""`},
		{`"send"`, `"SEND"`, `has direction "SEND"`},
		{`"NAME"`, `"NAMES"`, `has type "NAMES"`},
		{`"NAME"`, `"NA\u0000E"`, `has type "NA\x00E"`},
		{`"NAME"`, `"NAÄ"`, `has type "NAÄ"`},
		{`:7,`, `:-7,`, "has no length of a message"},
		{`:7,`, `:4294967296,`, "has no length of a message"},
		{`:7,`, `:7.5,`, "is no line of a message log"},
		{`"length":7,`, ``, "has no length of a message"},
		{`"digest":"`, `"digest":"0`, "has no digest of 8 digits"},
		{`"digest":"`, `"xdigest":"`, "has no digest of 8 digits"},
		{`"time"`, `"when"`, "has no time"},
		{`2026-01`, `2026-13`, "is no line of a message log"},
		{`"a:1"`, `"` + strings.Repeat("x", 385) + `"`, "has a name that is too long"},
		{`"a:1"`, `"` + strings.Repeat("x", 2048) + `"`, "is longer than 2048 bytes"},
		{`{`, `{"lost":1,`, "is no line of a message log"},
		{`{`, `{"lost":-1,`, "is no line of a message log"},
	} {
		_, err := ParseLine([]byte(strings.Replace(line, tc.old, tc.new, 1)))
		if err == nil || err.Error() != tc.err {
			t.Errorf("%q for %q: %v, want %s", tc.new, tc.old, err, tc.err)
		}
	}
}

func TestParseType(t *testing.T) {
	if typ, ok := ParseType("piEc"); !ok || typ != p2p.T("PIEC") {
		t.Errorf("%v %v", typ, ok)
	}
	for _, s := range []string{"", "HAV", "HAVES", "\x7fABC", "Ä12"} {
		if _, ok := ParseType(s); ok {
			t.Errorf("%q is a type", s)
		}
	}
}

// FuzzBatch: whatever a COPY holds, parsing it takes memory in proportion, and
// what is accepted can be written and read again.
func FuzzBatch(f *testing.F) {
	one := record(p2p.Sent, "a:1", "b:1", "NAME", 0)
	f.Add(one.AppendJSON(appendHeader(nil, "s-1", 0, 0)))
	f.Add(appendHeader(nil, "s-1", math.MaxUint64, 3))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > maxBatch {
			return
		}
		h, lines, err := parseBatch(data, nil)
		if err != nil {
			if r := p2p.ReasonOf(err); r != p2p.ReasonBadMessage {
				t.Errorf("reason %v", r)
			}
			return
		}
		if len(lines) > maxRecords+1 || len(h.Source) > maxSource {
			t.Errorf("%d lines of %d bytes of source", len(lines), len(h.Source))
		}
		for i, l := range lines {
			if (l.Lost > 0) != (i == 0 && h.Lost > 0) {
				t.Errorf("line %d of a batch with %d lost has %d lost", i, h.Lost, l.Lost)
			}
			if l.Lost > 0 {
				continue
			}
			again, err := ParseLine(l.AppendJSON(nil))
			if err != nil {
				t.Fatalf("%s: %v", l.AppendJSON(nil), err)
			}
			third, err := ParseLine(again.AppendJSON(nil))
			if err != nil || !third.Record.Time.Equal(again.Record.Time) {
				t.Fatalf("%+v became %+v, %v", again, third, err)
			}
			third.Record.Time = again.Record.Time
			if third != again {
				t.Errorf("%+v became %+v", again, third)
			}
		}
	})
}
