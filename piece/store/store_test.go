package store

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"testing"
)

var ctx = context.Background()

func TestWholeRun(t *testing.T) {
	for name, x := range map[string]*torrent{
		"many files":   small(t),
		"one file":     oneFile(t, 1000, 64),
		"exact pieces": oneFile(t, 128, 64),
		"empty file":   oneFile(t, 0, 64),
		"empty files":  newTorrent(t, 64, file("t/a", 0, true), file("t/d/b", 0, true)),
		"one in a dir": newTorrent(t, 64, file("t/t", 100, true)),
		"long name":    longName(t),
		"v2":           newAligned(t, false, kib16, file("t/a", 2*kib16+1, true), file("t/b", 0, true), file("t/c", 3*kib16, true), file("t/d", 9, true)),
		"v2, one file": newAligned(t, false, kib16, file("t", 3*kib16+1, true)),
		"v2, empty":    newAligned(t, false, kib16, file("t/a", 0, true)),
		"hybrid":       newAligned(t, true, 2*kib16, file("t/a", 2*kib16+1, true), file("t/b", 0, true), file("t/c", 4*kib16, true), file("t/d", 9, true)),
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, x.cfg)
			if have, trusted := resumed(t, s); len(have) > 0 || !trusted {
				t.Fatalf("fresh: %v, %v", have, trusted)
			}
			if x.pieces() > 0 {
				if err := s.Finish(ctx); !errors.Is(err, ErrIncomplete) {
					t.Fatalf("Finish of nothing: %v", err)
				}
			}
			x.putAll(t, s)
			if _, err := os.Lstat(x.path(x.cfg.Name)); err == nil {
				t.Fatal("the final path is there before Finish")
			}
			must(t, s.Finish(ctx))
			must(t, s.Finish(ctx))
			x.checkFinal(t)
			x.checkSections(t, s)
			if changed, what := s.Changed(); changed {
				t.Error("changed:", what)
			}
			must(t, s.Close())
			s = open(t, x.cfg)
			if have, trusted := resumed(t, s); len(have) != x.pieces() || !trusted {
				t.Fatalf("after Finish: %v, %v", have, trusted)
			}
			must(t, s.Finish(ctx))
			x.checkSections(t, s)
		})
	}
}

func longName(t *testing.T) *torrent {
	x := newTorrent(t, 64, file("t", 100, true))
	x.cfg.Name = string(bytes.Repeat([]byte("é"), 127))
	x.cfg.Files[0].Path = x.cfg.Name
	return x
}

// checkSections reads every range of every piece.
func (x *torrent) checkSections(t *testing.T, s *Store) {
	t.Helper()
	for i := range x.pieces() {
		p := x.piece(i)
		for _, r := range [][2]int{{0, len(p)}, {0, 1}, {len(p) / 3, len(p) / 2}, {len(p) - 1, 1}, {len(p), 0}} {
			sec, want := s.Section(i, r[0], r[1]), p[r[0]:r[0]+r[1]]
			got := make([]byte, sec.Size())
			if err := sec.ReadInto(got); err != nil || !bytes.Equal(got, want) {
				t.Fatalf("piece %d %v: ReadInto: %v", i, r, err)
			}
			got = got[:0]
			err := sec.Spans(func(f *os.File, off, n int64) error {
				b := make([]byte, n)
				_, err := f.ReadAt(b, off)
				got = append(got, b...)
				return err
			})
			if err != nil || !bytes.Equal(got, want) {
				t.Fatalf("piece %d %v: Spans: %v", i, r, err)
			}
			sec.Release()
		}
	}
}

func TestSectionRefuses(t *testing.T) {
	x := small(t)
	s := open(t, x.cfg)
	x.put(t, s, 0)
	stop := errors.New("stop")
	if err := s.Section(0, 0, 64).Spans(func(*os.File, int64, int64) error { return stop }); err != stop {
		t.Error("the error of yield is not returned:", err)
	}
	if err := s.Section(1, 0, 64).ReadInto(make([]byte, 64)); !errors.Is(err, ErrNotVerified) {
		t.Error("unverified piece:", err)
	}
	if err := s.Section(0, 0, 8).ReadInto(make([]byte, 9)); err == nil {
		t.Error("a buffer of another size is taken")
	}
	for _, r := range [][3]int{{-1, 0, 1}, {x.pieces(), 0, 1}, {0, -1, 2}, {0, 60, 5}, {0, 0, -1}, {0, 1 << 62, 1 << 62}} {
		if err := s.Section(r[0], r[1], r[2]).Spans(nil); err == nil {
			t.Error("out of range:", r)
		}
	}
}

func TestPutRefuses(t *testing.T) {
	x := small(t)
	s := open(t, x.cfg)
	bad := bytes.Clone(x.piece(1))
	bad[7] ^= 1
	if ok, err := s.PutPiece(1, bad); ok || err != nil {
		t.Errorf("wrong piece: %v, %v", ok, err)
	}
	if _, err := os.Lstat(x.path("t.part")); err == nil {
		t.Error("a wrong piece was written")
	}
	for _, i := range []int{-1, x.pieces()} {
		if ok, err := s.PutPiece(i, x.piece(1)); ok || err == nil {
			t.Error("piece out of range:", i)
		}
		if _, err := s.VerifyPiece(i); err == nil {
			t.Error("verify out of range:", i)
		}
		if err := s.PutBlock(i, 0, []byte{1}); err == nil {
			t.Error("block out of range:", i)
		}
	}
	if _, err := s.PutPiece(0, x.piece(0)[:63]); err == nil {
		t.Error("a short piece is taken")
	}
	if err := s.PutBlock(0, 60, make([]byte, 5)); err == nil {
		t.Error("a block over the end is taken")
	}
}

// Blocks in any order, twice, and with wrong bytes: VerifyPiece says what the
// file holds.
func TestBlocks(t *testing.T) {
	type block struct {
		begin, end int
		bad        bool
	}
	for name, tc := range map[string]struct {
		blocks []block
		ok     bool
	}{
		"in order":             {[]block{{0, 16, false}, {16, 40, false}, {40, 64, false}}, true},
		"backwards":            {[]block{{40, 64, false}, {16, 40, false}, {0, 16, false}}, true},
		"gap filled later":     {[]block{{0, 16, false}, {40, 64, false}, {16, 40, false}}, true},
		"missing":              {[]block{{0, 16, false}, {40, 64, false}}, false},
		"wrong":                {[]block{{0, 16, false}, {16, 40, true}, {40, 64, false}}, false},
		"right, then wrong":    {[]block{{0, 64, false}, {16, 40, true}}, false},
		"wrong, then right":    {[]block{{0, 64, true}, {0, 64, false}}, true},
		"wrong ahead of hash":  {[]block{{32, 64, true}, {0, 40, false}, {40, 64, false}}, true},
		"overlaps a wrong one": {[]block{{32, 64, true}, {0, 40, false}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			x := small(t)
			s := open(t, x.cfg)
			const i = 1 // lies in five files
			for _, b := range tc.blocks {
				data := bytes.Clone(x.piece(i)[b.begin:b.end])
				if b.bad {
					data[len(data)-1] ^= 0x80
				}
				must(t, s.PutBlock(i, b.begin, data))
			}
			ok, err := s.VerifyPiece(i)
			must(t, err)
			if ok != tc.ok {
				t.Fatalf("VerifyPiece = %v", ok)
			}
			// Whatever it was, it can be had now, and then stays.
			must(t, s.PutBlock(i, 0, x.piece(i)))
			if ok, err := s.VerifyPiece(i); !ok || err != nil {
				t.Fatal("second try:", ok, err)
			}
			must(t, s.PutBlock(i, 0, make([]byte, 64)))
			got := make([]byte, 64)
			must(t, s.Section(i, 0, 64).ReadInto(got))
			if !bytes.Equal(got, x.piece(i)) {
				t.Fatal("a late block has overwritten a verified piece")
			}
			if len(s.holds) != 0 {
				t.Error("holds left:", len(s.holds))
			}
		})
	}
}

func TestUnwantedFiles(t *testing.T) {
	x := small(t)
	x.cfg.Files[0].Wanted = false // piece 0, a bit of piece 1
	x.cfg.Files[4].Wanted = false // the rest of piece 1 up to piece 4
	s := open(t, x.cfg)
	want := []int{1, 4}
	x.put(t, s, want...)
	syncNow(t, s)
	must(t, s.Close())

	s = open(t, x.cfg)
	if have, trusted := resumed(t, s); !trusted || !slices.Equal(have, want) {
		t.Fatalf("resumed %v, %v", have, trusted)
	}
	must(t, s.Finish(ctx))
	x.checkFinal(t)
	if _, err := os.Lstat(x.path("t", "a")); err == nil {
		t.Error("an unwanted file was made")
	}
	got := make([]byte, 64)
	must(t, s.Section(1, 0, 64).ReadInto(got))
	if !bytes.Equal(got, x.piece(1)) {
		t.Error("a boundary piece is not served")
	}
	must(t, s.Close())

	// More is wanted later: what is published is checked and built upon.
	x.cfg.Files[0].Wanted, x.cfg.Files[4].Wanted = true, true
	s = open(t, x.cfg)
	if _, trusted := resumed(t, s); trusted {
		t.Fatal("trusted though other files are wanted")
	}
	if _, err := s.PutPiece(0, x.piece(0)); !errors.Is(err, ErrUnchecked) {
		t.Fatal("write before the check:", err)
	}
	_, err := s.Check(ctx, nil)
	must(t, err)
	x.putAll(t, s)
	must(t, s.Finish(ctx))
	x.checkFinal(t)
}

func TestParallelPuts(t *testing.T) {
	x := newTorrent(t, 256, file("t/a", 5000, true), file("t/b", 10, true), file("t/c", 9000, true), file("t/d", 300, false))
	x.cfg.MaxOpenFiles = 1
	s := open(t, x.cfg)
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(1, uint64(w)))
			for _, i := range rng.Perm(x.pieces()) {
				p := x.piece(i)
				if w%2 == 0 {
					if ok, err := s.PutPiece(i, p); !ok || err != nil {
						t.Error(i, ok, err)
					}
				} else {
					half := len(p) / 2
					err := errors.Join(s.PutBlock(i, half, p[half:]), s.PutBlock(i, 0, p[:half]))
					if _, err2 := s.VerifyPiece(i); err != nil || err2 != nil {
						t.Error(i, err, err2)
					}
				}
				got := make([]byte, len(p))
				if err := s.Section(i, 0, len(p)).ReadInto(got); err == nil && !bytes.Equal(got, p) {
					t.Errorf("piece %d reads wrong", i)
				}
				if rng.IntN(8) == 0 {
					if _, err := s.Sync(ctx); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
	must(t, s.Finish(ctx))
	x.checkFinal(t)
	if len(s.holds) != 0 {
		t.Error("holds left:", len(s.holds))
	}
}
