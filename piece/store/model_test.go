package store

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
)

// Any sequence of calls against a model in memory.
func TestAgainstModel(t *testing.T) {
	for kind, gen := range map[string]func(testing.TB, *rand.Rand) *torrent{
		"plain": randomPlain, "padded": randomPadded,
		"v2":     func(t testing.TB, rng *rand.Rand) *torrent { return randomAligned(t, rng, false) },
		"hybrid": func(t testing.TB, rng *rand.Rand) *torrent { return randomAligned(t, rng, true) },
	} {
		for seed := range uint64(20) {
			t.Run(fmt.Sprint(kind, seed), func(t *testing.T) {
				rng := rand.New(rand.NewPCG(seed, 7))
				runModel(t, rng, gen(t, rng))
			})
		}
	}
}

func randomPlain(t testing.TB, rng *rand.Rand) *torrent {
	var files []File
	for i := range 1 + rng.IntN(6) {
		files = append(files, file(fmt.Sprintf("t/%d/%d", i%2, i), rng.Int64N(200), rng.IntN(4) > 0))
	}
	return newTorrent(t, 1+rng.Int64N(100), files...)
}

// randomPadded has padding where nobody would put it.
func randomPadded(t testing.TB, rng *rand.Rand) *torrent {
	var files []File
	for i := range 2 + rng.IntN(7) {
		f := file(fmt.Sprintf("t/%d/%d", i%2, i), rng.Int64N(200), rng.IntN(4) > 0)
		switch rng.IntN(4) {
		case 0:
			f.Exec = true
		case 1:
			f.Length, f.Symlink = 0, []string{"nowhere", "yet"}
		case 2, 3:
			f.Pad, f.Path = true, "t/.pad/1"
		}
		files = append(files, f)
	}
	return newTorrent(t, 1+rng.Int64N(100), files...)
}

func randomAligned(t testing.TB, rng *rand.Rand, hybrid bool) *torrent {
	var files []File
	pieceLen := int64(16<<10) << rng.IntN(2)
	for i := range 1 + rng.IntN(6) {
		n := rng.Int64N(3 * pieceLen)
		if rng.IntN(3) == 0 {
			n = n / pieceLen * pieceLen
		}
		files = append(files, file(fmt.Sprintf("t/%d/%d", i%2, i), n, rng.IntN(4) > 0))
	}
	return newAligned(t, hybrid, pieceLen, files...)
}

// padding calls fn with each part of piece i that is padding.
func (x *torrent) padding(i int, fn func(from, to int)) {
	begin := int64(i) * x.cfg.PieceLength
	end := begin + int64(len(x.piece(i)))
	for k, f := range x.cfg.Files {
		if from, to := max(begin, x.at[k]), min(end, x.at[k]+f.Length); f.Pad && from < to {
			fn(int(from-begin), int(to-begin))
		}
	}
}

// void says which pieces are padding and nothing else.
func (x *torrent) void() []bool {
	void := make([]bool, x.pieces())
	for i := range void {
		n := 0
		x.padding(i, func(from, to int) { n += to - from })
		void[i] = n == len(x.piece(i))
	}
	return void
}

func runModel(t *testing.T, rng *rand.Rand, x *torrent) {
	x.cfg.MaxOpenFiles = 1 + rng.IntN(3)
	s := open(t, x.cfg)
	disk := make([]byte, len(x.data)) // what was put, verified or not
	void := x.void()                  // had from the start
	have := slices.Clone(void)
	spoiled := make([]bool, x.pieces()) // by padding that was not zero
	for step := 0; step < 150 && len(have) > 0; step++ {
		i := rng.IntN(len(have))
		p, at := x.piece(i), i*int(x.cfg.PieceLength)
		mine := disk[at : at+len(p)]
		switch rng.IntN(12) {
		case 0, 1:
			x.put(t, s, i)
			copy(mine, p)
			have[i], spoiled[i] = true, spoiled[i] && have[i]
		case 2, 3, 4, 5:
			begin := rng.IntN(len(p))
			b := bytes.Clone(p[begin : begin+1+rng.IntN(len(p)-begin)])
			if rng.IntN(6) == 0 {
				b[0]++
			}
			must(t, s.PutBlock(i, begin, b))
			if !have[i] {
				copy(mine[begin:], b)
				x.padding(i, func(from, to int) {
					spoiled[i] = spoiled[i] || !isZero(mine[from:to])
					clear(mine[from:to])
				})
			}
		case 6, 7:
			// A file that was never written to is an error, not a verdict.
			ok, err := s.VerifyPiece(i)
			right := have[i] || bytes.Equal(mine, p) && !spoiled[i]
			spoiled[i] = false
			if ok != right || err != nil && !errors.Is(err, os.ErrNotExist) {
				t.Fatalf("verify %d: %v, %v; want %v", i, ok, err, right)
			}
			have[i] = have[i] || ok
		case 8:
			got := make([]byte, len(p))
			if err := s.Section(i, 0, len(p)).ReadInto(got); (err == nil) != have[i] || err == nil && !bytes.Equal(got, p) {
				t.Fatalf("read %d: %v", i, err)
			}
		case 9:
			must(t, s.Clear(i))
			have[i] = false
		case 10:
			syncNow(t, s)
		case 11:
			must(t, s.Close())
			s = open(t, x.cfg)
			clear(spoiled)
			for j := range have {
				have[j] = have[j] || void[j]
			}
		}
		got, trusted := s.Resumed()
		for j, want := range have {
			if bitset(got).has(j) != want || !trusted {
				t.Fatalf("piece %d: have %v, want %v; trusted %v", j, !want, want, trusted)
			}
		}
	}
	x.putAll(t, s)
	must(t, s.Finish(ctx))
	x.checkFinal(t)
}
