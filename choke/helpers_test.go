package choke

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// epoch is when the tests' time begins.
var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func at(seconds float64) time.Time {
	return epoch.Add(time.Duration(seconds * float64(time.Second)))
}

func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }

// remotes reads a snapshot from text, one remote a field:
//
//	ID[:FLAGS][,KEY=NUMBER]...
//
// Flags: i interested, u unchoked, s snubbed, S seed, z idle. Keys: down, up, since
// (UnchokedAt, in seconds), joined, has (Progress), left (default 1).
func remotes(t *testing.T, text string) []Remote {
	t.Helper()
	var rs []Remote
	for f := range strings.FieldsSeq(text) {
		head, rest, _ := strings.Cut(f, ",")
		id, flags, _ := strings.Cut(head, ":")
		n, err := strconv.ParseUint(id, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		r := Remote{
			ID: ID(n), Joined: epoch, Left: 1, Interested: strings.Contains(flags, "i"),
			Unchoked: strings.Contains(flags, "u"), Snubbed: strings.Contains(flags, "s"), Seed: strings.Contains(flags, "S"),
			Idle: strings.Contains(flags, "z"),
		}
		for kv := range strings.FieldsFuncSeq(rest, func(c rune) bool { return c == ',' }) {
			k, v, _ := strings.Cut(kv, "=")
			x, err := strconv.ParseFloat(v, 64)
			if err != nil {
				t.Fatal(err)
			}
			switch k {
			case "down":
				r.DownRate = x
			case "up":
				r.UpRate = x
			case "since":
				r.UnchokedAt = at(x)
			case "joined":
				r.Joined = at(x)
			case "has":
				r.Progress = x
			case "left":
				r.Left = int(x)
			default:
				t.Fatalf("unknown key %q", k)
			}
		}
		rs = append(rs, r)
	}
	return rs
}

// show prints a decision as "1 2 3*", a star at each optimistic one.
func show(d Decision) string {
	var b []string
	for _, id := range d.Unchoked {
		s := fmt.Sprint(id)
		if slices.Contains(d.Optimistic, id) {
			s += "*"
		}
		b = append(b, s)
	}
	return strings.Join(b, " ")
}

// apply does what the engine does with a decision.
func apply(now time.Time, rs []Remote, d Decision) {
	for i := range rs {
		_, on := slices.BinarySearch(d.Unchoked, rs[i].ID)
		if on && !rs[i].Unchoked {
			rs[i].UnchokedAt = now
		}
		rs[i].Idle = rs[i].Idle && rs[i].Unchoked && on // a slot is idle after a while only
		rs[i].Unchoked = on
	}
}

func byID(rs []Remote, id ID) *Remote {
	for i := range rs {
		if rs[i].ID == id {
			return &rs[i]
		}
	}
	return nil
}
