package fleet

import (
	"net/netip"
	"testing"
	"time"
)

// TestLeave: who completed stays as one that left until the time is over or it is
// back; who has not all goes.
func TestLeave(t *testing.T) {
	s := newStore(t, nil)
	s.must(t, 0, told(1, 100, 100))
	s.must(t, 0, told(2, 99, 100))
	s.Leave(0, hash, at(1), [20]byte{9}) // another's goodbye
	s.Leave(0, other, at(1), [20]byte{1})
	if s.Totals().Left != 0 {
		t.Fatal("another's goodbye counts")
	}
	s.Leave(0, hash, at(1), [20]byte{1})
	s.Leave(0, hash, at(2), [20]byte{2})
	if got := s.Totals(); got != (Totals{Hosts: 1, Done: 1, Left: 1}) {
		t.Errorf("after goodbyes: %+v", got)
	}
	s.sound(t)
	s.Expire(23 * time.Hour)
	if s.Totals().Left != 1 {
		t.Error("forgotten too early")
	}
	back := told(1, 100, 100)
	back.Addr, back.ID = netip.AddrPortFrom(at(1).Addr(), 7000), [20]byte{42}
	s.must(t, 23*time.Hour, back)
	if got := s.Totals(); got != (Totals{Hosts: 1, Done: 1}) {
		t.Errorf("it came back at another port: %+v", got)
	}
	s.Leave(23*time.Hour, hash, back.Addr, back.ID)
	s.sound(t)
	s.Expire(48 * time.Hour)
	if got := s.Totals(); got != (Totals{}) || len(s.swarms) != 0 {
		t.Errorf("kept for ever: %+v", got)
	}
	s.sound(t)
}

// TestSilentAndDone: who had all and is silent has left, and is kept as long after its
// last report as who said so; but for one that is back at another port.
func TestSilentAndDone(t *testing.T) {
	s := newStore(t, nil)
	s.must(t, 0, told(1, 100, 100))
	s.must(t, 0, told(2, 100, 100))
	back := told(2, 10, 100)
	back.Addr, back.ID = netip.AddrPortFrom(at(2).Addr(), 7000), [20]byte{42}
	s.must(t, 140*time.Second, back)
	s.Expire(149 * time.Second)
	if got := s.Totals(); got != (Totals{Hosts: 3, Done: 2}) {
		t.Errorf("before the TTL: %+v", got)
	}
	s.Expire(150 * time.Second)
	if got := s.Totals(); got != (Totals{Hosts: 2, Done: 1, Left: 1}) {
		t.Errorf("after the TTL: %+v", got)
	}
	s.sound(t)
	s.Expire(300 * time.Second) // the other lacks something
	s.Expire(24*time.Hour - time.Second)
	if got := s.Totals(); got != (Totals{Hosts: 1, Done: 1, Left: 1}) {
		t.Errorf("within a day: %+v", got)
	}
	s.Expire(24 * time.Hour)
	if got := s.Totals(); got != (Totals{}) {
		t.Errorf("after a day: %+v", got)
	}
	s.sound(t)

	// Of several processes of a name that fell silent together one counts.
	for port := range uint16(3) {
		r := told(1, 100, 100)
		r.Addr, r.ID = netip.AddrPortFrom(at(1).Addr(), 1+port), [20]byte{byte(port)}
		s.must(t, 48*time.Hour, r)
	}
	s.Expire(49 * time.Hour)
	if got := s.Totals(); got != (Totals{Hosts: 1, Done: 1, Left: 1}) {
		t.Errorf("of three of one name: %+v", got)
	}
	s.sound(t)
}

// TestOldestGiveWay: where there is no room, a quarter of those that left makes some,
// those that left first.
func TestOldestGiveWay(t *testing.T) {
	s := newStore(t, func(c *Config) { c.MaxHosts = 100 })
	for n := range 100 {
		s.must(t, 0, told(n, 1, 1))
	}
	for n := range 80 {
		s.Leave(time.Duration(1+n)*time.Second, hash, at(n), [20]byte{byte(n)})
	}
	s.must(t, 100*time.Second, told(200, 0, 1))
	if got := s.Totals(); got != (Totals{Hosts: 80, Done: 79, Left: 59}) {
		t.Errorf("%+v", got)
	}
	for n := range 100 {
		if _, there := s.swarms[hash].index[at(n)]; there != (n > 20) {
			t.Errorf("host %d: %v", n, there)
		}
	}
	s.sound(t)
}
