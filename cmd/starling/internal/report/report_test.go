package report

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var noon = time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.FixedZone("", 3600))

func sample() Status {
	eta := int64(65)
	return Status{
		Name: "llama-70b", InfoHash: "0123456789abcdef0123456789abcdef01234567", State: "downloading",
		BytesTotal: 1314 << 30 / 10, BytesDone: 622 << 30 / 10, BytesSent: 1 << 30,
		DownBPS: 108 << 30 / 100, UpBPS: 612 << 20, ETA: &eta,
		Peers: Peers{Connected: 22, Seeders: 2, UnchokingUs: 5, UnchokedByUs: 4}, Pieces: Pieces{Total: 538214, Done: 254775, InFlight: 16},
		AvailabilityMin: 3,
	}
}

func TestDocumentsAreGolden(t *testing.T) {
	noETA := sample()
	noETA.ETA, noETA.Trouble, noETA.Fleet = nil, "<no peers>", &Fleet{Complete: 1, Incomplete: 2}
	for name, doc := range map[string]any{
		"status":       sample(),
		"status-stuck": noETA,
		"ready":        Event{Name: "ready", Addresses: map[string]string{"peer": "127.0.0.1:6881", "metrics": "127.0.0.1:9464"}, Torrent: "llama-70b"},
		"complete":     Event{Name: "complete", Torrent: "llama-70b", Path: "/models/llama-70b", At: noon.Add(time.Second)},
		"summary":      Summary{Path: "/models/llama-70b", InfoHash: sample().InfoHash, DurationS: 12.5, AvgBPS: 1 << 30, BytesFrom: BytesFrom{Peers: 5, Disk: 7}, BytesSent: 3, CorruptPieces: 1, ExitCode: 5},
		"error":        Error{Code: 6, Message: "announce: connection refused", Hint: "start the tracker", Retryable: true},
	} {
		var got bytes.Buffer
		if err := Write(&got, doc, noon); err != nil {
			t.Fatal(err)
		}
		if !json.Valid(got.Bytes()) || bytes.Count(got.Bytes(), []byte("\n")) != 1 {
			t.Errorf("%s: not one line of JSON: %s", name, got.Bytes())
		}
		golden := filepath.Join("testdata", name+".json")
		if *update {
			if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil || !bytes.Equal(want, got.Bytes()) {
			t.Errorf("%s:\n got %s\nwant %s %v", name, got.Bytes(), want, err)
		}
	}
}

func TestEscape(t *testing.T) {
	for in, want := range map[string]string{
		"plain name (1).bin":  "plain name (1).bin",
		"größe 模型":            "größe 模型",
		"\x1b[31mred\a":       `\x1b[31mred\x07`,
		"two\r\nlines\x7f":    `two\x0d\x0alines\x7f`,
		"evil\u202ecod.exe":   `evil\u{202e}cod.exe`,
		"c1\u009b31m":         `c1\u{9b}31m`,
		"bad\xff\xfeutf8":     `bad\xff\xfeutf8`,
		"\U000e0041tag\u2028": `\u{e0041}tag\u{2028}`,
		"replacement \ufffd":  "replacement \ufffd",
	} {
		if got := Escape(in); got != want {
			t.Errorf("Escape(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzEscape(f *testing.F) {
	for _, s := range []string{"", "a\x1b[2J", "\u202e\xff", "模型", "\\x1b"} {
		f.Add(s, 10)
	}
	f.Fuzz(func(t *testing.T, s string, width int) {
		e := Escape(s)
		if !utf8.ValidString(e) {
			t.Fatalf("Escape(%q) = %q is not UTF-8", s, e)
		}
		for _, r := range e {
			if !unicode.IsPrint(r) {
				t.Fatalf("Escape(%q) = %q lets %U pass", s, e, r)
			}
		}
		if Escape(e) != e {
			t.Fatalf("Escape changes its own result %q", e)
		}
		if c := Clip(e, width); utf8.RuneCountInString(c) > max(width, 0) || !utf8.ValidString(c) {
			t.Fatalf("Clip(%q, %d) = %q", e, width, c)
		}
	})
}

func TestLines(t *testing.T) {
	s := sample()
	lines := BarLines(s, 120, false)
	want := []string{
		"llama-70b [=========>          ] 47.3%  62.2/131.4 GiB  down 1.08 GiB/s  up 612 MiB/s  1m05s left",
		"          22 peers (2 seeders)  rarest piece on 3 peers",
	}
	if strings.Join(lines, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
	}
	s.Name = "\x1b[2J" + strings.Repeat("模", 60)
	for width := range 200 {
		for _, l := range BarLines(s, width, false) {
			if n := utf8.RuneCountInString(l); n >= max(width, 1) || strings.Contains(l, "\x1b") {
				t.Errorf("width %d: line %q", width, l)
			}
		}
	}
	// Colours change nothing else, wherever a line is cut.
	nearly := s
	nearly.Name, nearly.BytesDone = "n", s.BytesTotal-1
	for width := range 100 {
		plain := strings.Join(BarLines(nearly, width, false), "\n")
		colored := strings.Join(BarLines(nearly, width, true), "\n")
		if got := strings.NewReplacer("\x1b[32m", "", "\x1b[0m", "").Replace(colored); got != plain || !utf8.ValidString(colored) {
			t.Errorf("width %d: %q, without colours %q", width, colored, plain)
		}
	}
	s.State, s.Name, s.Fleet = "seeding", "x", &Fleet{Complete: 1, Incomplete: 3}
	if got, want := PlainLine(s), "seeding x  22 peers  up 612 MiB/s  sent 1.0 GiB (0.01x)  fleet 1/4 done"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	almost := Status{BytesTotal: 1 << 40, BytesDone: 1<<40 - 1}
	if got := fraction(almost); got != "99.9%" {
		t.Errorf("an unfinished torrent shows %s", got)
	}
}

func TestEventLines(t *testing.T) {
	for want, e := range map[string]Event{
		"ready     on peer 127.0.0.1:1, tracker :6969":        {Name: "ready", Addresses: map[string]string{"tracker": ":6969", "peer": "127.0.0.1:1"}},
		"ready     x  on peer :1":                             {Name: "ready", Torrent: "x", Addresses: map[string]string{"peer": ":1"}},
		"complete  x\\x07  /d/x":                              {Name: "complete", Torrent: "x\a", Path: "/d/x"},
		"reloaded  c.yaml: nothing has changed":               {Name: "reloaded", Detail: "c.yaml: nothing has changed"},
		"reload failed  configuration unchanged: c.yaml: why": {Name: "reload_failed", Detail: "configuration unchanged: c.yaml: why"},
		"stalled   x  no peer has piece 3":                    {Name: "stalled", Torrent: "x", Detail: "no peer has piece 3"},
		"resumed   x":                                         {Name: "resumed", Torrent: "x"},
		"":                                                    {Name: "first_byte", Torrent: "x"},
	} {
		if got := EventLine(e); got != want {
			t.Errorf("%s: got %q, want %q", e.Name, got, want)
		}
	}
}

// clock is a time that a test moves.
type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

func TestPlainShowsStartStepsAndEnd(t *testing.T) {
	var out bytes.Buffer
	c := &clock{noon}
	r := New(Options{Mode: Plain, Out: &out, Now: c.now})
	s := Status{Name: "x", State: "downloading", BytesTotal: 1000}
	for s.BytesDone = 0; s.BytesDone <= 1000; s.BytesDone += 5 {
		r.Status(s, s.BytesDone == 1000)
		c.t = c.t.Add(100 * time.Millisecond)
	}
	if got := strings.Count(out.String(), "\n"); got != 11 {
		t.Errorf("%d lines for 0..100 %%, want 11:\n%s", got, out.String())
	}
	out.Reset()
	s = Status{Name: "slow", State: "downloading", BytesTotal: 1000}
	for range 61 {
		r.Status(s, false)
		c.t = c.t.Add(time.Second)
	}
	if got := strings.Count(out.String(), "\n"); got != 3 {
		t.Errorf("%d lines in a minute without progress, want 3:\n%s", got, out.String())
	}
}

func TestBarRedrawsAtMostTenTimesASecond(t *testing.T) {
	var out bytes.Buffer
	c := &clock{noon}
	r := New(Options{Mode: Bar, Out: &out, Now: c.now, Width: func() int { return 60 }})
	for range 1000 {
		c.t = c.t.Add(time.Millisecond)
		r.Status(sample(), false)
	}
	if n := strings.Count(out.String(), "llama-70b ["); n > 10 {
		t.Errorf("%d redraws in a second", n)
	}
	out.Reset()
	r.Say("a line")
	if got := out.String(); !strings.HasPrefix(got, "\r\x1b[2A\x1b[Ja line\n\x1b[2Kllama-70b [") {
		t.Errorf("a line does not go above the bar: %q", got)
	}
	r.Finish()
	out.Reset()
	r.Say("after")
	if out.String() != "after\n" {
		t.Errorf("after the end: %q", out.String())
	}
}

func TestJSONModeIsOnlyJSON(t *testing.T) {
	var out bytes.Buffer
	c := &clock{noon}
	r := New(Options{Mode: JSON, Out: &out, Now: c.now})
	r.Say("not for programs")
	for range 25 {
		r.Status(sample(), false)
		c.t = c.t.Add(100 * time.Millisecond)
	}
	r.Event(Event{Name: "ready"})
	r.Document(Error{Code: 1, Message: "x"})
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if len(lines) != 5 {
		t.Fatalf("%d lines, want 3 status, 1 event, 1 error:\n%s", len(lines), out.String())
	}
	for _, l := range lines {
		if !json.Valid([]byte(l)) {
			t.Errorf("not JSON: %s", l)
		}
	}
}

func TestResolve(t *testing.T) {
	env := func(kv ...string) func(string) string {
		return func(k string) string {
			if len(kv) == 2 && kv[0] == k {
				return kv[1]
			}
			return ""
		}
	}
	var pipe bytes.Buffer
	for _, m := range []Mode{Bar, Plain, JSON, None} {
		if got := Resolve(m, &pipe, env()); got != m {
			t.Errorf("%s resolves to %s", m, got)
		}
	}
	if got := Resolve(Auto, &pipe, env()); got != Plain {
		t.Errorf("a pipe gets %s", got)
	}
	if Color(&pipe, env()) {
		t.Error("a pipe gets colours")
	}
	if _, err := ParseMode("fancy"); err == nil {
		t.Error("an unknown mode is accepted")
	}
}
