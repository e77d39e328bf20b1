package piece

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// chiSquare is the statistic of counts against a uniform spread.
func chiSquare(counts []int) float64 {
	sum := 0
	for _, c := range counts {
		sum += c
	}
	want, x := float64(sum)/float64(len(counts)), 0.0
	for _, c := range counts {
		x += (float64(c) - want) * (float64(c) - want) / want
	}
	return x
}

// TestTiesAreRandom lets pieces become equally rare by HAVEs in one order, the
// same at every peer, and wants the picks of many peers spread evenly. The
// bound is the 99.9 % quantile of chi-square with 15 degrees of freedom; the
// seeds are fixed, so the outcome is too.
func TestTiesAreRandom(t *testing.T) {
	const n, equals, trials, bound = 40, 16, 4000, 37.7
	for name, prepare := range map[string]func(p *Picker) *Ask{
		"among all of a bucket": func(p *Picker) *Ask {
			return &Ask{Seed: true}
		},
		"among those that the remote has": func(p *Picker) *Ask {
			bf := NewBitfield(n)
			for i := range equals {
				bf.Set(i)
			}
			p.AddRemote(bf) // and as rare as the others now
			return &Ask{Have: bf}
		},
		"after picks and HAVEs": func(p *Picker) *Ask {
			for i := n - 1; i >= equals; i-- {
				p.Requested(whole(p, i))
			}
			for i := range equals {
				p.AddHave(i)
				p.AddHave(i)
				p.RemoveHave(i)
			}
			return &Ask{Seed: true}
		},
	} {
		t.Run(name, func(t *testing.T) {
			var counts [equals]int
			for trial := range uint64(trials) {
				have := NewBitfield(n + randomFirst)
				for i := range randomFirst {
					have.Set(n + i)
				}
				g := Geometry{TotalLength: int64(n+randomFirst) * BlockSize, PieceLength: BlockSize}
				p := NewPicker(g, have, rand.New(rand.NewPCG(trial, 5)))
				for i := equals; i < n; i++ {
					p.AddHave(i)
				}
				for i := range n {
					p.AddHave(i)
				}
				r, ok := p.Pick(prepare(p))
				if !ok || r.Piece >= equals {
					t.Fatalf("picks %v, %v", r, ok)
				}
				counts[r.Piece]++
			}
			if x := chiSquare(counts[:]); x > bound {
				t.Errorf("chi-square %.1f of %v", x, counts)
			}
		})
	}
}

// TestSameSeedSamePicks runs one swarm twice.
func TestSameSeedSamePicks(t *testing.T) {
	play := func(seed uint64) []Run {
		rng := rand.New(rand.NewPCG(seed, 1))
		p := NewPicker(Geometry{TotalLength: 500 * 4 * BlockSize, PieceLength: 4 * BlockSize}, nil, rng)
		var remotes []*Bitfield
		for range 5 {
			remotes = append(remotes, randomBits(rand.New(rand.NewPCG(7, uint64(len(remotes)))), 500, 0.4))
			p.AddRemote(remotes[len(remotes)-1])
		}
		var runs []Run
		for k := range 600 {
			r, ok := p.Pick(&Ask{Have: remotes[k%5], MaxLength: 3 * BlockSize})
			if !ok {
				continue
			}
			p.Requested(r)
			runs = append(runs, r)
			if complete, _ := p.Received(r); complete {
				p.Verified(r.Piece)
			}
		}
		return runs
	}
	if !slices.Equal(play(1), play(1)) {
		t.Error("the same seed picks otherwise")
	}
	if slices.Equal(play(1), play(2)) {
		t.Error("another seed picks the same")
	}
}

// TestScanFindsTheRare puts the pieces that a remote has behind a long walk of
// rarer ones that it lacks.
func TestScanFindsTheRare(t *testing.T) {
	const n, useful = 20_000, 100
	rng := rand.New(rand.NewPCG(1, 2))
	g := Geometry{TotalLength: n * BlockSize, PieceLength: BlockSize}
	p := NewPicker(g, nil, rng)
	bf := NewBitfield(n)
	for bf.Count() < useful {
		bf.Set(rng.IntN(n))
	}
	p.AddRemote(bf)
	rare := -1
	for i := range bf.Ones() {
		if rare >= 0 {
			p.AddHave(i)
		} else {
			rare = i
		}
	}
	for i := range n {
		if !bf.Has(i) {
			p.AddHave(i) // as rare as the rarest of the remote's
		}
	}
	a := &Ask{Have: bf}
	counts := make([]int, n)
	for range 20 * useful {
		r, ok := p.Pick(a)
		if !ok || !bf.Has(r.Piece) {
			t.Fatalf("random first picks %v, %v", r, ok)
		}
		counts[r.Piece]++
	}
	var held []int
	for i := range bf.Ones() {
		held = append(held, counts[i])
	}
	if x := chiSquare(held); x > 148.2 { // the 99.9 % quantile of 99 degrees of freedom
		t.Errorf("random first is uneven: chi-square %.1f of %v", x, held)
	}
	for i := range n {
		if p.NumHave() == randomFirst {
			break
		}
		if !bf.Has(i) {
			p.Verified(i)
		}
	}
	if r, ok := p.Pick(a); !ok || r.Piece != rare {
		t.Fatalf("rarest first picks %v, %v; want piece %d", r, ok, rare)
	}
	for range useful {
		r, ok := p.Pick(a)
		if !ok || !bf.Has(r.Piece) {
			t.Fatalf("picks %v, %v", r, ok)
		}
		p.Requested(r)
	}
	if r, ok := p.Pick(a); ok {
		t.Fatalf("picks %v of a remote that has no more", r)
	}
	mustHold(t, p)
}

// TestPickAndHaveAllocateNothing holds for a download in its stride.
func TestPickAndHaveAllocateNothing(t *testing.T) {
	const n = 2000
	rng := rand.New(rand.NewPCG(1, 2))
	p := NewPicker(Geometry{TotalLength: n * 4 * BlockSize, PieceLength: 4 * BlockSize}, nil, rng)
	bf := randomBits(rng, n, 0.5)
	p.AddRemote(bf)
	a := &Ask{Have: bf, MaxLength: 2 * BlockSize}
	i := 0
	if k := testing.AllocsPerRun(500, func() {
		r, ok := p.Pick(a)
		if !ok {
			t.Fatal("nothing to pick")
		}
		p.Requested(r)
		if complete, _ := p.Received(r); complete {
			p.Verified(r.Piece)
		}
		p.AddHave(i % n)
		i += 7
	}); k != 0 {
		t.Errorf("%v allocations", k)
	}
}

// TestSeedsAndFullRemotesCountAlike lets remotes come one way and go another.
func TestSeedsAndFullRemotesCountAlike(t *testing.T) {
	p := swarm(t, "1 2 0 3", 1)
	p.AddSeed()
	if p.Rarest() != 1 || p.Availability(3) != 4 || p.DistributedCopies() != 1.75 {
		t.Fatalf("with a seed: rarest %d, copies %v", p.Rarest(), p.DistributedCopies())
	}
	bf := remote(t, p, "0 1 3")
	p.AddRemote(bf)
	bf.Set(2)
	p.AddHave(2)
	p.RemoveSeed()
	p.RemoveSeed() // the remote that became full
	if p.Rarest() != 0 || p.MinAvailability() != 0 || p.Availability(3) != 3 || p.DistributedCopies() != 0.75 {
		t.Fatalf("without: rarest %d, copies %v", p.Rarest(), p.DistributedCopies())
	}
	if !slices.Equal(p.Missing(), []int{2}) {
		t.Fatalf("missing %v", p.Missing())
	}
	mustHold(t, p)
}
