package lsd

import (
	"net/netip"
	"testing"
	"time"
)

func TestLimits(t *testing.T) {
	source := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}) }
	count := func(l *limits, at time.Duration, src netip.Addr, n int) (passed int) {
		for range n {
			if l.allow(start.Add(at), src) {
				passed++
			}
		}
		return passed
	}
	var l limits
	if n := count(&l, 0, source(1), 1000); n != sourceBurst {
		t.Errorf("%d of one source at once, want %d", n, sourceBurst)
	}
	if n := count(&l, 0, source(2), 10); n != 10 {
		t.Errorf("%d of another source beside it, want 10", n)
	}
	if n := count(&l, 10*time.Second, source(1), 1000); n != 10*sourceRate {
		t.Errorf("%d of it ten seconds later, want %d", n, 10*sourceRate)
	}
	if n := count(&l, time.Hour, source(1), 1000); n != sourceBurst {
		t.Errorf("%d of it an hour later, want %d", n, sourceBurst)
	}
	// Forged sources.
	l = limits{}
	passed := 0
	for i := range 10_000 {
		passed += count(&l, 0, source(i), 1)
		if len(l.sources) > maxSources {
			t.Fatalf("%d sources are kept", len(l.sources))
		}
	}
	for i := range 10_000 {
		passed += count(&l, 10*time.Second, source(i), 1)
	}
	if want := totalBurst + 10*totalRate; passed != want {
		t.Errorf("%d of forged sources, want %d", passed, want)
	}
	if l.allow(start, source(3)) {
		t.Error("time that goes back makes room")
	}
}
