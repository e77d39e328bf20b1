package monitor

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"starling/p2p"
)

// logOf writes a log from short lines: "a>b NAME 3", with < for what the receiver
// logged; or "lost 3".
func logOf(t *testing.T, lines ...string) string {
	t.Helper()
	var b []byte
	for _, l := range lines {
		var line Line
		if _, err := fmt.Sscanf(l, "lost %d", &line.Lost); err != nil {
			var from, typ string
			var length int
			if _, err := fmt.Sscanf(l, "%s %s %d", &from, &typ, &length); err != nil {
				t.Fatalf("%q: %v", l, err)
			}
			dir := p2p.Sent
			at := strings.IndexAny(from, "<>")
			if from[at] == '<' {
				dir = p2p.Received
			}
			line.Record = record(dir, from[:at], from[at+1:], typ, length)
		}
		b = line.AppendJSON(b)
	}
	return string(b)
}

func TestCompare(t *testing.T) {
	base := []string{"a>b NAME 0", "b<a LIST 1", "a>b PING 2", "b>a REPL 3", "a>b NAME 4", "a<b REPL 3"}
	for _, tc := range []struct {
		name string
		b    []string
		opt  Options
		want string // the differences
	}{
		{"itself", base, Options{}, ""},
		{"other mixture", []string{"b>a REPL 3", "a>b NAME 0", "a>b PING 2", "a<b REPL 3", "a>b NAME 4", "b<a LIST 1"}, Options{}, ""},
		{"a loss that is told", append([]string{"lost 4"}, base...), Options{}, ""},
		{"two swapped", []string{"a>b PING 2", "b<a LIST 1", "a>b NAME 0", "b>a REPL 3", "a>b NAME 4", "a<b REPL 3"}, Options{},
			"a > b, send, message 1: A has NAME of 0 bytes, digest 00000000, in line 1, B has PING of 2 bytes, digest 3c6ef362, in line 1"},
		{"the last is missing", base[:5], Options{},
			"a > b, recv, message 1: A has REPL of 3 bytes, digest daa66d13, in line 6, B has none"},
		{"one more", append(base[:6:6], "a>b PING 9"), Options{},
			"a > b, send, message 4: A has none, B has PING of 9 bytes, digest 8ff34739, in line 7"},
		{"a digest only", []string{"a>b NAME 0", "b<a LIST 1", "a>b PING 2", "b>a REPL 3", "a>b NAME 4", "a<b REPL 4"}, Options{},
			"a > b, recv, message 1: A has REPL of 3 bytes, digest daa66d13, in line 6, B has REPL of 4 bytes, digest 78dde6c4, in line 6"},
		{"what is filtered", base[:5], Options{Filter: Filter{Types: []p2p.Type{p2p.NAME, p2p.LIST, p2p.PING}}}, ""},
		{"nothing", nil, Options{}, "a > b, send, message 1: A has NAME of 0 bytes, digest 00000000, in line 1, B has none; " +
			"a > b, recv, message 1: A has REPL of 3 bytes, digest daa66d13, in line 6, B has none; " +
			"b > a, send, message 1: A has REPL of 3 bytes, digest daa66d13, in line 4, B has none; " +
			"b > a, recv, message 1: A has LIST of 1 bytes, digest 9e3779b1, in line 2, B has none"},
	} {
		d, err := Compare(strings.NewReader(logOf(t, base...)), strings.NewReader(logOf(t, tc.b...)), tc.opt)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, diff := range d.Differences {
			got = append(got, diff.String())
		}
		if all := strings.Join(got, "; "); all != tc.want || d.Equal() != (tc.want == "") || d.Different != len(got) {
			t.Errorf("%s: %s\nwant %s", tc.name, all, tc.want)
		}
		// The other way around it is the same, with A and B exchanged.
		e, err := Compare(strings.NewReader(logOf(t, tc.b...)), strings.NewReader(logOf(t, base...)), tc.opt)
		if err != nil {
			t.Fatal(err)
		}
		for i := range e.Differences {
			e.Differences[i].A, e.Differences[i].B = e.Differences[i].B, e.Differences[i].A
		}
		if e.A, e.B = e.B, e.A; e.A != d.A || e.B != d.B || !reflect.DeepEqual(e.Differences, d.Differences) {
			t.Errorf("%s: exchanged %+v, want %+v", tc.name, e, d)
		}
	}
}

func TestCompareSums(t *testing.T) {
	a := logOf(t, "a>b NAME 0", "lost 7", "lost 2", "a>b PING 0", "c>d PING 0")
	b := logOf(t, "a>b PING 0", "x>y LIST 5") + `{"time":"2026-`
	d, err := Compare(strings.NewReader(a), strings.NewReader(b), Options{Filter: Filter{Peers: []string{"a", "c", "d"}}})
	if err != nil {
		t.Fatal(err)
	}
	if d.A != (Side{Lines: 5, Records: 3, Lost: 9}) || d.B != (Side{Lines: 3, Records: 1, CutOff: true}) {
		t.Errorf("%+v, %+v", d.A, d.B)
	}
	if got := fmt.Sprint(d.ByType); got != "[{NAME 1 0} {PING 2 1}]" || d.Pairs != 2 || d.Different != 2 {
		t.Errorf("%s, %d pairs, %d different", got, d.Pairs, d.Different)
	}
}

// TestCompareNames: names that stand for others, and those of nobody, whose
// messages come in any order.
func TestCompareNames(t *testing.T) {
	opt := Options{Name: func(name string) string {
		if strings.Contains(name, ":") {
			return ""
		}
		return strings.TrimPrefix(name, "the-")
	}}
	a := logOf(t, "x:1<b NAME 0", "x:2<b LIST 0", "x:3<b NAME 0", "b>a REPL 1", "x:3<b PING 1")
	for _, tc := range []struct{ b, want string }{
		{logOf(t, "y:9<the-b PING 1", "the-b>the-a REPL 1", "y:9<b NAME 0", "y:9<b NAME 0", "b:1<b LIST 0"), ""},
		{logOf(t, "y:9<b PING 1", "b>a REPL 1", "y:9<b NAME 0", "b:1<b LIST 0", "b:1<b LIST 0", "b:1<b LIST 0"),
			"(anybody) > b, recv: A has NAME of 0 bytes, digest 00000000, in line 1, B has none"},
		{logOf(t, "y:9<b PING 1", "b>a REPL 1", "y:9<b NAME 0", "y:9<b NAME 0", "b:1<b LIST 0", "b:1<b LIST 0", "b:1<b LIST 8"),
			"(anybody) > b, recv: A has none, B has LIST of 0 bytes, digest 00000000, in line 6"},
	} {
		d, err := Compare(strings.NewReader(a), strings.NewReader(tc.b), opt)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, diff := range d.Differences {
			got += diff.String()
		}
		if got != tc.want || d.Pairs != 2 {
			t.Errorf("%d pairs, %s\nwant %s", d.Pairs, got, tc.want)
		}
	}
	d, err := Compare(strings.NewReader(logOf(t, "a>b NAME 1")),
		strings.NewReader(strings.Replace(logOf(t, "a>b NAME 1"), `"digest":"9`, `"digest":"8`, 1)), Options{AnyDigest: true})
	if err != nil || !d.Equal() {
		t.Errorf("without digests: %+v, %v", d, err)
	}
}

// TestCompareBound: logs that drift apart hold no more than the bound, and the
// sequence that waits longest is given up.
func TestCompareBound(t *testing.T) {
	var a, b []string
	for i := range 1000 {
		a = append(a, fmt.Sprintf("a>b NAME %d", i), fmt.Sprintf("b>a NAME %d", i), fmt.Sprintf("x:1<b NAME %d", i))
	}
	// b has the first sequence behind the second.
	for i := range 1000 {
		b = append(b, fmt.Sprintf("b>a NAME %d", i))
	}
	for i := range 1000 {
		b = append(b, fmt.Sprintf("a>b NAME %d", i))
	}
	nobodys := func(name string) string { return strings.TrimPrefix(name, "x:1") }
	for held, want := range map[int]int{100: 2, 5000: 1} {
		d, err := Compare(strings.NewReader(logOf(t, a...)), strings.NewReader(logOf(t, b...)), Options{held: held, Name: nobodys})
		if err != nil {
			t.Fatal(err)
		}
		if d.Different != want || d.Pairs != 3 {
			t.Errorf("%d held: %d different: %+v", held, d.Different, d.Differences)
		}
		for _, diff := range d.Differences {
			if diff.Behind != (held == 100) || !strings.Contains(diff.String(), map[bool]string{true: "has none so far", false: "B has none"}[diff.Behind]) {
				t.Errorf("%d held: %v", held, diff)
			}
		}
	}
}

// TestCompareRandom holds Compare to a naive one, on logs that were mixed anew
// and then, in half of the cases, changed in one place.
func TestCompareRandom(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 100 {
		seqs := map[string][]string{}
		var a []string
		for range rng.IntN(200) {
			pair := string([]byte{'a' + byte(rng.IntN(3)), "<>"[rng.IntN(2)], 'a' + byte(rng.IntN(3))})
			l := fmt.Sprintf("%s NAME %d", pair, rng.IntN(4))
			a = append(a, l)
			seqs[pair] = append(seqs[pair], l)
		}
		var b []string
		left := append([]string(nil), a...)
		rng.Shuffle(len(left), func(i, j int) { left[i], left[j] = left[j], left[i] })
		heads := map[string]int{}
		for _, l := range left { // the same pairs in another order, each in its own order
			b = append(b, seqs[l[:3]][heads[l[:3]]])
			heads[l[:3]]++
		}
		if len(b) > 0 && rng.IntN(2) == 0 {
			at := rng.IntN(len(b))
			b[at] = b[at][:len(b[at])-1] + "7"
		}
		want := 0
		for pair, seq := range seqs {
			other := []string{}
			for _, l := range b {
				if l[:3] == pair {
					other = append(other, l)
				}
			}
			if !reflect.DeepEqual(seq, other) {
				want++
			}
		}
		d, err := Compare(strings.NewReader(logOf(t, a...)), strings.NewReader(logOf(t, b...)), Options{})
		if err != nil || d.Different != want || d.Pairs != len(seqs) {
			t.Fatalf("%d of %d pairs differ, want %d of %d; %v", d.Different, d.Pairs, want, len(seqs), err)
		}
	}
}

func TestCompareErrors(t *testing.T) {
	good := logOf(t, "a>b NAME 0")
	for text, want := range map[string]string{
		"x\n" + good:                         "log B: line 1 is no line of a message log",
		good + "\n" + good:                   "log B: line 2 is no line of a message log",
		good + strings.Repeat("x", 70000):    "log B: line 2 is longer than 2048 bytes",
		strings.Repeat(" ", 2048) + good:     "log B: line 1 is longer than 2048 bytes",
		strings.Replace(good, "send", "", 1): `log B: line 1 has direction ""`,
	} {
		if _, err := Compare(strings.NewReader(good), strings.NewReader(text), Options{}); err == nil || err.Error() != want {
			t.Errorf("%.30q: %v, want %s", text, err, want)
		}
	}
	broken := iotest.ErrReader(io.ErrNoProgress)
	if _, err := Compare(broken, strings.NewReader(good), Options{}); !errors.Is(err, io.ErrNoProgress) || err.Error() != "log A: "+io.ErrNoProgress.Error() {
		t.Error(err)
	}
	var b []string
	for i := range maxTypesCompared + 1 {
		b = append(b, fmt.Sprintf("a>b %04d 0", i))
	}
	if _, err := Compare(strings.NewReader(""), strings.NewReader(logOf(t, b...)), Options{}); err == nil || err.Error() != "the logs have more than 4096 types of messages" {
		t.Error(err)
	}
}
