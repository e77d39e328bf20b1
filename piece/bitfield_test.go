package piece

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestBitfieldIsBEP3Layout(t *testing.T) {
	f := NewBitfield(10)
	for _, i := range []int{0, 6, 9} {
		if !f.Set(i) || f.Set(i) {
			t.Fatalf("Set(%d) is to be new once", i)
		}
	}
	if want := []byte{0b1000_0010, 0b0100_0000}; !bytes.Equal(f.Bytes(), want) {
		t.Fatalf("bytes %08b, want %08b", f.Bytes(), want)
	}
	if got := slices.Collect(f.Ones()); !slices.Equal(got, []int{0, 6, 9}) {
		t.Fatalf("ones %v", got)
	}
	if !f.Clear(6) || f.Clear(6) || f.Has(6) || f.Count() != 2 {
		t.Fatalf("after Clear(6): %08b", f.Bytes())
	}
	if f.Has(-1) || f.Has(10) || f.Has(15) {
		t.Fatal("has an index outside")
	}
}

func TestBitfieldFromBytesRefuses(t *testing.T) {
	for _, c := range []struct {
		b  []byte
		n  int
		ok bool
	}{
		{nil, 0, true},
		{[]byte{0}, 0, false},
		{nil, 1, false},
		{[]byte{0x80}, 1, true},
		{[]byte{0x40}, 1, false},
		{[]byte{0xff}, 8, true},
		{[]byte{0xff}, 9, false},
		{[]byte{0xff, 0x80}, 9, true},
		{[]byte{0xff, 0x81}, 9, false},
		{[]byte{0xff, 0x80, 0}, 9, false},
		{bytes.Repeat([]byte{0xff}, 8), 64, true},
		{bytes.Repeat([]byte{0xff}, 9), 65, false},
	} {
		if f, err := BitfieldFromBytes(c.b, c.n); (err == nil) != c.ok {
			t.Errorf("%x over %d: %v, error %v", c.b, c.n, f, err)
		}
	}
}

func TestBitfieldWholeSets(t *testing.T) {
	for _, n := range []int{0, 1, 7, 8, 63, 64, 65, 1000} {
		f := NewBitfield(n)
		if !f.None() || f.All() != (n == 0) || f.Len() != n {
			t.Errorf("%d: new is none %v, all %v", n, f.None(), f.All())
		}
		f.SetAll()
		if !f.All() || f.Count() != n {
			t.Errorf("%d: full has %d", n, f.Count())
		}
		if _, err := BitfieldFromBytes(f.Bytes(), n); err != nil {
			t.Errorf("%d: full has spare bits: %v", n, err)
		}
	}
}

func TestBitfieldAgainstMap(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	const n = 200
	f, g := NewBitfield(n), NewBitfield(n)
	model := map[int]bool{}
	for range 2000 {
		i := rng.IntN(n)
		if rng.IntN(2) == 0 {
			f.Set(i)
			model[i] = true
		} else {
			f.Clear(i)
			delete(model, i)
		}
		g.Set(rng.IntN(n))
	}
	common := 0
	for i := range n {
		if f.Has(i) != model[i] {
			t.Fatalf("%d: %v", i, f.Has(i))
		}
		if model[i] && g.Has(i) {
			common++
		}
	}
	if f.Count() != len(model) || f.Common(g) != common || f.Intersects(g) != (common > 0) {
		t.Fatalf("count %d, common %d; want %d, %d", f.Count(), f.Common(g), len(model), common)
	}
	c := f.Clone()
	if i := slices.Collect(f.Ones())[0]; !c.Clear(i) || !f.Has(i) {
		t.Fatal("a clone shares with its origin")
	}
}

func FuzzBitfieldFromBytes(f *testing.F) {
	f.Add([]byte{}, 0)
	f.Add([]byte{0xa0}, 3)
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x80}, 65)
	f.Fuzz(func(t *testing.T, b []byte, n int) {
		if n < 0 || n > MaxPieces {
			t.Skip("the number of pieces is ours, not the remote's")
		}
		bf, err := BitfieldFromBytes(b, n)
		if err != nil {
			return
		}
		if !bytes.Equal(bf.Bytes(), b) {
			t.Fatalf("%x became %x", b, bf.Bytes())
		}
		ones := 0
		for i := range n {
			if want := b[i/8]&(0x80>>(i%8)) != 0; bf.Has(i) != want {
				t.Fatalf("bit %d is %v", i, !want)
			} else if want {
				ones++
			}
		}
		if bf.Count() != ones {
			t.Fatalf("count %d, want %d", bf.Count(), ones)
		}
	})
}
