package store

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"

	"starling/metainfo/merkle"
)

const kib16 = 16 << 10

// A file of 81,920 times 'a' in pieces of 32 KiB: hashes that an independent
// program has computed.
func TestKnownRoots(t *testing.T) {
	unhex := func(s string) []byte {
		b, err := hex.DecodeString(s)
		must(t, err)
		return b
	}
	layer := unhex(strings.Repeat("363dae905aefc97b7f8550cb59b232bb1f7685ed85c629b1e6f8553b90ce9b38", 2) +
		"e286774eab425c83520f581e6051abefe371dff955f6b382a5b6157fee056396")
	small := bytes.Repeat([]byte("a"), 16385)
	x := &torrent{
		cfg: Config{
			Dir: memDir(t), Name: "t", PieceLength: 32 << 10, V2: true, disk: lazyDisk{},
			Files: []File{
				{Path: "t/a", Length: 81920, Wanted: true, Layer: layer,
					Root: merkle.Hash(unhex("3dc5915002950e02c39f3a7457f151fa8eb4e4c214b43d9be6eaef5f863e7210"))},
				{Path: "t/b", Length: 16385, Wanted: true,
					Root: merkle.Hash(unhex("dcdfa5bb8d91b7eb7a69fb556bba6770d3456cbd61ab52f172cb9421a442be79"))},
				{Path: "t/c", Length: 1, Wanted: true,
					Root: merkle.Hash(unhex("ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"))},
			},
		},
		at: []int64{0, 96 << 10, 128 << 10},
	}
	x.data = bytes.Repeat([]byte("a"), 128<<10+1)
	x.cuts = append(cut(bytes.Repeat([]byte("a"), 81920), 32<<10), small, []byte("a"))
	s := open(t, x.cfg)
	for i := range x.pieces() {
		bad := bytes.Clone(x.piece(i))
		bad[len(bad)-1] ^= 1
		if ok, err := s.PutPiece(i, bad); ok || err != nil {
			t.Errorf("piece %d, damaged: %v, %v", i, ok, err)
		}
		x.put(t, s, i)
	}
	must(t, s.Finish(ctx))
	x.checkFinal(t)
	x.checkSections(t, s)
}

// The root of zeros without a look at them is the one with.
func TestZeroTree(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	zeros := make([]byte, 1<<20)
	for range 200 {
		n := 1 + rng.Int64N(int64(len(zeros)))
		if rng.IntN(3) == 0 {
			n = (n + kib16 - 1) &^ (kib16 - 1)
		}
		p := plan{v2: true, data: n, height: merkle.Height(merkle.Blocks(n)) + rng.IntN(3)}
		var h merkle.Hasher
		h.Write(zeros[:n])
		if p.zeroTree() != h.Root(p.height) {
			t.Fatalf("%d zeros, height %d", n, p.height)
		}
	}
}

// A piece of a hybrid that agrees with one side only, whichever way it comes.
func TestInconsistent(t *testing.T) {
	for side, spoil := range map[string]func(x *torrent){
		"SHA-1":   func(x *torrent) { x.cfg.Hashes[20] ^= 1 },
		"SHA-256": func(x *torrent) { x.cfg.Files[0].Layer[32] ^= 1 },
	} {
		t.Run(side, func(t *testing.T) {
			x := newAligned(t, true, kib16, file("t/a", 2*kib16+5, true), file("t/b", 7, true))
			spoil(x)
			s := open(t, x.cfg)
			x.put(t, s, 0)
			bad := bytes.Clone(x.piece(1))
			bad[0] ^= 1
			if ok, err := s.PutPiece(1, bad); ok || err != nil {
				t.Error("wrong on both sides is merely wrong:", ok, err)
			}
			if ok, err := s.PutPiece(1, x.piece(1)); ok || !errors.Is(err, ErrInconsistent) {
				t.Error("PutPiece:", ok, err)
			}
			// From then on it is given up.
			if err := s.PutBlock(2, 0, x.piece(2)); !errors.Is(err, ErrInconsistent) {
				t.Error("PutBlock:", err)
			}
			if ok, err := s.PutPiece(2, x.piece(2)); !ok || !errors.Is(err, ErrInconsistent) {
				t.Error("PutPiece of another:", ok, err)
			}
			must(t, s.Close())
			s = open(t, x.cfg)
			must(t, s.PutBlock(1, 0, x.piece(1)))
			if ok, err := s.VerifyPiece(1); ok || !errors.Is(err, ErrInconsistent) {
				t.Error("VerifyPiece:", ok, err)
			}
			if len(s.holds) != 0 {
				t.Error("holds left:", len(s.holds))
			}
			if have, _ := resumed(t, s); len(have) != 1 {
				t.Error("verified:", have)
			}
			must(t, s.Close())
			must(t, os.RemoveAll(x.path("t.part")))
			x.write(t, "t")
			x.cfg.ReadOnly, x.cfg.NoState = true, true
			s = open(t, x.cfg)
			if _, err := s.Check(ctx, nil); !errors.Is(err, ErrInconsistent) || !strings.Contains(err.Error(), "piece 1 ") {
				t.Error("Check:", err)
			}
		})
	}
}

// Damage is found in each piece and file, and nowhere else.
func TestCheckAligned(t *testing.T) {
	for _, hybrid := range []bool{false, true} {
		x := newAligned(t, hybrid, 2*kib16, file("t/a", 5*kib16+1, true), file("t/b", 0, true), file("t/c", 100, true),
			file("t/d", 4*kib16, true), file("t/e", kib16+1, true))
		x.cfg.ReadOnly = true
		for i, f := range x.cfg.Files {
			for off := int64(0); off < f.Length && !f.Pad; off += 7000 {
				x.write(t, "t")
				h, err := os.OpenFile(x.path(f.Path), os.O_RDWR, 0)
				must(t, err)
				_, err = h.WriteAt([]byte{^x.file(i)[off]}, off)
				must(t, errors.Join(err, h.Close()))
				s := open(t, x.cfg)
				got, err := s.Check(ctx, nil)
				must(t, err)
				bad := int((x.at[i] + off) / x.cfg.PieceLength)
				if count(got) != x.pieces()-1 || bitset(got).has(bad) {
					t.Errorf("hybrid %v: %s at %d: %08b", hybrid, f.Path, off, got)
				}
				must(t, s.Close())
			}
		}
	}
}

// Holes are zeros, also for a tree, and cost no reading.
func TestCheckHolesAligned(t *testing.T) {
	for _, hybrid := range []bool{false, true} {
		x := newAligned(t, hybrid, 1<<20, file("t/a", 5<<20+70_000, true), file("t/b", 20_000, true), file("t/c", 3, true))
		clear(x.data)
		if hybrid {
			x.cfg.Hashes = nil
			x.hashV1()
		}
		x.hashV2()
		x.cfg.ReadOnly = true
		must(t, os.Mkdir(x.path("t"), 0o755))
		for _, f := range x.cfg.Files {
			if !f.Pad {
				must(t, os.WriteFile(x.path(f.Path), nil, 0o644))
				must(t, os.Truncate(x.path(f.Path), f.Length))
			}
		}
		s := open(t, x.cfg)
		if got, err := s.Check(ctx, nil); err != nil || count(got) != x.pieces() {
			t.Errorf("hybrid %v: %08b, %v", hybrid, got, err)
		}
	}
}

func TestOpenRefusesV2(t *testing.T) {
	for what, spoil := range map[string]func(c *Config){
		"a short layer":       func(c *Config) { c.Files[0].Layer = c.Files[0].Layer[1:] },
		"no layer":            func(c *Config) { c.Files[0].Layer = nil },
		"a layer for one":     func(c *Config) { c.Files[1].Layer = make([]byte, 32) },
		"small pieces":        func(c *Config) { c.PieceLength = 8 << 10 },
		"odd pieces":          func(c *Config) { c.PieceLength = 3 * kib16 },
		"hashes of too few":   func(c *Config) { c.Hashes = make([]byte, 20) },
		"a hybrid with a gap": func(c *Config) { c.Hashes = make([]byte, 20*4) },
		"padding":             func(c *Config) { c.Files[1].Pad = true },
		"a sum over 63 bits":  func(c *Config) { c.Files[1].Length = 1<<63 - 1 },
	} {
		x := newAligned(t, false, kib16, file("t/a", 2*kib16+1, true), file("t/b", 9, true))
		spoil(&x.cfg)
		if _, err := Open(x.cfg); err == nil {
			t.Error(what)
		}
		if _, err := os.Lstat(x.path(stateName)); err == nil {
			t.Error(what, "has left something on the disk")
		}
	}
}

// Where SHA-1 is forbidden, a torrent of v2 lives as ever.
func TestWithoutSHA1(t *testing.T) {
	if os.Getenv("STORE_TEST_NO_SHA1") == "" {
		child := exec.Command(os.Args[0], "-test.run=^TestWithoutSHA1$")
		child.Env = append(os.Environ(), "STORE_TEST_NO_SHA1=1", "GODEBUG=fips140=only")
		if out, err := child.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return
	}
	x := newAligned(t, false, kib16, file("t/a", 5*kib16+1, true), file("t/b", 0, true), file("t/c", 100, true))
	s := open(t, x.cfg)
	for i := range x.pieces() {
		if i%2 == 0 {
			x.put(t, s, i)
			continue
		}
		must(t, s.PutBlock(i, 0, x.piece(i)))
		if ok, err := s.VerifyPiece(i); !ok || err != nil {
			t.Fatal(i, ok, err)
		}
	}
	must(t, s.Finish(ctx))
	if got, err := s.Check(context.Background(), nil); err != nil || count(got) != x.pieces() {
		t.Error(count(got), err)
	}
	x.checkFinal(t)
	x.checkSections(t, s)
}
