package peer

import (
	"io"
	"testing"
	"time"

	"starling/choke"
	"starling/p2p"
	"starling/peer/wire"
	"starling/piece"
)

// fetchPieces is more than the windows of eight sources hold, so that there is
// always something to ask for.
const fetchPieces = 80

// newFetching is a peer that lacks so many pieces, under a policy.
func newFetching(t *testing.T, policy string, lacks int) *stage {
	t.Helper()
	return newStage(t, fetchPieces, func(i int) bool { return i >= lacks }, func(cfg *EngineConfig) {
		p, err := choke.New(policy, choke.Default())
		if err != nil {
			t.Fatal(err)
		}
		cfg.Policy = p
	})
}

// leecherThatServes meets one that lacks the last piece only, and unchokes us.
func (s *stage) leecherThatServes(id byte) p2p.ConnID {
	s.t.Helper()
	c := s.greetFrom(id)
	have := piece.NewBitfield(fetchPieces)
	for i := range fetchPieces - 1 {
		have.Set(i)
	}
	s.h.Deliver(c, wire.BITF, string(have.Bytes()))
	s.h.Deliver(c, wire.UNCH, "")
	if !s.h.Alive(c) {
		s.t.Fatalf("the handshake failed: %s", s.h.Take())
	}
	return c
}

func (s *stage) leechersThatServe(n int) (cs []p2p.ConnID) {
	s.t.Helper()
	for id := range byte(n) {
		cs = append(cs, s.leecherThatServes(1+id))
	}
	return cs
}

// wishes is what each remote was told since the last take about what we want of
// it: the types of the messages, equal ones in a row once.
func (s *stage) wishes() map[p2p.ConnID]string {
	s.t.Helper()
	said, last := map[p2p.ConnID]string{}, map[p2p.ConnID]string{}
	msgs, _ := s.take()
	for _, m := range only(msgs, wire.INTR, wire.NINT, wire.REQU, wire.CANC) {
		if last[m.conn] != m.typ {
			said[m.conn] += " " + m.typ
			last[m.conn] = m.typ
		}
	}
	return said
}

// serveFor lets seconds pass, in each of which each of some sources answers one
// request.
func (s *stage) serveFor(seconds int, cs ...p2p.ConnID) {
	s.t.Helper()
	for range seconds {
		s.h.Advance(time.Second)
		for _, c := range cs {
			if len(s.remotes[c].requests) == 0 {
				s.t.Fatalf("source %d is asked for nothing", c)
			}
			s.pieceOf(c, s.remotes[c].requests[0].run)
		}
		s.finishJobs()
	}
}

// TestOneSourceTooMany: among leechers we take from as many as is our share of the
// slots, and give the slot of a further one back. In tit-for-tat we take what we are
// given.
func TestOneSourceTooMany(t *testing.T) {
	for _, tt := range []struct {
		policy, fifth string
		active        int
	}{
		{choke.Cooperative, " INTR NINT", 4},
		{choke.TitForTat, " INTR REQU", 5},
	} {
		s := newFetching(t, tt.policy, fetchPieces)
		cs := s.leechersThatServe(5)
		said := s.wishes()
		for _, c := range cs[:4] {
			if said[c] != " INTR REQU" {
				t.Errorf("%s: to source %d: %q", tt.policy, c, said[c])
			}
		}
		if said[cs[4]] != tt.fifth {
			t.Errorf("%s: to the fifth: %q, want %q", tt.policy, said[cs[4]], tt.fifth)
		}
		s.serveFor(4, cs[:4]...)
		if got := s.active(); got != tt.active {
			t.Errorf("%s: %d sources after 4 s, want %d", tt.policy, got, tt.active)
		}
		if tt.policy == choke.Cooperative && s.wishes()[cs[4]] != "" {
			t.Error("the fifth is told of interest that comes and goes")
		}
		s.sound()
	}
}

// TestAloneAmongSeeds: the slots of seeds are all for the one leecher that there
// is; with more leechers our share is less, and more than the seeds' number of
// slots for it never.
func TestAloneAmongSeeds(t *testing.T) {
	s := newFetching(t, choke.Cooperative, fetchPieces)
	var cs []p2p.ConnID
	for id := range byte(7) {
		cs = append(cs, s.seedThatServes(1+id))
	}
	s.serveFor(2, cs[:4]...)
	if s.active() != 7 {
		t.Errorf("%d sources of 7 seeds", s.active())
	}
	s.sound()
	for _, tt := range []struct{ seeds, leechers, want int }{
		{0, 0, 4}, {7, 0, 28}, {7, 1, 16}, {7, 6, 7}, {1, 20, 4}, {0, 20, 4},
	} {
		s := newFetching(t, choke.Cooperative, fetchPieces)
		for id := range byte(tt.seeds + tt.leechers) {
			has := wire.HNON
			if int(id) < tt.seeds {
				has = wire.HALL
			}
			s.meet(1+id, has)
		}
		s.weighSources()
		if s.fair != tt.want {
			t.Errorf("%d seeds and %d leechers: our share is %d sources, want %d", tt.seeds, tt.leechers, s.fair, tt.want)
		}
	}
}

// TestDeclinedIsAskedAgain: one that was too many is turned to when a source is
// gone, however it went.
func TestDeclinedIsAskedAgain(t *testing.T) {
	for name, ends := range map[string]func(s *stage, c p2p.ConnID){
		"it leaves": func(s *stage, c p2p.ConnID) { s.h.Hangup(c, io.EOF) },
		"it chokes and rejects": func(s *stage, c p2p.ConnID) {
			s.h.Deliver(c, wire.CHOK, "")
			for len(s.remotes[c].requests) > 0 {
				s.h.Deliver(c, wire.REJE, wordsOf(s.remotes[c].requests[0].run))
			}
		},
	} {
		s := newFetching(t, choke.Cooperative, fetchPieces)
		cs := s.leechersThatServe(6)
		s.wishes()
		ends(s, cs[0])
		said := s.wishes()
		if got := said[cs[4]] + said[cs[5]]; got != " INTR REQU" {
			t.Errorf("%s: to those that were too many: %q and %q, want one asked", name, said[cs[4]], said[cs[5]])
		}
		if s.active() != 4 {
			t.Errorf("%s: %d sources", name, s.active())
		}
		s.sound()
	}
}

// TestSlowSourceGivesWay: a source that sends nothing while the others do gives way
// to one that was declined, once it has had its time, and is left alone; its answers
// are still welcome. It stays if nobody was declined, or if it is as fast as others.
func TestSlowSourceGivesWay(t *testing.T) {
	const kept = ""
	for _, tt := range []struct {
		name    string
		sources int
		serve   []int
		slow    string // what it is told
	}{
		{"one is slow", 5, []int{0, 1, 3}, " CANC NINT"},
		{"nobody was declined", 4, []int{0, 1, 3}, kept},
		{"all are as fast", 5, []int{0, 1, 2, 3}, kept},
	} {
		s := newFetching(t, choke.Cooperative, fetchPieces)
		cs := s.leechersThatServe(tt.sources)
		slow := cs[2]
		var serve []p2p.ConnID
		for _, i := range tt.serve {
			serve = append(serve, cs[i])
		}
		early := int(slowAfter / time.Second)
		s.serveFor(early, serve...)
		begun := len(s.remotes[slow].requests)
		if said := s.wishes(); said[slow] != " INTR REQU" {
			t.Errorf("%s: told %q in its first %v", tt.name, said[slow], slowAfter)
		}
		s.serveFor(2, serve...)
		said := s.wishes()
		if tt.slow == kept {
			if r := s.remotes[slow]; r.resting || r.outstanding == 0 {
				t.Errorf("%s: it is given up: %q", tt.name, said[slow])
			}
			continue
		}
		if said[slow] != tt.slow || said[cs[4]] != " INTR REQU" {
			t.Errorf("%s: told %q, and the one that was declined %q", tt.name, said[slow], said[cs[4]])
		}
		s.pieceOf(slow, s.remotes[slow].requests[0].run) // it was under way
		for len(s.remotes[slow].requests) > 0 {
			s.h.Deliver(slow, wire.REJE, wordsOf(s.remotes[slow].requests[0].run))
		}
		s.serveFor(4, append(serve, cs[4])...)
		if said = s.wishes(); said[slow] != "" || s.active() != 4 || begun == 0 || !s.h.Alive(slow) {
			t.Errorf("%s: then it is told %q; %d sources", tt.name, said[slow], s.active())
		}
		s.sound()
	}
}

// TestGuideIsNeverTooMany: one that guides us is asked for what it suggests, however
// many sources we have, and is not given up for being slow.
func TestGuideIsNeverTooMany(t *testing.T) {
	const only = 70
	s := newFetching(t, choke.Cooperative, fetchPieces)
	cs := s.leechersThatServe(6)
	s.weighSources()
	guide := s.meet(50, wire.HALL)
	s.h.Deliver(guide, wire.SUGG, words(only))
	s.wishes()
	s.h.Deliver(guide, wire.UNCH, "")
	runs := s.requests(guide)
	for _, r := range runs {
		if r.Piece != only {
			t.Errorf("asked for piece %d of a remote that suggests %d", r.Piece, only)
		}
	}
	if len(runs) == 0 || s.active() <= s.fair {
		t.Fatalf("%d requests to the one that guides; %d sources, our share is %d", len(runs), s.active(), s.fair)
	}
	s.serveFor(4, cs[:4]...)
	if r := s.remotes[guide]; r.resting || r.declined || r.outstanding == 0 {
		t.Error("it is given up")
	}
	s.sound()
}

// TestAllHelpInTheEndgame: when all that is missing is asked for, those that were
// declined are asked for it, too.
func TestAllHelpInTheEndgame(t *testing.T) {
	s := newFetching(t, choke.Cooperative, 4)
	for id := range byte(4) {
		c := s.greetFrom(1 + id)
		s.h.Deliver(c, wire.HNON, "")
		s.h.Deliver(c, wire.HAVE, words(uint32(id))) // one piece each: all have something to do
		s.h.Deliver(c, wire.UNCH, "")
	}
	if !s.endgame || s.active() != 4 {
		t.Fatalf("endgame %v, %d sources", s.endgame, s.active())
	}
	s.take()
	late := s.leecherThatServes(50)
	if said := s.wishes()[late]; said != " INTR REQU" {
		t.Errorf("one more in the endgame is told %q", said)
	}
	s.sound()

	s = newFetching(t, choke.Cooperative, 40)
	cs := s.leechersThatServe(4)
	declined := s.leecherThatServes(5)
	for range 200 {
		if s.endgame {
			break
		}
		if !s.remotes[declined].declined {
			t.Fatal("not declined before the endgame")
		}
		s.wishes()
		for _, c := range cs {
			s.pieceOf(c, s.remotes[c].requests[0].run)
		}
		s.finishJobs()
	}
	if said := s.wishes()[declined]; said != " INTR REQU" {
		t.Errorf("when the endgame begins one that was declined is told %q", said)
	}
	s.sound()
}

// TestBehind: in the second half of the pieces, and not before, a peer that has
// less than those around it takes from twice as many.
func TestBehind(t *testing.T) {
	for _, tt := range []struct {
		name  string
		lacks int
		want  int
	}{
		{"little is had", fetchPieces, 4},
		{"a third is missing", fetchPieces / 3, 8},
		{"two are missing", 2, 4},
	} {
		s := newFetching(t, choke.Cooperative, tt.lacks)
		s.leechersThatServe(6)
		s.weighSources()
		if s.fair != tt.want {
			t.Errorf("%s: our share is %d sources, want %d", tt.name, s.fair, tt.want)
		}
	}
}
