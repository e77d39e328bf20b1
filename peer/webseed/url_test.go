package webseed

import (
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"starling/metainfo"
)

func TestFileURL(t *testing.T) {
	one := &metainfo.Info{Name: "a b.bin", Files: []metainfo.File{{Length: 1}}}
	many := &metainfo.Info{Name: "d", Multi: true, Files: []metainfo.File{
		{Path: []string{"x"}}, {Path: []string{"50%", "ä?#;+&=", "c d"}},
	}}
	for _, c := range []struct {
		base string
		in   *metainfo.Info
		file int
		want string
	}{
		{"http://h/f.iso", one, 0, "http://h/f.iso"},
		{"http://h/f%20x.iso?t=1", one, 0, "http://h/f%20x.iso?t=1"},
		{"http://h/dir/", one, 0, "http://h/dir/a%20b.bin"},
		{"http://h", one, 0, "http://h/a%20b.bin"},
		{"http://h/dir/?t=a/b", one, 0, "http://h/dir/a%20b.bin?t=a/b"},
		{"http://u:p@h:8080/dir", many, 0, "http://u:p@h:8080/dir/d/x"},
		{"http://h/dir/", many, 0, "http://h/dir/d/x"},
		{"http://h", many, 1, "http://h/d/50%25/%C3%A4%3F%23%3B+&=/c%20d"},
		{"http://h/a%2Fb//", many, 0, "http://h/a%2Fb//d/x"},
	} {
		u, err := parseURL(c.base)
		if err != nil {
			t.Fatal(err)
		}
		if got := fileURL(u, c.in, c.file).String(); got != c.want {
			t.Errorf("%s, file %d: %s, want %s", c.base, c.file, got, c.want)
		}
	}
}

// TestNames: what a web seed is called shows no secret and is nobody else's.
func TestNames(t *testing.T) {
	g := New(Config{
		Info: &metainfo.Info{},
		URLs: []string{
			"http://user:secret@h/a?sig=secret", "https://h/a", "http://h/a?sig=other", "http://h/a?sig=other",
			"ftp://h/a", "http:///a", "secret", "http://h/a#secret", "http://h/\x7f",
		},
	})
	want := []string{"http://h/a", "https://h/a", "http://h/a#2", "http://h/a#3"}
	if got := g.Names(); !reflect.DeepEqual(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	ids := map[[20]byte]bool{}
	for _, s := range g.seeds {
		ids[s.id] = true
	}
	if len(ids) != len(want) {
		t.Errorf("%d peer ids of %d web seeds", len(ids), len(want))
	}
}

func TestSpans(t *testing.T) {
	in := &metainfo.Info{Files: []metainfo.File{
		{Length: 0}, {Length: 10}, {Length: 0, Offset: 10}, {Length: 6, Offset: 10, Pad: true}, {Length: 5, Offset: 16},
		{Length: 0, Offset: 21}, {Length: 100, Offset: 21},
	}}
	for _, c := range []struct {
		off  int64
		n    int
		want []span
	}{
		{0, 10, []span{{1, 0, 10, false}}},
		{3, 10, []span{{1, 3, 7, false}, {3, 0, 3, true}}},
		{9, 20, []span{{1, 9, 1, false}, {3, 0, 6, true}, {4, 0, 5, false}, {6, 0, 8, false}}},
		{120, 1, []span{{6, 99, 1, false}}},
		{121, 1, nil},
	} {
		if got := spans(in, c.off, c.n); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%d bytes from %d: %v, want %v", c.n, c.off, got, c.want)
		}
	}
	if got := firstFile(in); got != 1 {
		t.Errorf("the first file is %d, want 1", got)
	}
}

func TestContentRange(t *testing.T) {
	for _, c := range []struct{ h, want string }{
		{"bytes 100-199/1000", ""},
		{"bytes 100-199/*", ""},
		{"", "a partial answer"},
		{"bytes */1000", "it answered with"},
		{"bytes 100-199", "a partial answer"},
		{"octets 100-199/1000", "a partial answer"},
		{"bytes 100-199/999", "has 999 bytes, not 1000"},
		{"bytes 0-199/1000", "it answered with"},
		{"bytes 100-198/1000", "it answered with"},
		{"bytes 100-199x/1000", "it answered with"},
		{"bytes 100-199/18446744073709551616", "a partial answer"},
	} {
		err := checkRange(c.h, 100, 200, 1000)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want %q", c.h, err, c.want)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for h, want := range map[string]time.Duration{
		"": 0, "7": 7 * time.Second, "-7": 0, "x": 0, "99999999999999": 0,
		now.Add(time.Minute).Format(http.TimeFormat):  time.Minute,
		now.Add(-time.Minute).Format(http.TimeFormat): 0,
	} {
		if got := retryAfter(h, now); got != want {
			t.Errorf("%q: %v, want %v", h, got, want)
		}
	}
}

// TestBackoff: waits double up to a bound, and a server's wish counts for more.
func TestBackoff(t *testing.T) {
	waits := times{backoff: time.Second, maxWait: 5 * time.Second}
	s := newGroup(Config{Info: &metainfo.Info{}, URLs: []string{"http://h"}}, waits).seeds[0]
	for i, want := range []time.Duration{1, 2, 4, 5, 5} {
		if got := s.failed(&busy{503, 0}); got != want*time.Second {
			t.Errorf("failure %d: %v, want %ds", i, got, want)
		}
	}
	if got := s.failed(&busy{503, time.Minute}); got != time.Minute {
		t.Errorf("%v, want the minute that the server asks for", got)
	}
}
