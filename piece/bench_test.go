package piece

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

const benchRemotes = 50

// benchSwarm is a Picker over n pieces with benchRemotes remotes, each of which
// has a piece with probability density, and us having the share had.
func benchSwarm(b *testing.B, n int, density, had float64) (*Picker, []*Bitfield) {
	b.Helper()
	rng := rand.New(rand.NewPCG(1, 2))
	ours := randomBits(rng, n, had)
	p := NewPicker(Geometry{TotalLength: int64(n) << 18, PieceLength: 1 << 18}, ours, rng)
	remotes := make([]*Bitfield, benchRemotes)
	for i := range remotes {
		remotes[i] = randomBits(rng, n, density)
		p.AddRemote(remotes[i])
	}
	return p, remotes
}

func randomBits(rng *rand.Rand, n int, density float64) *Bitfield {
	bf := NewBitfield(n)
	for i := range n {
		if rng.Float64() < density {
			bf.Set(i)
		}
	}
	return bf
}

// BenchmarkPick picks and marks for one remote after the other, and takes the
// oldest mark back, with 256 pieces in flight.
func BenchmarkPick(b *testing.B) {
	for _, n := range []int{10_000, 100_000} {
		for _, c := range []struct {
			name         string
			density, had float64
		}{
			{"dense", 0.9, 0.1},
			{"half", 0.5, 0.3},
			{"sparse", 0.01, 0.1},
			{"useless", 0.0005, 0.3},
			{"nearlydone", 0.7, 0.995},
			{"randomfirst", 0.01, 0},
		} {
			b.Run(fmt.Sprintf("%s/pieces=%d", c.name, n), func(b *testing.B) {
				p, remotes := benchSwarm(b, n, c.density, c.had)
				var flight [256]Run
				a := Ask{MaxLength: 1 << 18}
				k := 0
				b.ReportAllocs()
				for b.Loop() {
					a.Have = remotes[k%len(remotes)]
					slot := &flight[k%len(flight)]
					if slot.Length > 0 {
						p.Unrequested(*slot)
					}
					*slot, _ = p.Pick(&a)
					if slot.Length > 0 {
						p.Requested(*slot)
					}
					k++
				}
			})
		}
	}
}

// BenchmarkPickPartials picks blocks of 16 KiB where half of the pieces in
// flight have come open again.
func BenchmarkPickPartials(b *testing.B) {
	p, remotes := benchSwarm(b, 100_000, 0.5, 0.3)
	a := Ask{MaxLength: 1 << 18}
	for k := range 256 {
		a.Have = remotes[k%len(remotes)]
		r, _ := p.Pick(&a)
		p.Requested(r)
	}
	for _, q := range p.partials[:128] {
		p.Unrequested(Run{Piece: q.piece, Begin: BlockSize, Length: BlockSize})
	}
	a.MaxLength = BlockSize
	k := 0
	b.ReportAllocs()
	for b.Loop() {
		a.Have = remotes[k%len(remotes)]
		r, ok := p.Pick(&a)
		if ok {
			p.Requested(r)
			p.Unrequested(r)
		}
		k++
	}
}

// BenchmarkPickEndgame picks where the last 64 pieces are all requested.
func BenchmarkPickEndgame(b *testing.B) {
	n := 100_000
	have := NewBitfield(n)
	for i := range n - 64 {
		have.Set(i)
	}
	p := NewPicker(Geometry{TotalLength: int64(n) << 18, PieceLength: 1 << 18}, have, rand.New(rand.NewPCG(1, 2)))
	p.AddSeed()
	a := Ask{Seed: true, MaxLength: 1 << 18, Endgame: true}
	for range 64 {
		r, _ := p.Pick(&a)
		p.Requested(r)
		a.Outstanding = append(a.Outstanding, r)
	}
	a.Outstanding = a.Outstanding[:16]
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := p.Pick(&a); !ok {
			b.Fatal("nothing to pick")
		}
	}
}

// BenchmarkHave counts random HAVEs up and down again.
func BenchmarkHave(b *testing.B) {
	for _, n := range []int{10_000, 100_000} {
		b.Run(fmt.Sprintf("pieces=%d", n), func(b *testing.B) {
			p, _ := benchSwarm(b, n, 0.5, 0.1)
			rng := rand.New(rand.NewPCG(3, 4))
			at := make([]int, 1<<14)
			for i := range at {
				at[i] = rng.IntN(n)
			}
			k := 0
			b.ReportAllocs()
			for b.Loop() {
				i := at[k%len(at)]
				if k/len(at)%2 == 0 {
					p.AddHave(i)
				} else {
					p.RemoveHave(i)
				}
				k++
			}
		})
	}
}

// BenchmarkAddRemote counts a remote in and out: two operations an iteration.
func BenchmarkAddRemote(b *testing.B) {
	for _, n := range []int{10_000, 100_000, 2_000_000} {
		for _, density := range []float64{0.05, 0.9} {
			b.Run(fmt.Sprintf("density=%v/pieces=%d", density, n), func(b *testing.B) {
				p, _ := benchSwarm(b, n, 0.5, 0.1)
				bf := randomBits(rand.New(rand.NewPCG(5, 6)), n, density)
				b.ReportAllocs()
				for b.Loop() {
					p.AddRemote(bf)
					p.RemoveRemote(bf)
				}
			})
		}
	}
}

// BenchmarkWanted asks in vain, the slowest case: nothing of it is wanted.
func BenchmarkWanted(b *testing.B) {
	p, _ := benchSwarm(b, 100_000, 0.5, 0.5)
	have := p.Have().Clone()
	b.ReportAllocs()
	for b.Loop() {
		if p.Wanted(have) {
			b.Fatal("wanted")
		}
	}
}
