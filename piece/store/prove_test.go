package store

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"starling/metainfo/merkle"
	"starling/piece"
)

// leavesOf hashes the blocks of a piece.
func leavesOf(data []byte) (leaves []byte) {
	for _, b := range cut(data, merkle.BlockSize) {
		leaf := merkle.Leaf(b)
		leaves = append(leaves, leaf[:]...)
	}
	return leaves
}

// sections says which blocks of piece i can be read, and fails the test if one of
// them is wrong.
func (x *torrent) sections(t testing.TB, s *Store, i int) (served string) {
	t.Helper()
	for k, b := range cut(x.piece(i), piece.BlockSize) {
		got := make([]byte, len(b))
		switch err := s.Section(i, k*piece.BlockSize, len(b)).ReadInto(got); {
		case errors.Is(err, ErrNotVerified):
			served += "-"
		case err != nil:
			t.Fatal(err)
		case !bytes.Equal(got, b):
			t.Fatalf("block %d of piece %d is served wrong", k, i)
		default:
			served += "+"
		}
	}
	return served
}

// TestProve: blocks that agree with their leaves are served before their piece is
// whole, others are neither kept nor served; and the piece is verified without
// another look at it if it is of v2 alone.
func TestProve(t *testing.T) {
	for _, hybrid := range []bool{false, true} {
		t.Run(fmt.Sprintf("hybrid %v", hybrid), func(t *testing.T) {
			x := newAligned(t, hybrid, 64<<10, file("t/a", 100<<10, true), file("t/b", 40000, true))
			s := open(t, x.cfg)
			data, leaves := x.piece(0), leavesOf(x.piece(0))
			put := func(begin, n int, spoil bool, want Proof) {
				t.Helper()
				b := bytes.Clone(data[begin : begin+n])
				if spoil {
					b[n-1] ^= 1
				}
				if p, err := s.PutProven(0, begin, b, leaves); p != want || err != nil {
					t.Errorf("%d+%d is %v, %v, want %v", begin, n, p, err, want)
				}
			}
			put(32<<10, 16<<10, false, Right)
			put(0, 32<<10, true, Wrong)
			if got := x.sections(t, s, 0); got != "--+-" {
				t.Errorf("served %s", got)
			}
			// A block without leaves is not trusted until it is held against them.
			must(t, s.PutBlock(0, 0, data[:16<<10]))
			if got := x.sections(t, s, 0); got != "--+-" {
				t.Errorf("served %s", got)
			}
			if p, err := s.Prove(0, 0, 16<<10, leaves); p != Right || err != nil {
				t.Errorf("proven: %v, %v", p, err)
			}
			must(t, s.PutBlock(0, 16<<10, make([]byte, 16<<10)))
			if p, err := s.Prove(0, 16<<10, 16<<10, leaves); p != Wrong || err != nil {
				t.Errorf("zeros proven: %v, %v", p, err)
			}
			// What is proven, others cannot spoil.
			must(t, s.PutBlock(0, 32<<10, make([]byte, 16<<10)))
			if got := x.sections(t, s, 0); got != "+-+-" {
				t.Errorf("served %s", got)
			}
			put(16<<10, 48<<10, false, Right)
			if got := x.sections(t, s, 0); got != "++++" {
				t.Errorf("served %s", got)
			}
			if ok, err := s.VerifyPiece(0); !ok || err != nil {
				t.Errorf("verified: %v, %v", ok, err)
			}
			if p, err := s.PutProven(0, 0, data[:16<<10], leaves); p != Right || err != nil {
				t.Errorf("again: %v, %v", p, err)
			}
			for i := range x.pieces() {
				x.put(t, s, i)
			}
			must(t, s.Finish(ctx))
			x.checkFinal(t)
		})
	}
}

// TestProveBad: what cannot be held against leaves is an error, and writes nothing.
func TestProveBad(t *testing.T) {
	for name, x := range map[string]*torrent{
		"v1":     newTorrent(t, 64<<10, file("t/a", 64<<10, true)),
		"padded": newAligned(t, true, 64<<10, file("t/a", 40<<10, true), file("t/b", 1, true)),
	} {
		s := open(t, x.cfg)
		data := x.piece(0)
		if _, err := s.PutProven(0, 0, data, leavesOf(data)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	x := newAligned(t, false, 64<<10, file("t/a", 100<<10, true))
	s := open(t, x.cfg)
	data := make([]byte, 128<<10)
	for _, tt := range []struct{ i, begin, n, leaves int }{
		{-1, 0, 1, 4}, {2, 0, 1, 4}, {0, -1, 1, 4}, {0, 0, 0, 4}, {0, 0, 65 << 10, 4}, {0, 64 << 10, 1, 4},
		{0, 8 << 10, 16 << 10, 4}, {0, 0, 8 << 10, 4}, {0, 0, 16 << 10, 3}, {0, 0, 16 << 10, 0}, {1, 0, 16 << 10, 4},
	} {
		if p, err := s.PutProven(tt.i, tt.begin, data[:tt.n], make([]byte, tt.leaves*merkle.Size)); err == nil || p != Unproven {
			t.Errorf("%+v: %v, %v", tt, p, err)
		}
		if p, err := s.Prove(tt.i, tt.begin, tt.n, make([]byte, tt.leaves*merkle.Size)); err == nil || p != Unproven {
			t.Errorf("%+v: %v, %v", tt, p, err)
		}
	}
	if err := s.Peek(1, 0, make([]byte, 64<<10)); err == nil {
		t.Error("a look beyond the end")
	}
}

// TestProveRandom puts blocks in any way and order: what is served is right at all
// times, and a piece is verified if and only if the disk has it right.
func TestProveRandom(t *testing.T) {
	for seed := range uint64(60) {
		rng := rand.New(rand.NewPCG(seed, 1))
		x := newAligned(t, seed%2 == 1, 128<<10, file("t/a", 128<<10+1+rng.Int64N(128<<10), true))
		s := open(t, x.cfg)
		i := int(seed % 2)
		if x.cfg.Files[0].Length < 256<<10 && seed%2 == 1 {
			i = 0 // the last piece of a hybrid has padding
		}
		data := x.piece(i)
		leaves, disk := leavesOf(data), make([]byte, len(data))
		must(t, s.PutBlock(i, 0, disk)) // so that there is a file to look at
		right := false
		for step := 0; step < 400 && !right; step++ {
			first := rng.IntN(len(leaves) / merkle.Size)
			begin := first * piece.BlockSize
			end := min(begin+(1+rng.IntN(3))*piece.BlockSize, len(data))
			b := bytes.Clone(data[begin:end])
			spoilt := rng.IntN(4) == 0
			if spoilt {
				b[rng.IntN(len(b))] ^= 1
			}
			switch rng.IntN(8) {
			case 0:
				// Blocks that are proven stay as they are: what is served is right.
				before := x.sections(t, s, i)
				must(t, s.PutBlock(i, begin, b))
				for k, at := first, begin; at < end; k, at = k+1, at+piece.BlockSize {
					if before[k] == '-' {
						copy(disk[at:], b[at-begin:min(at+piece.BlockSize, end)-begin])
					}
				}
			case 1, 2, 3, 4:
				if p, err := s.PutProven(i, begin, b, leaves); (p == Wrong) != spoilt || err != nil {
					t.Fatalf("seed %d: %v, %v", seed, p, err)
				}
				if !spoilt {
					copy(disk[begin:], b)
				}
			case 5, 6:
				if p, err := s.Prove(i, begin, end-begin, leaves); (p == Right) != bytes.Equal(disk[begin:end], data[begin:end]) || err != nil {
					t.Fatalf("seed %d: %v, %v", seed, p, err)
				}
			default:
				got := make([]byte, len(disk))
				must(t, s.Peek(i, 0, got))
				if !bytes.Equal(got, disk) {
					t.Fatalf("seed %d: the disk is not what was put", seed)
				}
				if bytes.Equal(disk, data) {
					right = true
				} else if rng.IntN(4) > 0 {
					break
				}
				if ok, err := s.VerifyPiece(i); ok != right || err != nil {
					t.Fatalf("seed %d: verified %v, %v, is right: %v", seed, ok, err, right)
				}
			}
			x.sections(t, s, i)
		}
	}
}

// TestProveTogether lets writers with and without leaves meet at the same blocks:
// nothing wrong is ever served or verified.
func TestProveTogether(t *testing.T) {
	x := newAligned(t, false, 64<<10, file("t/a", 64<<10, true))
	data, leaves := x.piece(0), leavesOf(x.piece(0))
	for range 20 {
		x.cfg.Dir = memDir(t)
		s := open(t, x.cfg)
		must(t, s.PutBlock(0, 0, make([]byte, len(data))))
		var group sync.WaitGroup
		for w := range 4 {
			group.Go(func() {
				for k := range 30 {
					begin := (k + w) % 4 * piece.BlockSize
					block := data[begin : begin+piece.BlockSize]
					var err error
					switch w {
					case 0:
						_, err = s.PutProven(0, begin, block, leaves)
					case 1:
						_, err = s.Prove(0, begin, len(block), leaves)
					case 2:
						err = s.PutBlock(0, begin, make([]byte, len(block)))
					default:
						got := make([]byte, len(block))
						if err = s.Section(0, begin, len(block)).ReadInto(got); errors.Is(err, ErrNotVerified) {
							err = nil
						} else if err == nil && !bytes.Equal(got, block) {
							err = errors.New("a wrong block is served")
						}
					}
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		group.Wait()
		x.sections(t, s, 0)
		got := make([]byte, len(data))
		must(t, s.Peek(0, 0, got))
		if ok, err := s.VerifyPiece(0); ok != bytes.Equal(got, data) || err != nil {
			t.Fatalf("verified %v, %v", ok, err)
		}
	}
}
