package peer

import (
	"slices"
	"testing"
	"time"

	"starling/choke"
)

func TestOneSeedOneLeecher(t *testing.T) {
	for _, size := range []int64{1, 16 << 10, 256<<10 - 1, 256 << 10, 256<<10 + 1, 5<<20 + 12345} {
		s := newSwarm(t, 1, size, 256<<10)
		s.join(true, nil)
		l := s.join(false, nil)
		s.finish(time.Minute, l)
		if !l.has(FirstByte) {
			t.Error("no first_byte")
		}
		if got := s.board.heard[l.addr]; !slices.Equal(got, []AnnounceEvent{EventStarted, EventCompleted}) {
			t.Errorf("the tracker heard %q", got)
		}
	}
}

func TestPiecesLargerThanARun(t *testing.T) {
	s := newSwarm(t, 2, 5<<20+777, 1<<20)
	s.join(true, nil)
	a, b := s.join(false, nil), s.join(false, nil)
	s.finish(time.Minute, a, b)
}

func TestLeechersFeedEachOther(t *testing.T) {
	s := newSwarm(t, 3, 16<<20, 256<<10)
	seed := s.join(true, nil)
	var ls []*member
	for range 8 {
		ls = append(ls, s.join(false, nil))
	}
	s.finish(2*time.Minute, ls...)
	if sent := float64(seed.Stats().SentPayload) / float64(len(s.full)); sent > 4 {
		t.Errorf("the seed sent %.2f copies", sent)
	}
}

// TestShapedSwarm: a flash crowd in which every uplink is the same. The bound
// is that of Kurose and Ross, F/us here; what a discrete schedule could reach
// is 1 + floor(log2 12)/256 = 1.012 of it.
func TestShapedSwarm(t *testing.T) {
	const size, uplink, leechers = 16 << 20, 0.625e6, 12
	for _, policy := range []string{choke.TitForTat, choke.Cooperative} {
		s := newSwarm(t, 4, size, 64<<10)
		s.policy = policy
		seed := s.join(true, slow(uplink))
		var ls []*member
		for range leechers {
			ls = append(ls, s.join(false, slow(uplink)))
		}
		s.finish(2*time.Minute, ls...)
		last := time.Duration(0)
		for _, l := range ls {
			last = max(last, l.doneAt)
		}
		ratio := last.Seconds() / (size / uplink)
		copies := float64(seed.Stats().SentPayload) / size
		t.Logf("%s: the last finished at %.3f of the bound; the seed sent %.3f copies", policy, ratio, copies)
		if ratio > 1.15 || copies > 1.15 {
			t.Errorf("%s: the last finished at %.3f of the bound; the seed sent %.3f copies", policy, ratio, copies)
		}
	}
}
