package lsd

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"starling/metainfo"
)

// inLAN runs a test in virtual time with a network of its own.
func inLAN(t *testing.T, run func(t *testing.T, ctx context.Context, n *lan)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		n := &lan{}
		run(t, ctx, n)
		cancel()
		synctest.Wait()
		if n.members() != 0 {
			t.Errorf("%d sockets are left open", n.members())
		}
	})
}

// pass lets virtual time pass.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func addr(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }

func TestTwoFindEachOther(t *testing.T) {
	inLAN(t, func(t *testing.T, ctx context.Context, n *lan) {
		a := n.join(t, ctx, 6881, "10.0.0.1/24", "fe80::1/64")
		b := n.join(t, ctx, 6882, "10.0.0.2/24", "fe80::2/64")
		a.add(t, hashN(1), hashN(2), hashN(2))
		b.add(t, hashN(2), hashN(3))
		pass(10 * time.Second)
		packets := n.packets()
		if len(packets) != 4 {
			t.Errorf("%d packets in the first seconds, want one of each host to each group", len(packets))
		}
		for _, p := range packets {
			m, err := Parse(p.bytes)
			if err != nil || len(m.Hashes) != 2 || !strings.Contains(string(p.bytes), "\r\nHost: "+p.group.String()+"\r\n") {
				t.Errorf("%q: %v", p.bytes, err)
			}
		}
		for _, c := range []struct {
			v    *node
			want []heard
		}{
			{a, []heard{{hashN(2), addr("10.0.0.2:6882")}, {hashN(2), addr("[fe80::2]:6882")}}},
			{b, []heard{{hashN(2), addr("10.0.0.1:6881")}, {hashN(2), addr("[fe80::1]:6881")}}},
		} {
			got := c.v.finds()
			slices.SortFunc(got, func(x, y heard) int { return x.addr.Compare(y.addr) })
			if !slices.Equal(got, c.want) {
				t.Errorf("found %v, want %v", got, c.want)
			}
		}
		// Then each torrent of each has a packet once in 5 minutes.
		pass(15 * time.Minute)
		if got := len(n.packets()); got != 24 {
			t.Errorf("%d packets in the next quarter of an hour, want 24", got)
		}
		a.finds()
		a.Remove(hashN(2))
		b.Remove(hashN(2))
		b.Remove(hashN(3))
		pass(15 * time.Minute)
		if got := a.finds(); len(got) > 0 {
			t.Errorf("found after the removal: %v", got)
		}
		for _, p := range n.packets() {
			if p.from == netip.MustParseAddr("10.0.0.2") {
				t.Errorf("sent by a host without torrents: %q", p.bytes)
			}
		}
	})
}

// TestHears says what of the packets of strangers is reported.
func TestHears(t *testing.T) {
	inLAN(t, func(t *testing.T, ctx context.Context, n *lan) {
		a := n.join(t, ctx, 6881, "10.0.0.1/24", "fe80::1/64", "2001:db8::1/64")
		a.add(t, hashN(1), hashN(2))
		pass(3 * time.Second)
		own := n.packets()[0]
		message := func(cookie string, hashes ...metainfo.Hash) []byte {
			m := Message{Port: 7000, Hashes: hashes, Cookie: cookie}
			return m.Append(nil, "x")
		}
		for _, c := range []struct {
			name, from string
			group      int
			packet     []byte
			want       []heard
		}{
			{"a torrent of ours", "10.0.0.9", 0, message("1", hashN(1)), []heard{{hashN(1), addr("10.0.0.9:7000")}}},
			{"without a cookie", "10.0.0.9", 0, message("", hashN(1)), []heard{{hashN(1), addr("10.0.0.9:7000")}}},
			{"two of three are ours", "10.0.0.9", 0, message("1", hashN(2), hashN(3), hashN(1)), []heard{{hashN(2), addr("10.0.0.9:7000")}, {hashN(1), addr("10.0.0.9:7000")}}},
			{"none is ours", "10.0.0.9", 0, message("1", hashN(3)), nil},
			{"our own packet", "10.0.0.1", 0, own.bytes, nil},
			{"our own, by another way", "10.0.0.77", 0, own.bytes, nil},
			{"another program of this host", "10.0.0.1", 0, message("1", hashN(1)), []heard{{hashN(1), addr("10.0.0.1:7000")}}},
			{"an address from elsewhere", "10.0.1.9", 0, message("1", hashN(1)), nil},
			{"loopback", "127.0.0.1", 0, message("1", hashN(1)), nil},
			{"nonsense", "10.0.0.9", 0, []byte("M-SEARCH * HTTP/1.1\r\n\r\n"), nil},
			{"an IPv4 address in IPv6 form", "::ffff:10.0.0.9", 0, message("1", hashN(1)), []heard{{hashN(1), addr("10.0.0.9:7000")}}},
			{"link-local", "fe80::9%eth0", 1, message("1", hashN(1)), []heard{{hashN(1), addr("[fe80::9%eth0]:7000")}}},
			{"global", "2001:db8::9", 1, message("1", hashN(1)), []heard{{hashN(1), addr("[2001:db8::9]:7000")}}},
			{"global from elsewhere", "2001:db8:1::9", 1, message("1", hashN(1)), nil},
		} {
			n.send(netip.MustParseAddr(c.from), groups[c.group], c.packet)
			synctest.Wait()
			if got := a.finds(); !slices.Equal(got, c.want) {
				t.Errorf("%s: found %v, want %v", c.name, got, c.want)
			}
		}
	})
}

func TestFloodIsBounded(t *testing.T) {
	inLAN(t, func(t *testing.T, ctx context.Context, n *lan) {
		a := n.join(t, ctx, 6881, "10.0.0.1/24")
		a.add(t, hashN(1))
		pass(3 * time.Second)
		m := Message{Port: 7000, Hashes: []metainfo.Hash{hashN(1)}}
		flooder, honest := netip.MustParseAddr("10.0.0.66"), netip.MustParseAddr("10.0.0.9")
		for range 1000 {
			n.send(flooder, groups[0], m.Append(nil, "x"))
			pass(10 * time.Millisecond)
		}
		if got, want := len(a.finds()), sourceBurst+10*sourceRate; got < want-1 || got > want {
			t.Errorf("%d packets of 1000 in 10 s were heard, want %d", got, want)
		}
		n.send(honest, groups[0], m.Append(nil, "x"))
		synctest.Wait()
		if got := a.finds(); len(got) != 1 {
			t.Errorf("beside a flood: %v", got)
		}
	})
}

func TestInterfacesComeAndGo(t *testing.T) {
	inLAN(t, func(t *testing.T, ctx context.Context, n *lan) {
		a := n.join(t, ctx, 6881, "10.0.0.1/24")
		a.add(t, hashN(1))
		pass(10 * time.Second)
		if got := n.packets(); len(got) != 1 || n.members() != 1 {
			t.Errorf("%d packets, %d sockets", len(got), n.members())
		}
		// A new interface hears of all torrents when it is seen.
		a.set(ifiOf("eth0", "10.0.0.1/24"), ifiOf("eth1", "10.0.1.1/24", "fe80::1/64"))
		pass(time.Minute)
		if got := n.packets(); len(got) != 3 || n.members() != 3 {
			t.Errorf("with a new interface: %d packets, %d sockets", len(got), n.members())
		}
		// One that has another address is another.
		a.set(ifiOf("eth0", "10.0.0.2/24"))
		pass(2 * time.Minute)
		if got := n.packets(); len(got) != 1 || got[0].from != netip.MustParseAddr("10.0.0.2") || n.members() != 1 {
			t.Errorf("with another address: %v, %d sockets", got, n.members())
		}
		// If they cannot be read, those that are there stay.
		a.set()
		pass(2 * time.Minute)
		if n.members() != 1 {
			t.Errorf("unreadable: %d sockets", n.members())
		}
		a.set(Interface{Name: "eth0", Index: 1}) // no address
		pass(2 * time.Minute)
		if n.members() != 0 {
			t.Errorf("without addresses: %d sockets", n.members())
		}
		many := make([]Interface, 40)
		for i := range many {
			many[i] = ifiOf("eth0", "10.0.0.1/24", "fe80::1/64")
			many[i].Index = i
		}
		a.set(many...)
		pass(2 * time.Minute)
		if n.members() != 2*maxInterfaces {
			t.Errorf("%d sockets of 40 interfaces", n.members())
		}
	})
}

func TestLinksFail(t *testing.T) {
	inLAN(t, func(t *testing.T, ctx context.Context, n *lan) {
		n.fail = errors.New("permission denied")
		a := n.join(t, ctx, 6881, "10.0.0.1/24", "fe80::1/64")
		a.add(t, hashN(1))
		pass(10 * time.Minute)
		if got := n.packets(); len(got) > 0 || n.members() > 0 {
			t.Errorf("%d packets, %d sockets", len(got), n.members())
		}
		n.mu.Lock()
		n.fail = nil
		n.mu.Unlock()
		pass(2 * time.Minute)
		if got := n.packets(); len(got) != 2 || n.members() != 2 {
			t.Errorf("after it was allowed: %d packets, %d sockets", len(got), n.members())
		}
		n.breakAll()
		synctest.Wait()
		if n.members() != 0 {
			t.Errorf("after all sockets failed: %d are open", n.members())
		}
		pass(3 * time.Minute)
		if got := n.packets(); len(got) != 2 || n.members() != 2 {
			t.Errorf("later: %d packets, %d sockets", len(got), n.members())
		}
	})
}

func TestManyTorrents(t *testing.T) {
	inLAN(t, func(t *testing.T, ctx context.Context, n *lan) {
		a := n.join(t, ctx, 6881, "10.0.0.1/24")
		for i := range MaxTorrents {
			a.add(t, hashN(i))
		}
		if err := a.Add(hashN(MaxTorrents)); err == nil {
			t.Error("one torrent too many was taken")
		}
		if err := a.Add(hashN(0)); err != nil {
			t.Errorf("one that is there: %v", err)
		}
		pass(3 * time.Hour)
		announced := map[metainfo.Hash]bool{}
		var last time.Time
		for _, p := range n.packets() {
			m, err := Parse(p.bytes)
			if err != nil || len(p.bytes) > MaxPacket || p.at.Sub(last) < time.Minute {
				t.Fatalf("%q, %v after the last: %v", p.bytes, p.at.Sub(last), err)
			}
			last = p.at
			for _, h := range m.Hashes {
				announced[h] = true
			}
		}
		if len(announced) != MaxTorrents {
			t.Errorf("%d of %d torrents were announced in 3 hours", len(announced), MaxTorrents)
		}
	})
}

func TestNew(t *testing.T) {
	found := func(metainfo.Hash, netip.AddrPort) {}
	if _, err := New(Config{Found: found}); err == nil {
		t.Error("no port, no error")
	}
	if _, err := New(Config{Port: 1}); err == nil {
		t.Error("no Found, no error")
	}
	a, err := New(Config{Port: 1, Found: found})
	b, _ := New(Config{Port: 1, Found: found})
	if err != nil || a.cookie == b.cookie || len(a.cookie) != 16 {
		t.Errorf("%v; cookies %q and %q", err, a.cookie, b.cookie)
	}
	if g := a.sched.gather; g < time.Second || g >= 2*time.Second {
		t.Errorf("waits %v for more torrents", g)
	}
}
