package store

import (
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"os"
	"sync/atomic"
	"testing"
)

const benchPiece = 256 << 10

func benchTorrent(b *testing.B, size int64) *torrent {
	b.Helper()
	x := newTorrent(b, benchPiece, file("t", size, true))
	x.cfg.disk = nil
	return x
}

// benchKinds are torrents with one file of size bytes, by what they are hashed
// with.
func benchKinds(b *testing.B, size int64, run func(b *testing.B, x *torrent)) {
	for _, kind := range []string{"v1", "v2", "hybrid"} {
		b.Run(kind, func(b *testing.B) {
			x := benchTorrent(b, size)
			if kind != "v1" {
				x.cfg.V2 = true
				x.hashV2()
			}
			if kind == "v2" {
				x.cfg.Hashes = nil
			}
			run(b, x)
		})
	}
}

// BenchmarkSHA1 is what one core can do: the yardstick of the others.
func BenchmarkSHA1(b *testing.B) {
	data := make([]byte, benchPiece)
	b.SetBytes(benchPiece)
	for b.Loop() {
		sha1.Sum(data)
	}
}

// BenchmarkSHA256 is the same for the blocks of v2.
func BenchmarkSHA256(b *testing.B) {
	data := make([]byte, 16<<10)
	b.SetBytes(16 << 10)
	for b.Loop() {
		sha256.Sum256(data)
	}
}

func benchPut(b *testing.B, put func(b *testing.B, x *torrent, s *Store, i int)) {
	benchKinds(b, 64<<20, func(b *testing.B, x *torrent) { benchPutOf(b, x, put) })
}

func benchPutOf(b *testing.B, x *torrent, put func(b *testing.B, x *torrent, s *Store, i int)) {
	s := open(b, x.cfg)
	b.SetBytes(benchPiece)
	b.ReportAllocs()
	var next atomic.Int64
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			i := int(next.Add(1)) % x.pieces()
			s.mu.Lock() // as if it had never been put
			s.have.clear(i)
			s.mu.Unlock()
			put(b, x, s, i)
		}
	})
}

func BenchmarkPutPiece(b *testing.B) {
	benchPut(b, func(b *testing.B, x *torrent, s *Store, i int) { x.put(b, s, i) })
}

func BenchmarkPutBlocksAndVerify(b *testing.B) {
	benchPut(b, func(b *testing.B, x *torrent, s *Store, i int) {
		p := x.piece(i)
		for at := 0; at < len(p); at += 16 << 10 {
			must(b, s.PutBlock(i, at, p[at:at+16<<10]))
		}
		if ok, err := s.VerifyPiece(i); !ok || err != nil {
			b.Error(ok, err)
		}
	})
}

func BenchmarkSection(b *testing.B) {
	x := benchTorrent(b, 16<<20)
	s := open(b, x.cfg)
	x.putAll(b, s)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		i = (i + 1) % x.pieces()
		must(b, s.Section(i, 0, benchPiece).Spans(func(*os.File, int64, int64) error { return nil }))
	}
}

func BenchmarkCheck(b *testing.B) {
	benchKinds(b, 256<<20, func(b *testing.B, x *torrent) {
		x.cfg.ReadOnly, x.cfg.NoState = true, true
		must(b, os.WriteFile(x.path("t"), x.data, 0o600))
		s := open(b, x.cfg)
		b.SetBytes(int64(len(x.data)))
		b.ReportAllocs()
		for b.Loop() {
			if got, err := s.Check(context.Background(), nil); err != nil || count(got) != x.pieces() {
				b.Fatal(count(got), err)
			}
		}
	})
}

func BenchmarkHashPieces(b *testing.B) {
	for name, pieceLen := range map[string]int64{"256KiB": benchPiece, "64MiB": 64 << 20} {
		b.Run(name, func(b *testing.B) {
			x := benchTorrent(b, 256<<20)
			must(b, os.WriteFile(x.path("t"), x.data, 0o600))
			tree, err := Scan(context.Background(), x.path("t"), nil)
			must(b, err)
			b.SetBytes(int64(len(x.data)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := HashPieces(context.Background(), tree, pieceLen, 0, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkHashAligned is BenchmarkHashPieces for v2 and for both.
func BenchmarkHashAligned(b *testing.B) {
	for name, withSHA1 := range map[string]bool{"v2": false, "hybrid": true} {
		b.Run(name, func(b *testing.B) {
			x := benchTorrent(b, 256<<20)
			must(b, os.WriteFile(x.path("t"), x.data, 0o600))
			tree, err := Scan(context.Background(), x.path("t"), nil)
			must(b, err)
			b.SetBytes(int64(len(x.data)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := HashAligned(context.Background(), tree, benchPiece, withSHA1, 0, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
