package tcp

import "testing"

func TestBufferPool(t *testing.T) {
	p := NewBufferPool(256 << 10)
	for _, tt := range []struct{ n, capacity int }{
		{0, 1 << 10}, {1, 1 << 10}, {1 << 10, 1 << 10}, {1<<10 + 1, 4 << 10}, {16 << 10, 16 << 10},
		{16<<10 + 1, 64 << 10}, {256 << 10, 256 << 10}, {256<<10 + 1, 256<<10 + 1},
	} {
		b := p.Get(tt.n)
		if b.Size() != tt.n || len(b.Bytes()) != tt.n || p.Stats().Lent != tt.capacity {
			t.Errorf("Get(%d): size %d, %d bytes, %d lent", tt.n, b.Size(), len(b.Bytes()), p.Stats().Lent)
		}
		b.Release()
	}
	if s := p.Stats(); s.Lent != 0 || s.Idle > 256<<10 || s.PeakLent != 256<<10+1 {
		t.Errorf("%+v", s)
	}
}

// The buffer that was given back last is the next to be lent: it is warm.
func TestBufferPoolLIFO(t *testing.T) {
	p := NewBufferPool(0)
	a, b := p.Get(16<<10), p.Get(16<<10)
	a.Release()
	b.Release()
	if p.Get(10<<10) != b || p.Get(16<<10) != a {
		t.Error("not last in, first out")
	}
}

func TestReleaseTwicePanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	b := NewBufferPool(0).Get(1)
	b.Release()
	b.Release()
}
