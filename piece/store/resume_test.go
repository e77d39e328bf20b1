package store

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

func sampleResume(sealed bool) (*resume, int) {
	r := &resume{
		infoHash: [20]byte{1, 2, 3}, pieceLen: 64, total: 300, pieces: 5,
		have: bitset{0xa8}, wanted: bitset{0xc0},
	}
	if sealed {
		r.stats = []fileStat{{size: 299, mtime: 12345678901234}, noFile}
	}
	return r, 2
}

func TestResumeRoundTrip(t *testing.T) {
	for _, sealed := range []bool{false, true} {
		r, files := sampleResume(sealed)
		r.unchecked = !sealed
		got, err := parseResume(r.encode(files))
		if err != nil || !reflect.DeepEqual(got, r) {
			t.Errorf("sealed %v: got %+v, %v", sealed, got, err)
		}
	}
}

// Every truncation and every flipped bit is noticed.
func TestResumeDamage(t *testing.T) {
	r, files := sampleResume(true)
	whole := r.encode(files)
	for n := range whole {
		if _, err := parseResume(whole[:n]); err != errResume {
			t.Fatalf("cut at %d: %v", n, err)
		}
	}
	for bit := range 8 * len(whole) {
		b := bytes.Clone(whole)
		b[bit/8] ^= 1 << (bit % 8)
		if _, err := parseResume(b); err != errResume {
			t.Fatalf("bit %d flipped: %v", bit, err)
		}
	}
	if _, err := parseResume(append(whole, 0)); err != errResume {
		t.Error("trailing byte:", err)
	}
}

// reseal makes the checksum right again.
func reseal(b []byte) []byte {
	return binary.BigEndian.AppendUint32(b[:len(b)-4:len(b)-4], crc32.Checksum(b[:len(b)-4], castagnoli))
}

// With a right checksum the fields must still make sense.
func TestResumeNonsense(t *testing.T) {
	for name, edit := range map[string]func(b []byte){
		"future version":   func(b []byte) { b[11] = resumeVersion + 1 },
		"many pieces":      func(b []byte) { copy(b[48:], "\xff\xff\xff\xff") },
		"many files":       func(b []byte) { copy(b[52:], "\xff\xff\xff\xff") },
		"unknown flag":     func(b []byte) { b[56] |= 0x80 },
		"negative length":  func(b []byte) { b[40] = 0xff },
		"spare bit is set": func(b []byte) { b[57] |= 1 },
	} {
		r, files := sampleResume(true)
		b := r.encode(files)
		edit(b)
		if _, err := parseResume(reseal(b)); err != errResume {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzParseResume(f *testing.F) {
	for _, sealed := range []bool{false, true} {
		r, files := sampleResume(sealed)
		f.Add(r.encode(files))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) >= 4 {
			b = reseal(b)
		}
		r, err := parseResume(b)
		if err != nil {
			return
		}
		files := int(binary.BigEndian.Uint32(b[52:]))
		if again := r.encode(files); !bytes.Equal(again, b) {
			t.Errorf("%x is read, and written as %x", b, again)
		}
	})
}

// Whatever happens to the resume file, the data is kept and checked.
func TestDamagedResumeMeansCheck(t *testing.T) {
	x := small(t)
	s := open(t, x.cfg)
	x.put(t, s, 1, 3)
	must(t, s.Close())
	file := s.state.dir.Name() + "/" + resumeName
	whole, err := os.ReadFile(file)
	must(t, err)
	future := bytes.Clone(whole)
	future[11]++
	foreign := bytes.Clone(whole)
	foreign[12] ^= 1
	for name, content := range map[string][]byte{
		"empty": {}, "cut": whole[:len(whole)-1], "zeros": make([]byte, len(whole)),
		"future version": reseal(future), "another torrent's": reseal(foreign), "gone": nil,
	} {
		t.Run(name, func(t *testing.T) {
			must(t, os.WriteFile(file, content, 0o600))
			if content == nil {
				must(t, os.Remove(file))
			}
			// A check that was cut short leaves the question open.
			for range 2 {
				s := open(t, x.cfg)
				if have, trusted := resumed(t, s); trusted || len(have) > 0 {
					t.Fatalf("resumed %v, %v", have, trusted)
				}
				must(t, s.Close())
			}
			s := open(t, x.cfg)
			got, err := s.Check(ctx, nil)
			if err != nil || count(got) != 2 {
				t.Fatalf("Check: %d pieces, %v", count(got), err)
			}
			must(t, s.Close())
			s = open(t, x.cfg)
			if have, trusted := resumed(t, s); !trusted || len(have) != 2 {
				t.Fatalf("after the check: %v, %v", have, trusted)
			}
			must(t, s.Close())
		})
	}
}

// Data that the resume file speaks of and that is gone is not believed in.
func TestResumeWithoutData(t *testing.T) {
	for name, damage := range map[string]func(t *testing.T, x *torrent){
		"a file is gone":       func(t *testing.T, x *torrent) { must(t, os.Remove(x.path("t.part", "a"))) },
		"a file is short":      func(t *testing.T, x *torrent) { must(t, os.Truncate(x.path("t.part", "e/f/g"), 10)) },
		"side file is gone":    func(t *testing.T, x *torrent) { must(t, os.Remove(sidePath(t, x))) },
		"owned by another one": func(t *testing.T, x *torrent) { must(t, os.Truncate(ownerPath(t, x), 3)) },
	} {
		t.Run(name, func(t *testing.T) {
			x := small(t)
			x.cfg.Files[5].Wanted = false
			s := open(t, x.cfg)
			x.putAll(t, s)
			must(t, s.Close())
			damage(t, x)
			s = open(t, x.cfg)
			if _, trusted := resumed(t, s); trusted {
				t.Fatal("trusted")
			}
			_, err := s.Check(ctx, nil)
			must(t, err)
			x.putAll(t, s)
			must(t, s.Finish(ctx))
			x.checkFinal(t)
		})
	}
	t.Run("all of it is gone", func(t *testing.T) {
		x := small(t)
		s := open(t, x.cfg)
		x.putAll(t, s)
		must(t, s.Close())
		must(t, os.RemoveAll(x.path("t.part")))
		s = open(t, x.cfg)
		if have, trusted := resumed(t, s); !trusted || len(have) > 0 {
			t.Fatalf("resumed %v, %v", have, trusted)
		}
	})
}

func sidePath(t *testing.T, x *torrent) string  { return glob(t, x.path(stateName, "*", sideName)) }
func ownerPath(t *testing.T, x *torrent) string { return glob(t, x.path(stateName, "*.owner")) }

func glob(t *testing.T, pattern string) string {
	t.Helper()
	found, err := filepath.Glob(pattern)
	if err != nil || len(found) != 1 {
		t.Fatal(pattern, found, err)
	}
	return found[0]
}
