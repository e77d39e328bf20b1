package lsd

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"starling/metainfo"
)

var start = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)

// sent is one packet of a schedule that is played.
type sent struct {
	at     time.Duration // since start
	hashes []metainfo.Hash
}

// play lets a schedule run from one time to another.
func play(s *schedule, from, to time.Duration) (out []sent) {
	now := start.Add(from)
	for {
		due, ok := s.due()
		if !ok || due.After(start.Add(to)) {
			return out
		}
		if due.After(now) {
			now = due
		}
		out = append(out, sent{now.Sub(start), s.take(now)})
	}
}

func times(list []sent) (out []time.Duration) {
	for _, p := range list {
		out = append(out, p.at)
	}
	return out
}

func TestScheduleOne(t *testing.T) {
	s := schedule{gather: time.Second}
	if _, ok := s.due(); ok {
		t.Error("due without a torrent")
	}
	s.add(start, hashN(1))
	got := play(&s, 0, 11*time.Minute)
	want := []time.Duration{time.Second, 5*time.Minute + time.Second, 10*time.Minute + time.Second}
	if !slices.Equal(times(got), want) {
		t.Errorf("sent at %v, want %v", times(got), want)
	}
	s.remove(hashN(1))
	if got := play(&s, 11*time.Minute, time.Hour); len(got) > 0 || s.len() > 0 || s.has(hashN(1)) {
		t.Errorf("after removal: %v", got)
	}
}

func TestScheduleGathers(t *testing.T) {
	s := schedule{gather: time.Second}
	s.add(start, hashN(1))
	s.add(start.Add(900*time.Millisecond), hashN(2))
	got := play(&s, 0, 2*time.Second)
	if len(got) != 1 || !slices.Equal(got[0].hashes, []metainfo.Hash{hashN(1), hashN(2)}) {
		t.Errorf("first packets: %v", got)
	}
	// The third waits for its minute.
	s.add(start.Add(2*time.Second), hashN(3))
	got = play(&s, 2*time.Second, 62*time.Second)
	if len(got) != 1 || got[0].at != 61*time.Second || !slices.Equal(got[0].hashes, []metainfo.Hash{hashN(3)}) {
		t.Errorf("then: %v", got)
	}
	// From then on each has a packet of its own in each 5 minutes.
	got = play(&s, 62*time.Second, 661*time.Second)
	for i, p := range got {
		if at := time.Duration(161+100*i) * time.Second; p.at != at || !slices.Equal(p.hashes, []metainfo.Hash{hashN(1 + i%3)}) {
			t.Errorf("packet %d: %v, want one at %v", i, p, at)
		}
	}
	if len(got) != 6 {
		t.Errorf("%d packets in 10 minutes, want 6", len(got))
	}
}

func TestScheduleManyTakeTurns(t *testing.T) {
	for _, n := range []int{1, 2, 5, 6, 25, 26, 125, 126, 300} {
		s := schedule{gather: time.Second}
		for i := range n {
			s.add(start, hashN(i))
		}
		const end = 4 * time.Hour
		got := play(&s, 0, end)
		seen := map[metainfo.Hash][]time.Duration{}
		for i, p := range got {
			if len(p.hashes) == 0 || len(p.hashes) > MaxHashes {
				t.Fatalf("%d torrents: a packet of %d", n, len(p.hashes))
			}
			if i > 0 && p.at-got[i-1].at < spacing {
				t.Fatalf("%d torrents: packets at %v and %v", n, got[i-1].at, p.at)
			}
			if p.at > time.Hour && len(p.hashes) > (n+4)/5 {
				t.Fatalf("%d torrents: %d of them in one packet at %v", n, len(p.hashes), p.at)
			}
			for _, h := range p.hashes {
				seen[h] = append(seen[h], p.at)
			}
		}
		// A turn takes 5 minutes, or as many as there are full packets in it.
		turn := max(every, time.Duration((n+MaxHashes-1)/MaxHashes)*spacing)
		for i := range n {
			at := append(seen[hashN(i)], end)
			for j := 1; j < len(at); j++ {
				gap, settled := at[j]-at[j-1], at[j-1] > time.Hour && j < len(at)-1
				if gap > turn || settled && gap < every-spacing {
					t.Fatalf("%d torrents: one was announced at %v", n, at)
				}
			}
		}
	}
}

// TestScheduleShrinks: a torrent that is left alone is not announced late.
func TestScheduleShrinks(t *testing.T) {
	s := schedule{gather: time.Second}
	for i := range 5 {
		s.add(start, hashN(i))
	}
	play(&s, 0, 10*time.Minute)
	last := s.told[0]
	for i := range 5 {
		if hashN(i) != last.hash {
			s.remove(hashN(i))
		}
	}
	got := play(&s, 10*time.Minute, 20*time.Minute)
	if want := last.at.Add(every).Sub(start); len(got) != 2 || got[0].at != want || got[1].at != want+every {
		t.Errorf("%v, want from %v on", got, want)
	}
}

func TestScheduleAgain(t *testing.T) {
	s := schedule{gather: time.Second}
	s.add(start, hashN(1))
	s.add(start, hashN(2))
	play(&s, 0, 2*time.Second)
	s.add(start.Add(10*time.Second), hashN(3))
	s.again(start.Add(20 * time.Second))
	got := play(&s, 20*time.Second, 4*time.Minute)
	if len(got) != 2 || got[0].at != 61*time.Second || !slices.Equal(got[0].hashes, []metainfo.Hash{hashN(3), hashN(1), hashN(2)}) {
		t.Errorf("%v", got)
	}
	s.again(start.Add(4 * time.Minute))
	if got := play(&s, 4*time.Minute, 5*time.Minute); len(got) != 1 || got[0].at != 241*time.Second || len(got[0].hashes) != 3 {
		t.Errorf("%v", got)
	}
}

// TestScheduleProperty adds, removes and repeats at random: no two packets within
// a minute, none without a torrent or with one twice, and the books are right.
func TestScheduleProperty(t *testing.T) {
	for seed := range uint64(100) {
		rng := rand.New(rand.NewPCG(seed, 14))
		s := schedule{gather: time.Second}
		now, last := time.Duration(0), -spacing
		have := map[metainfo.Hash]bool{}
		for range 300 {
			h := hashN(rng.IntN(80))
			switch rng.IntN(6) {
			case 0, 1, 2:
				if !s.has(h) {
					s.add(start.Add(now), h)
					have[h] = true
				}
			case 3, 4:
				s.remove(h)
				delete(have, h)
			case 5:
				s.again(start.Add(now))
			}
			next := now + time.Duration(rng.Int64N(int64(time.Minute)))
			for _, p := range play(&s, now, next) {
				if p.at-last < spacing || len(p.hashes) == 0 || len(p.hashes) > MaxHashes {
					t.Fatalf("seed %d: %d torrents at %v, the last at %v", seed, len(p.hashes), p.at, last)
				}
				last = p.at
				for i, h := range p.hashes {
					if !have[h] || slices.Contains(p.hashes[:i], h) {
						t.Fatalf("seed %d: %v was announced", seed, h)
					}
				}
			}
			now = next
			if len(s.fresh)+len(s.told) != len(have) || s.len() != len(have) {
				t.Fatalf("seed %d: %d and %d of %d", seed, len(s.fresh), len(s.told), len(have))
			}
		}
	}
}
