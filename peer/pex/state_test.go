package pex

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"
)

var start = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)

// peers returns n peers from 10.x.0.0 on, all listening on 6881.
func peers(n int) (out []Peer) {
	for i := range n {
		out = append(out, Peer{Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(i >> 8), byte(i), 1}), 6881)})
	}
	return out
}

func addrs(list []Peer) (out []netip.AddrPort) {
	for _, p := range list {
		out = append(out, p.Addr)
	}
	return out
}

var elsewhere = at("192.0.2.1:6881")

func TestStateOneAMinute(t *testing.T) {
	s := NewState(elsewhere)
	all := peers(3)
	all[1].Flags = Seed
	if m, ok := s.Next(start, nil); ok {
		t.Errorf("nobody is connected: %v", m)
	}
	now := s.Due()
	if now != start.Add(look) {
		t.Errorf("looks again at %v", now.Sub(start))
	}
	if m, ok := s.Next(now, all[:2]); !ok || !same(m, Message{Added: all[:2]}) {
		t.Errorf("first: %v, %v", m, ok)
	}
	if m, ok := s.Next(now.Add(Interval-1), all); ok {
		t.Errorf("within the minute: %v", m)
	}
	now = now.Add(Interval)
	if s.Due() != now || s.Told() != 2 {
		t.Errorf("due at %v, told %d", s.Due(), s.Told())
	}
	m, ok := s.Next(now, all[1:])
	if !ok || !same(m, Message{Added: all[2:], Dropped: addrs(all[:1])}) {
		t.Errorf("second: %v, %v", m, ok)
	}
	// A peer that went and came back, and one whose flags changed, are no news.
	all[2].Flags = Seed
	if m, ok := s.Next(now.Add(2*Interval), all[1:]); ok {
		t.Errorf("third: %v", m)
	}
}

func TestStateBounds(t *testing.T) {
	s := NewState(elsewhere)
	now := start
	all := peers(MaxTold + 10)
	var sizes []string
	var told []netip.AddrPort
	for range 20 {
		if m, ok := s.Next(now, all); ok {
			sizes = append(sizes, fmt.Sprint(len(m.Added), "+", len(m.Dropped)))
			told = append(told, addrs(m.Added)...)
		}
		now = now.Add(Interval)
	}
	// 100, then 18 times 50 are 1000.
	if len(sizes) != 19 || sizes[0] != "100+0" || sizes[1] != "50+0" || !slices.Equal(told, addrs(all[:MaxTold])) {
		t.Errorf("%v, %d told", sizes, len(told))
	}
	// All but the last ten go, and ten that never fitted come.
	sizes = nil
	for range 21 {
		m, ok := s.Next(now, all[MaxTold-10:])
		if ok {
			sizes = append(sizes, fmt.Sprint(len(m.Added), "+", len(m.Dropped)))
		}
		now = now.Add(Interval)
	}
	if len(sizes) != 20 || sizes[0] != "10+50" || sizes[19] != "0+40" || s.Told() != 20 {
		t.Errorf("%v, told %d", sizes, s.Told())
	}
}

func TestStateTells(t *testing.T) {
	for _, c := range []struct {
		remote, addr string
		want         bool
	}{
		{"192.0.2.1:6881", "10.0.0.1:6881", true},
		{"192.0.2.1:6881", "[2001:db8::1]:6881", true},
		{"192.0.2.1:6881", "192.0.2.1:6882", true},
		{"192.0.2.1:6881", "192.0.2.1:6881", false},
		{"[::ffff:192.0.2.1]:6881", "192.0.2.1:6881", false},
		{"192.0.2.1:6881", "10.0.0.1:0", false},
		{"192.0.2.1:6881", "0.0.0.0:6881", false},
		{"192.0.2.1:6881", "239.1.2.3:6881", false},
		{"192.0.2.1:6881", "[fe80::1]:6881", false},
		{"192.0.2.1:6881", "[fe80::1%eth0]:6881", false},
		{"192.0.2.1:6881", "169.254.1.1:6881", true},
		{"192.0.2.1:6881", "127.0.0.1:6881", false},
		{"127.0.0.1:6881", "127.0.0.1:6882", true},
		{"127.0.0.1:0", "127.0.0.1:6882", true},
		{"127.0.0.1:6881", "[::1]:6881", true},
	} {
		m, ok := NewState(at(c.remote)).Next(start, []Peer{{Addr: at(c.addr)}})
		if ok != c.want || len(m.Added) > 0 != c.want {
			t.Errorf("to %s of %s: %v, %v", c.remote, c.addr, m, ok)
		}
	}
	if _, ok := NewState(netip.AddrPort{}).Next(start, peers(1)); !ok {
		t.Error("nothing told to a remote of which nothing is known")
	}
	if m, ok := NewState(elsewhere).Next(start, []Peer{{Addr: at("10.0.0.1:1")}, {Addr: at("[::ffff:10.0.0.1]:1"), Flags: Seed}}); !ok || len(m.Added) != 1 {
		t.Errorf("one address in two forms: %v", m)
	}
}
