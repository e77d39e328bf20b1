package fleet

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// rolled is a store some way into a rollout, at a time: hosts that lack something, that
// are done, and that left, of both address families, with all kinds of names.
func rolled(t testing.TB, seed uint64) (*Store, time.Duration) {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 2))
	s := newStore(t, nil)
	now := time.Duration(0)
	for n := range 60 {
		now += time.Duration(rng.IntN(2000)) * time.Millisecond
		r := told(n, int64(rng.IntN(3)), 2)
		r.Hash, r.State = [20]byte{byte(rng.IntN(3))}, Seeding
		if n%4 == 0 {
			r.Addr = netip.AddrPortFrom(netip.AddrFrom16([16]byte{0xfd, 15: byte(n)}), 6881)
		}
		if r.Done == r.Size && n%5 > 0 {
			for k := range r.Have {
				r.Have[k] = 255
			}
		}
		r.Node = []byte(strings.Repeat("é", rng.IntN(MaxText/2)))
		for l := range rng.IntN(MaxLabels + 1) {
			r.Labels = append(r.Labels, RawLabel{fmt.Appendf(nil, "l%d", l), fmt.Appendf(nil, "value %d", rng.IntN(9))})
		}
		s.must(t, now, r)
		if rng.IntN(2) == 0 {
			s.Leave(now, r.Hash, r.Addr, r.ID)
		}
	}
	return s, now
}

// TestSnapshot: who had all is the same after a restart, and the others are not there.
func TestSnapshot(t *testing.T) {
	for seed := range uint64(20) {
		s, now := rolled(t, seed)
		b := s.AppendSnapshot(nil, now)
		want := s.Totals()
		want.Hosts = want.Done
		back := newStore(t, nil)
		if kept, err := back.Restore(0, b, 0, true); err != nil || kept != want.Done || back.Totals() != want {
			t.Fatalf("seed %d: %d hosts, %+v, want %+v: %v", seed, kept, back.Totals(), want, err)
		}
		back.sound(t)
		for hash, g := range back.swarms {
			for i := range g.hosts {
				got, was := &g.hosts[i], &s.swarms[hash].hosts[s.swarms[hash].index[g.hosts[i].Addr]]
				if got.node != was.node || fmt.Sprint(got.labels) != fmt.Sprint(was.labels) || got.State != was.State ||
					got.Size != was.Size || got.Done != was.Done || got.ID != was.ID || got.whole() != was.whole() {
					t.Fatalf("seed %d: %+v, want %+v", seed, got, was)
				}
				if age := now - was.seen; got.State == Left && -got.seen != age.Truncate(time.Second) {
					t.Fatalf("seed %d: it left %v ago, want %v", seed, -got.seen, age)
				}
			}
		}
		if kept, err := back.Restore(0, b, 0, true); err != nil || kept != 0 {
			t.Errorf("restored twice: %d, %v", kept, err)
		}
		// Who was there counts as heard of, so that only the ages of those that left are
		// the same again.
		again := back.AppendSnapshot(nil, 0)
		third := newStore(t, nil)
		if kept, err := third.Restore(0, again, 0, true); err != nil || kept != want.Done || third.Totals() != want || len(again) != len(b) {
			t.Errorf("the snapshot of a restored store: %d hosts, %d bytes, want %d: %v", kept, len(again), len(b), err)
		}
	}
}

// TestSnapshotAges: the time that the tracker was away counts; who was there may still be,
// unless that was too long ago.
func TestSnapshotAges(t *testing.T) {
	s := newStore(t, nil)
	s.must(t, 0, told(1, 1, 1))
	s.Leave(time.Hour, hash, at(1), [20]byte{1})
	s.must(t, 2*time.Hour, told(2, 1, 1))
	b := s.AppendSnapshot(nil, 2*time.Hour+time.Minute)
	for what, c := range map[string]struct {
		away    time.Duration
		present bool
		want    Totals
	}{
		"at once":             {0, true, Totals{2, 2, 1}},
		"a clock set back":    {-time.Hour, true, Totals{2, 2, 1}},
		"later":               {22 * time.Hour, false, Totals{2, 2, 2}},
		"a day after one":     {23 * time.Hour, false, Totals{1, 1, 1}},
		"a day after both":    {24 * time.Hour, false, Totals{}},
		"a clock far ahead":   {1<<63 - 1, false, Totals{}},
		"a clock far behind":  {-1 << 63, true, Totals{2, 2, 1}},
		"long, but all there": {24 * time.Hour, true, Totals{1, 1, 0}},
	} {
		back := newStore(t, nil)
		if _, err := back.Restore(0, b, c.away, c.present); err != nil || back.Totals() != c.want {
			t.Errorf("%s: %+v, want %+v: %v", what, back.Totals(), c.want, err)
		}
		back.sound(t)
		if c.want.Left != 1 || c.want.Hosts != 2 {
			continue
		}
		back.Expire(149 * time.Second) // who does not report has left since
		if back.Totals().Left != 1 {
			t.Errorf("%s: less than the TTL for who was there", what)
		}
		back.Expire(150 * time.Second)
		if back.Totals() != (Totals{2, 2, 2}) {
			t.Errorf("%s: after the TTL %+v", what, back.Totals())
		}
	}
	v := newStore(t, nil)
	if _, err := v.Restore(0, b, 22*time.Hour, false); err != nil {
		t.Fatal(err)
	}
	v.Expire(time.Hour - time.Minute)
	if got := v.Totals(); got.Left != 1 {
		t.Errorf("23 h after a goodbye and a day after the other's last word: %+v", got)
	}
}

// TestSnapshotBack: who reports again is who it was.
func TestSnapshotBack(t *testing.T) {
	s := newStore(t, nil)
	s.must(t, 0, told(1, 1, 1))
	s.must(t, 0, told(2, 1, 1))
	s.Leave(0, hash, at(2), [20]byte{2})
	back := newStore(t, nil)
	if _, err := back.Restore(0, s.AppendSnapshot(nil, 0), 0, true); err != nil {
		t.Fatal(err)
	}
	v := back.View(0, hash)
	v.Add([]Peer{{Addr: at(1), ID: [20]byte{1}, Seed: true}}) // the tracker lists it
	v.Seal()
	if st := v.Status("", nil); st.Hosts != 2 || st.Done != 2 || v.Availability().Seeds != 0 {
		t.Errorf("%+v", st)
	}
	six := told(1, 1, 1)
	six.Addr = netip.MustParseAddrPort("[fd00::1]:6881")
	back.must(t, time.Second, six)
	again := told(2, 0, 1)
	again.Addr, again.ID = netip.AddrPortFrom(at(2).Addr(), 99), [20]byte{99}
	back.must(t, time.Second, again)
	if got := back.Totals(); got != (Totals{Hosts: 2, Done: 1}) {
		t.Errorf("%+v", got)
	}
	back.sound(t)
}

// TestSnapshotBounds: a restored store keeps within its own bounds.
func TestSnapshotBounds(t *testing.T) {
	s := newStore(t, func(c *Config) { c.MaxPerHost = 0 })
	for n := range 20 {
		r := told(n, 1, 1)
		r.Node = []byte("twenty bytes of name")
		if n%2 == 0 {
			r.Addr = netip.AddrPortFrom(netip.MustParseAddr("192.0.2.1"), uint16(1+n))
		}
		s.must(t, 0, r)
	}
	b := s.AppendSnapshot(nil, 0)
	for what, c := range map[string]struct {
		change func(*Config)
		want   int
	}{
		"all":      {func(*Config) {}, 20},
		"hosts":    {func(c *Config) { c.MaxHosts = 7 }, 7},
		"text":     {func(c *Config) { c.MaxBytes = 105 }, 5},
		"one host": {func(c *Config) { c.MaxPerHost = 3 }, 13},
	} {
		back := newStore(t, c.change)
		if kept, err := back.Restore(0, b, 0, true); err != nil || kept != c.want || back.Totals().Hosts != c.want {
			t.Errorf("%s: %d hosts, want %d: %v", what, kept, c.want, err)
		}
		back.sound(t)
	}
}

// TestSnapshotTruncated: whatever is missing at the end is noticed.
func TestSnapshotTruncated(t *testing.T) {
	s, now := rolled(t, 3)
	b := s.AppendSnapshot(nil, now)
	ends := map[int]bool{0: true}
	for at := 0; at < len(b); {
		whole := newStore(t, nil)
		next := at + 1
		for ; next < len(b); next++ { // a cut between two swarms cannot be told from an end
			if _, err := whole.Restore(0, b[:next], 0, true); err == nil {
				break
			}
		}
		ends[next], at = true, next
	}
	if len(ends) != 4 {
		t.Errorf("cuts at %v are not noticed, want those between three swarms", ends)
	}
}

func FuzzSnapshot(f *testing.F) {
	s, now := rolled(f, 4)
	b := s.AppendSnapshot(nil, now)
	f.Add(b, int64(0), true)
	f.Add(b[:len(b)/2], int64(time.Hour), false)
	f.Add(bytes.Repeat([]byte{0}, snapshotHeader+snapshotHost), int64(-1), true)
	f.Fuzz(func(t *testing.T, b []byte, away int64, present bool) {
		s := newStore(t, func(c *Config) { c.MaxHosts, c.MaxBytes = 20, 2000 })
		kept, _ := s.Restore(time.Hour, b, time.Duration(away), present)
		s.sound(t)
		if got := s.Totals(); got.Hosts != kept || got.Done != kept || kept > 20 {
			t.Fatalf("%d hosts restored, %+v there", kept, got)
		}
		for hash := range s.swarms {
			v := s.View(time.Hour, hash)
			v.Seal()
			if st := v.Status(ByHost, nil); st.Done != st.Hosts || st.Hosts == 0 {
				t.Fatalf("%+v", st)
			}
		}
		back := newStore(t, func(c *Config) { c.MaxHosts, c.MaxBytes = 20, 2000 })
		if again, err := back.Restore(0, s.AppendSnapshot(nil, time.Hour), 0, present); err != nil || again != kept {
			t.Fatalf("%d hosts of %d come back: %v", again, kept, err)
		}
		s.Expire(time.Hour + 24*time.Hour + 150*time.Second)
		s.Expire(time.Hour + 48*time.Hour + 150*time.Second)
		if got := s.Totals(); got != (Totals{}) {
			t.Fatalf("%+v for ever", got)
		}
	})
}
