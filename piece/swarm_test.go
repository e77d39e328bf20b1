package piece

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// swarmBlocks is the number of blocks of each piece of a swarm.
const swarmBlocks = 4

// swarm makes a Picker from one line: a word a piece, which is the number of
// remotes that have it and then any of these marks:
//
//	#  we have it           -  we do not want it    !  it has the highest priority
//	p  its first block is received, the others are open
//	q  its first two blocks are received, the others are open
//	r  all its blocks are requested from one remote
//	w  all its blocks are received, it waits for verification
func swarm(t *testing.T, line string, seed uint64) *Picker {
	t.Helper()
	words := strings.Fields(line)
	g := Geometry{TotalLength: int64(len(words)) * swarmBlocks * BlockSize, PieceLength: swarmBlocks * BlockSize}
	p := NewPicker(g, nil, rand.New(rand.NewPCG(seed, 1)))
	for i, w := range words {
		marks := strings.TrimLeft(w, "0123456789")
		n, err := strconv.Atoi(strings.TrimSuffix(w, marks))
		if err != nil {
			t.Fatalf("%q: %v", w, err)
		}
		for range n {
			p.AddHave(i)
		}
		for _, m := range marks {
			switch m {
			case '#':
				p.Verified(i)
			case '-':
				p.SetPriority(i, 0)
			case '!':
				p.SetPriority(i, MaxPriority)
			case 'p':
				p.Received(g.run(i, 0, 1))
			case 'q':
				p.Received(g.run(i, 0, 2))
			case 'r':
				p.Requested(g.run(i, 0, swarmBlocks))
			case 'w':
				p.Received(g.run(i, 0, swarmBlocks))
			default:
				t.Fatalf("%q: no such mark", w)
			}
		}
	}
	if err := p.Invariant(); err != nil {
		t.Fatal(err)
	}
	return p
}

// remote is the bitfield of the pieces listed; an empty line is all of them.
func remote(t *testing.T, p *Picker, line string) *Bitfield {
	t.Helper()
	bf := NewBitfield(p.geo.NumPieces())
	if line == "" {
		bf.SetAll()
	}
	for _, w := range strings.Fields(line) {
		i, err := strconv.Atoi(w)
		if err != nil {
			t.Fatal(err)
		}
		bf.Set(i)
	}
	return bf
}

// TestPickPrefers asks many pickers, which differ by their chance only, and
// compares all pieces that any of them picks.
func TestPickPrefers(t *testing.T) {
	for _, c := range []struct {
		name, swarm, remote string
		suggested           []int
		strategy            Strategy
		want                []int
	}{
		{name: "rarest", swarm: "9# 9# 9# 9# 3 1 2 1", want: []int{5, 7}},
		{name: "rarest of what the remote has", swarm: "9# 9# 9# 9# 3 1 2 1", remote: "4 6", want: []int{6}},
		{name: "what nobody has is not asked for", swarm: "9# 9# 9# 9# 0 0 2 3", want: []int{6}},
		{name: "nothing that the remote has", swarm: "9# 9# 9# 9# 3 1", remote: "0 1"},
		{name: "random until four are had", swarm: "9# 9# 9# 4 3 1 2 1", want: []int{3, 4, 5, 6, 7}},
		{name: "random of what the remote has", swarm: "9# 9# 9# 4 3 1 2 1", remote: "0 3 6", want: []int{3, 6}},
		{name: "a begun piece before a rarer", swarm: "9# 9# 9# 9# 3p 1", want: []int{4}},
		{name: "the most complete of those begun", swarm: "9# 9# 9# 9# 3p 3q 1p 1", want: []int{5}},
		{name: "the lowest of equals", swarm: "9# 9# 9# 9# 1 2q 1q", want: []int{5}},
		{name: "a begun piece the remote lacks", swarm: "9# 9# 9# 9# 3p 1 2", remote: "5 6", want: []int{5}},
		{name: "requested is not picked", swarm: "9# 9# 9# 9# 1r 2 3", want: []int{5}},
		{name: "complete is not picked", swarm: "9# 9# 9# 9# 1w 2 3", want: []int{5}},
		{name: "priority before a begun piece", swarm: "9# 9# 9# 9# 3p 1 2!", want: []int{6}},
		{name: "rarest of a priority", swarm: "9# 9# 9# 9# 3! 1 2!", want: []int{6}},
		{name: "a begun piece of a priority", swarm: "9# 9# 9# 9# 3!p 1 2! 1q", want: []int{4}},
		{name: "unwanted is not picked", swarm: "9# 9# 9# 9# 1- 2-p 3", want: []int{6}},
		{name: "suggestion", swarm: "9# 9# 9# 9# 3p 1! 2 4", suggested: []int{7}, want: []int{7}},
		{name: "first useful suggestion", swarm: "9# 9# 9# 9# 1r 1- 1w 4q 2 1", suggested: []int{-1, 99, 0, 4, 5, 6, 7, 8}, want: []int{7}},
		{name: "suggestion the remote lacks", swarm: "9# 9# 9# 9# 1 2", remote: "5", suggested: []int{4}, want: []int{5}},
		{name: "random strategy", swarm: "9# 9# 9# 9# 3 1 2", strategy: Random, want: []int{4, 5, 6}},
		{name: "sequential strategy", swarm: "9# 9# 9# 9 3 1", strategy: Sequential, want: []int{3}},
		{name: "sequential of what the remote has", swarm: "9# 9# 9# 9 3 1", remote: "5 4", strategy: Sequential, want: []int{4}},
		{name: "done", swarm: "1# 1# 1-"},
		{name: "no pieces"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := map[int]bool{}
			for seed := range uint64(100) {
				p := swarm(t, c.swarm, seed)
				p.SetStrategy(c.strategy)
				bf := remote(t, p, c.remote)
				for _, a := range []Ask{{Have: bf}, {Seed: true}} {
					if a.Seed && c.remote != "" {
						continue
					}
					a.Suggested = c.suggested
					if r, ok := p.Pick(&a); ok {
						got[r.Piece] = true
					}
				}
			}
			for i := range 10 {
				if got[i] != slices.Contains(c.want, i) {
					t.Errorf("piece %d is picked: %v", i, got[i])
				}
			}
		})
	}
}

func TestPickCoversRuns(t *testing.T) {
	const b = BlockSize
	g := Geometry{TotalLength: 2*8*b + 2*b + 7, PieceLength: 8 * b}
	p := NewPicker(g, nil, rand.New(rand.NewPCG(1, 1)))
	p.SetStrategy(Sequential)
	p.AddSeed()
	a := Ask{Seed: true, MaxLength: 3*b + 100}
	var got []Run
	for {
		r, ok := p.Pick(&a)
		if !ok {
			break
		}
		p.Requested(r)
		got = append(got, r)
	}
	want := []Run{
		{0, 0, 3 * b}, {0, 3 * b, 3 * b}, {0, 6 * b, 2 * b},
		{1, 0, 3 * b}, {1, 3 * b, 3 * b}, {1, 6 * b, 2 * b},
		{2, 0, 2*b + 7},
	}
	if !slices.Equal(got, want) {
		t.Fatalf("runs %v\nwant %v", got, want)
	}
	p.Unrequested(Run{1, b, b})
	p.Unrequested(Run{1, 3 * b, 2 * b})
	if r, _ := p.Pick(&Ask{Seed: true, MaxLength: 8 * b}); r != (Run{1, b, b}) {
		t.Fatalf("the first gap is %v", r)
	}
	if r, _ := p.Pick(&Ask{Seed: true}); r.Length != b {
		t.Fatalf("without MaxLength: %v", r)
	}
}
