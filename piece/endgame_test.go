package piece

import "testing"

func TestEndgameOnlyWhenNothingElseIsLeft(t *testing.T) {
	for _, c := range []struct {
		swarm string
		want  bool
	}{
		{"1r 1#", true},
		{"1w 1#", true},
		{"1r 1-", true},
		{"1r 1p-", true},
		{"1r 1", false},
		{"1r 0", false},
		{"1r 1p", false},
		{"1# 1#", false},
		{"1# 1-r", false},
		{"", false},
	} {
		p := swarm(t, c.swarm, 1)
		if p.InEndgame() != c.want {
			t.Errorf("%q: endgame %v", c.swarm, !c.want)
		}
		r, ok := p.Pick(&Ask{Seed: true, MaxLength: 1 << 18, Endgame: true})
		if busy := ok && p.partial(r.Piece) != nil && p.partial(r.Piece).at[0] == 0; busy && !c.want {
			t.Errorf("%q: endgame picks %v too early", c.swarm, r)
		}
	}
}

func TestEndgamePicks(t *testing.T) {
	const b = BlockSize
	all := Run{0, 0, 4 * b}
	for _, c := range []struct {
		name        string
		swarm       string
		requested   []Run // one more requester each
		outstanding []Run
		remote      string
		limit       int
		refused     bool // the Ask does not allow endgame
		want        Run  // Length 0 is none
	}{
		{name: "a run of another", swarm: "2r 1#", limit: 4 * b, want: all},
		{name: "as long as allowed", swarm: "2r 1#", limit: 2 * b, want: Run{0, 0, 2 * b}},
		{name: "not without leave", swarm: "2r 1#", limit: 4 * b, refused: true},
		{name: "not what the remote lacks", swarm: "2r 1#", limit: 4 * b, remote: "1"},
		{name: "not what is received", swarm: "2w 1#", limit: 4 * b},
		{name: "not what is unwanted", swarm: "2r- 2w", limit: 4 * b},
		{name: "never its own", swarm: "2r 1#", limit: 4 * b, outstanding: []Run{all}},
		{name: "between its own", swarm: "2r 1#", limit: 4 * b,
			outstanding: []Run{{1, b, b}, {0, 0, b}, {0, 2 * b, b}}, want: Run{0, b, b}},
		{name: "after its own", swarm: "2r 1#", limit: 4 * b,
			outstanding: []Run{{0, b, b}, {0, 0, b}}, want: Run{0, 2 * b, 2 * b}},
		{name: "fewest requesters", swarm: "2r 2r", limit: 4 * b,
			requested: []Run{all, {1, 0, b}, {1, 3 * b, b}}, want: Run{1, b, 2 * b}},
		{name: "more requesters where the fewest are its own", swarm: "2r 2r", limit: 4 * b,
			requested: []Run{all}, outstanding: []Run{{1, 0, 4 * b}}, want: all},
		{name: "never more than the bound", swarm: "2r 1#", limit: 4 * b, requested: []Run{all, all}},
		{name: "what is below the bound", swarm: "2r 1#", limit: 4 * b,
			requested: []Run{all, {0, 0, 3 * b}}, want: Run{0, 3 * b, b}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for seed := range uint64(20) {
				p := swarm(t, c.swarm, seed)
				for _, r := range c.requested {
					p.Requested(r)
				}
				a := Ask{Have: remote(t, p, c.remote), MaxLength: c.limit, Endgame: !c.refused, Outstanding: c.outstanding}
				r, ok := p.Pick(&a)
				if ok != (c.want.Length > 0) || r != c.want {
					t.Fatalf("picks %v, %v; want %v", r, ok, c.want)
				}
			}
		})
	}
}

// TestEndgameEnds plays the end of a download in which one remote of three
// hangs: the others ask for its runs too, and every duplicate is cancelled.
func TestEndgameEnds(t *testing.T) {
	p := swarm(t, "9# 9# 9# 9# 3 3 3", 7)
	out := make([][]Run, 3)
	pick := func(k int) bool {
		r, ok := p.Pick(&Ask{Have: remote(t, p, ""), MaxLength: 1 << 18, Endgame: true, Outstanding: out[k]})
		if ok {
			p.Requested(r)
			out[k] = append(out[k], r)
		}
		return ok
	}
	for k := range out {
		pick(k)
	}
	for step := 0; !p.Done(); step++ {
		if step > 20 {
			t.Fatal("the download does not end")
		}
		for k := 1; k < 3; k++ { // remote 0 never answers
			if len(out[k]) > 0 {
				r := out[k][0]
				complete, _ := p.Received(r)
				for j := range out {
					if n := len(out[j]); n > 0 && out[j][0] == r {
						out[j] = out[j][1:]
						p.Unrequested(r) // cancelled
					}
				}
				if complete {
					p.Verified(r.Piece)
				}
			}
			pick(k)
			mustHold(t, p)
		}
	}
}
