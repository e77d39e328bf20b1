package scenario

import (
	"strings"
	"testing"
	"time"

	"starling/sim/fleet"
)

// sample is a result to be asked about.
func sample() *fleet.Result {
	r := &fleet.Result{
		Name: "n", RNGSeed: 3, Virtual: time.Minute, Wall: time.Second, Events: 9, Messages: map[string]uint64{"HAVE": 2, "PIEC": 1},
		Size: 100, PieceLength: 10, Pieces: 10, Policy: "cooperative", Strategy: "rarest", SeedCopies: 1.5, Utilisation: 0.75,
		LimitedBy: "seed", TraceHash: "abc",
		Hosts: []fleet.HostResult{
			{Name: "a", Group: "g", Role: fleet.Seed, Done: 0},
			{Name: "b", Group: "g", Expected: true, Arrived: time.Second, FirstByte: 2 * time.Second, Done: 4 * time.Second, Wasted: 7},
			{Name: "c", Group: "g", FirstByte: -1, Done: -1, Role: fleet.Node},
		},
		Groups:     []fleet.GroupResult{{Name: "g", Hosts: 2, Completed: 1, Last: -1, P50: 3 * time.Second, Bound: time.Second}},
		All:        fleet.GroupResult{Hosts: 1, Completed: 1, Last: 4 * time.Second, Bound: 2 * time.Second, BoundName: "seed", Ratio: 2},
		Replies:    []fleet.Reply{{At: time.Second, From: "a", To: "b", Type: "NAME", Data: "d", Err: "e"}},
		Violations: []fleet.Violation{{At: time.Second, Invariant: "I1", Host: "a", Detail: "d"}},
		Samples:    []fleet.Sample{{At: time.Second, Done: 1, Progress: 0.5, UpBytes: 5, SeedBytes: 4, Rarest: 3, Unchoked: 2, Interested: 1}},
	}
	return r
}

func TestExpectations(t *testing.T) {
	truths := []string{
		"r.name == 'n' and r.rng_seed == 3 and r.duration == 60 and r.wall == 1 and r.events == 9 and r.trace == 'abc'",
		"r.messages['HAVE'] == 2 and list(r.messages) == ['HAVE', 'PIEC']",
		"r.size == 100 and r.piece_length == 10 and r.pieces == 10 and r.policy == 'cooperative' and r.picker == 'rarest'",
		"r.seed_copies == 1.5 and r.utilisation == 0.75 and r.limited_by == 'seed'",
		"r.all.hosts == 1 and r.all.completed == 1 and r.all.last == 4 and r.all.bound == 2 and r.all.bound_by == 'seed' and r.all.ratio == 2",
		"r.group('g').p50 == 3 and r.group('g').p90 == 0 and r.group('g').p99 == 0 and r.group('g').p999 == 0",
		"r.group('g').last == float('inf') and r.group('g').ratio == float('inf') and r.groups[0].name == 'g'",
		"r.host('b').took == 3 and r.host('b').arrived == 1 and r.host('b').first_byte == 2 and r.host('b').expected",
		"r.host('c').done > 1e18 and r.host('c').role == 'node' and [h.role for h in r.hosts] == ['seed', 'leecher', 'node']",
		"sum([h.wasted for h in r.hosts]) == 7 and r.host('b').group == 'g' and r.host('b').rack == ''",
		"r.host('b').pieces + r.host('b').received + r.host('b').sent + r.host('b').corrupt + r.host('b').bans + r.host('b').remotes == 0",
		"r.replies[0].at == 1 and r.replies[0].sender + r.replies[0].to + r.replies[0].type + r.replies[0].data + r.replies[0].error == 'abNAMEde'",
		"r.violations[0].at == 1 and r.violations[0].invariant + r.violations[0].host + r.violations[0].detail == 'I1ad'",
		"r.samples[0].at == 1 and r.samples[0].done == 1 and r.samples[0].progress == 0.5 and r.samples[0].sent == 5",
		"r.samples[0].seed_sent == 4 and r.samples[0].rarest == 3 and r.samples[0].unchoked == 2 and r.samples[0].interested == 1",
	}
	src := "seed()\n"
	for _, x := range truths {
		src += "expect(lambda r: " + x + ", \"true\")\n"
	}
	s := load(t, src, Options{})
	for range 2 {
		for i, o := range s.Check(sample()) {
			if !o.OK || o.Err != nil || o.Line != i+2 {
				t.Errorf("%s: %+v", truths[i], o)
			}
		}
	}
}

// TestFailedExpectations: one that does not hold says what it saw, one that
// cannot be answered says why and where.
func TestFailedExpectations(t *testing.T) {
	s := load(t, `
seed()
state = []
expect(lambda r: r.all.ratio <= 1.06 and r.seed_copies < 1, "near\n the bound")
expect(lambda r: r.group("g").last < 60, "all of g")
expect(lambda r: r.all.ratio, "a number")
expect(lambda r: r.group("x").last < 1, "no group")
expect(lambda r: r.host("x").done < 1, "no host")
expect(lambda r: r.all.spee, "no such field")
expect(lambda r: state.append(1), "expectations change nothing")
expect(lambda r: [i for i in range(100000000)] == [], "endless")
`, Options{})
	want := []Outcome{
		{Text: "near the bound", Line: 4, Seen: "all.ratio = 2.0"},
		{Text: "all of g", Line: 5, Seen: `group("g").last = +inf`},
	}
	got := s.Check(sample())
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%+v, want %+v", got[i], want[i])
		}
	}
	for i, why := range []string{
		"a.star:6: the test returned a float, want True or False",
		`a.star:7: there is no group "x"`,
		`a.star:8: there is no host "x"`,
		"a.star:9: group has no .spee field or method",
		"a.star:10: append: cannot append to frozen list",
		"a.star:11: more than 20000000 steps",
	} {
		o := got[i+2]
		if o.OK || o.Err == nil || !strings.Contains(o.Err.Error(), why) {
			t.Errorf("%+v, want %q", o, why)
		}
	}
}

// TestSeenIsBounded: a reading keeps the first values, and the last of each.
func TestSeenIsBounded(t *testing.T) {
	s := load(t, "seed()\nexpect(lambda r: r.name + str([getattr(r.all, n) for n in dir(r.all)]) == '', 'x')", Options{})
	seen := s.Check(sample())[0].Seen
	if strings.Count(seen, "=") != maxSeen || !strings.HasSuffix(seen, " ...") || !strings.HasPrefix(seen, `name = "n", `) {
		t.Error(seen)
	}
}
