package tracker

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// foreign is a UDP tracker of somebody else's: what it says is up to a test.
type foreign struct {
	conn *net.UDPConn
	url  string
	mu   sync.Mutex
	log  []string // what it was asked: "connect", "announce", "scrape", "?"
	last []byte   // the packet that came last
}

// serveUDP runs a foreign tracker on loopback. say gets each packet, its place in
// the order of arrival and who sent it, and returns replies.
func serveUDP(t testing.TB, say func(f *foreign, i int, packet []byte, from netip.AddrPort) [][]byte) *foreign {
	t.Helper()
	c, err := ListenUDP(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &foreign{conn: c, url: "udp://" + c.LocalAddr().String() + "/announce"}
	done := make(chan struct{})
	go func() {
		defer close(done)
		b := make([]byte, 4096)
		for i := 0; ; i++ {
			n, from, err := c.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			kind := "?"
			if r, ok := parseUDPRequest(b[:n]); ok && r.action < udpError {
				kind = []string{"connect", "announce", "scrape"}[r.action]
			}
			f.mu.Lock()
			f.log, f.last = append(f.log, kind), slices.Clone(b[:n])
			f.mu.Unlock()
			for _, reply := range say(f, i, b[:n], from) {
				_, _ = c.WriteToUDPAddrPort(reply, from)
			}
		}
	}()
	t.Cleanup(func() { c.Close(); <-done })
	return f
}

func (f *foreign) asked() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return strings.Join(f.log, " ")
}

func (f *foreign) packet() []byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.last
}

// honest answers every packet as BEP 15 says: id 77, one seed, two leechers, one of
// them at 10.0.0.1:6881.
func honest(packet []byte) []byte {
	r, ok := parseUDPRequest(packet)
	switch {
	case ok && r.action == udpConnect && r.id == udpMagic:
		return binary.BigEndian.AppendUint64(appendUDPReply(nil, udpConnect, r.tid), 77)
	case ok && r.id != 77:
		return append(appendUDPReply(nil, udpError, r.tid), "connection id mismatch"...)
	case ok && r.action == udpAnnounce:
		return append(appendUDPReply(nil, udpAnnounce, r.tid), unhexed("00000708"+"00000002"+"00000001"+"0a0000011ae1")...)
	case ok && r.action == udpScrape:
		b := appendUDPReply(nil, udpScrape, r.tid)
		for i := range len(r.rest) / 20 {
			b = append(b, unhexed(fmt.Sprintf("%08x%08x%08x", i+1, i+2, i+3))...)
		}
		return b
	}
	return nil
}

// newUDPClient is a client that is quick to give up.
func newUDPClient(t testing.TB, tiers ...[]string) *Client {
	t.Helper()
	c := newClient(t, tiers...)
	c.ways[0].udp.first = 30 * time.Millisecond
	return c
}

// TestUDPClientPackets compares an announce with the layout of BEP 15 and 41.
func TestUDPClientPackets(t *testing.T) {
	f := serveUDP(t, func(_ *foreign, _ int, p []byte, _ netip.AddrPort) [][]byte { return [][]byte{honest(p)} })
	c := newUDPClient(t, []string{strings.TrimSuffix(f.url, "announce") + "dir?a=b&c=d"})
	req := Request{
		InfoHash: [20]byte{0xaa, 19: 0xab}, PeerID: [20]byte{0xba, 19: 0xbb}, Port: 6881, Uploaded: 3, Downloaded: 1, Left: 2,
		Event: EventCompleted, NumWant: 80, Key: 0xcafe, Extra: []Param{{"x_node", "n 1"}},
	}
	r, err := c.Announce(t.Context(), req)
	if err != nil || addrs(r) != "10.0.0.1:6881" || r.Complete != 1 || r.Incomplete != 2 || r.Interval != 30*time.Minute ||
		r.MinInterval != time.Second || r.URL == "" {
		t.Fatalf("%+v %v", r, err)
	}
	got := f.packet()
	zero := strings.Repeat("00", 18)
	data := "/dir?a=b&c=d&x_node=n%201"
	want := "000000000000004d" + "00000001" + hex.EncodeToString(got[12:16]) + "aa" + zero + "ab" + "ba" + zero + "bb" +
		"0000000000000001" + "0000000000000002" + "0000000000000003" + "00000001" + "00000000" + "0000cafe" + "00000050" + "1ae1" +
		fmt.Sprintf("02%02x", len(data)) + hex.EncodeToString([]byte(data))
	if hex.EncodeToString(got) != want {
		t.Errorf("\n%x, want\n%s", got, want)
	}
	req.Event, req.Left = EventStopped, -1
	_, err = c.Announce(t.Context(), req)
	if got = f.packet(); err != nil || binary.BigEndian.Uint64(got[64:]) != unknownLeft ||
		binary.BigEndian.Uint32(got[80:]) != 3 || binary.BigEndian.Uint32(got[92:]) != 0 {
		t.Errorf("stopped: %x, %v", got, err)
	}
	for event, want := range map[Event]uint32{EventNone: 0, EventCompleted: 1, EventStarted: 2, EventStopped: 3, EventPaused: 0} {
		if got := udpEventOf(event); got != want {
			t.Errorf("event %v is %d, want %d", event, got, want)
		}
	}
	if f.asked() != "connect announce announce" {
		t.Errorf("asked %s: an id serves for a minute", f.asked())
	}
}

// TestURLData is the example of BEP 41, and what is longer than an option.
func TestURLData(t *testing.T) {
	if got := hex.EncodeToString(appendURLData(nil, "/dir?a=b&c=d")); got != "020c2f6469723f613d6226633d64" {
		t.Error(got)
	}
	long := strings.Repeat("0123456789", 60)
	b := appendURLData([]byte{}, long)
	if len(b) != 606 || string(readURLData(nil, append([]byte{1, 7, 2, 'x', 'y'}, append(b, 0, 2, 1, 'z')...))) != long {
		t.Errorf("%q", b)
	}
	if got := readURLData(nil, []byte{2, 0, 2, 1, 'a', 2, 3, 'b'}); string(got) != "a" {
		t.Errorf("a cut option: %q", got)
	}
	u, _ := parseTrackerURL("udp://t:1")
	extra := []Param{{"a", "b"}, {"long", strings.Repeat("x", maxURLData)}, {"c", "d"}}
	if got, err := urlData(u, extra); got != "?a=b" || err != nil {
		t.Errorf("%q %v", got, err)
	}
	u, _ = parseTrackerURL("udp://t:1/" + strings.Repeat("x", maxURLData))
	if _, err := urlData(u, nil); err == nil {
		t.Error("a URL that does not fit is accepted")
	}
}

// TestUDPClientWithOurTracker goes over a host name with two addresses, of which
// one serves.
func TestUDPClientWithOurTracker(t *testing.T) {
	s, at := startUDP(t, DefaultConfig(), "127.0.0.1:0")
	url := fmt.Sprintf("udp://tracker.test:%d/announce?k=v", at.Port())
	a, b := newUDPClient(t, []string{url}), newUDPClient(t, []string{url})
	for _, c := range []*Client{a, b} {
		c.ways[0].udp.lookup = resolver("::1", "127.0.0.1")
	}
	if r, err := a.Announce(t.Context(), Request{Port: 7001, Event: EventStarted, NumWant: -1, Extra: []Param{{"x_metrics_port", "9"}}}); err != nil || r.Complete != 1 {
		t.Fatalf("%+v %v", r, err)
	}
	if r, err := b.Announce(t.Context(), Request{PeerID: [20]byte{1}, Port: 7002, Left: 5, NumWant: -1}); err != nil || addrs(r) != "127.0.0.1:7001" {
		t.Fatalf("%+v %v", r, err)
	}
	if l := s.discovery.list(); len(l) != 1 || l[0].Targets[0] != "127.0.0.1:9" {
		t.Errorf("discovery: %v", l)
	}
	got, err := b.Scrape(t.Context(), [][20]byte{{}, {1}})
	if err != nil || got[0] != (Scraped{Complete: 1, Incomplete: 1, Downloaders: -1}) || got[1] != (Scraped{Downloaders: -1}) {
		t.Errorf("%+v %v", got, err)
	}
	if _, err := a.Announce(t.Context(), Request{Port: 7001, Event: EventStopped}); err != nil {
		t.Fatal(err)
	}
	if n, _ := s.Counts([20]byte{}); n.Complete != 0 || n.Incomplete != 1 {
		t.Errorf("after stopped: %+v", n)
	}
}

// resolver is a name server that knows one host.
func resolver(ips ...string) func(context.Context, string, string) ([]netip.Addr, error) {
	return func(_ context.Context, family, _ string) (out []netip.Addr, _ error) {
		for _, s := range ips {
			if ip := netip.MustParseAddr(s); family == "ip" || ip.Is4() == (family == "ip4") {
				out = append(out, ip)
			}
		}
		return out, nil
	}
}

// TestUDPClientOtherAddress goes on from a silent address to the host's other one,
// and begins with that the next time.
func TestUDPClientOtherAddress(t *testing.T) {
	if free, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv6loopback}); err != nil {
		t.Skip("no IPv6 loopback here")
	} else {
		free.Close()
	}
	// A port that is free at both addresses.
	var f *foreign
	var at *net.UDPAddr
	var silent *net.UDPConn
	for range 20 {
		f = serveUDP(t, func(_ *foreign, _ int, p []byte, _ netip.AddrPort) [][]byte { return [][]byte{honest(p)} })
		at = f.conn.LocalAddr().(*net.UDPAddr)
		var err error
		if silent, err = net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv6loopback, Port: at.Port}); err == nil {
			break
		}
	}
	if silent == nil {
		t.Fatal("of 20 ports none is free at both loopback addresses")
	}
	defer silent.Close()
	c := newUDPClient(t, []string{fmt.Sprintf("udp://tracker.test:%d", at.Port)})
	c.ways[0].udp.lookup = resolver("::1", "127.0.0.1")
	for range 2 {
		if _, err := c.Announce(t.Context(), Request{}); err != nil {
			t.Fatal(err)
		}
	}
	if f.asked() != "connect announce announce" {
		t.Errorf("asked %s", f.asked())
	}
}

// TestUDPClientSource announces from the address that it is told to.
func TestUDPClientSource(t *testing.T) {
	s, at := startUDP(t, DefaultConfig(), "127.0.0.1:0")
	c := NewClient(ClientConfig{
		Tiers: [][]string{{"udp://" + at.String()}}, Rng: rand.New(rand.NewPCG(1, 2)), LocalAddr: netip.MustParseAddr("127.0.0.1"),
	})
	defer c.Close()
	if _, err := c.Announce(t.Context(), Request{Port: 1}); err != nil {
		t.Fatal(err)
	}
	if n, _ := s.Counts([20]byte{}); n.Complete != 1 {
		t.Errorf("%+v", n)
	}
	six := NewClient(ClientConfig{Tiers: [][]string{{"udp://" + at.String()}}, Rng: rand.New(rand.NewPCG(1, 2)), LocalAddr: netip.IPv6Loopback()})
	defer six.Close()
	if _, err := six.Announce(t.Context(), Request{Port: 1}); err == nil {
		t.Error("announced from ::1 to an IPv4 address")
	}
}

// TestUDPClientRetries loses the first packets, and every reply that is not one.
func TestUDPClientRetries(t *testing.T) {
	stranger, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()
	f := serveUDP(t, func(_ *foreign, i int, p []byte, from netip.AddrPort) [][]byte {
		good := honest(p)
		if i == 0 {
			return nil
		}
		lie := slices.Clone(good) // from elsewhere
		if len(lie) > udpAnnounceReplyLen {
			copy(lie[udpAnnounceReplyLen:], "\x06\x06\x06\x06")
		}
		_, _ = stranger.WriteToUDPAddrPort(lie, from)
		tid := slices.Clone(good)
		tid[4] ^= 0xff
		return [][]byte{{}, good[:7], tid, good[:min(len(good), 15)], make([]byte, 60_000), good}
	})
	c := newUDPClient(t, []string{f.url})
	c.ways[0].udp.first = 300 * time.Millisecond
	r, err := c.Announce(t.Context(), Request{})
	if err != nil || addrs(r) != "10.0.0.1:6881" {
		t.Errorf("%+v %v", r, err)
	}
	if f.asked() != "connect connect announce" {
		t.Errorf("asked %s", f.asked())
	}
}

// TestUDPClientLateAnswer takes the answer to a packet that was given up.
func TestUDPClientLateAnswer(t *testing.T) {
	var late []byte
	f := serveUDP(t, func(_ *foreign, i int, p []byte, _ netip.AddrPort) [][]byte {
		if i == 0 {
			late = honest(p)
			return nil
		}
		if i == 1 {
			return [][]byte{late, late} // the second request's own answer never comes
		}
		return [][]byte{honest(p)}
	})
	if _, err := newUDPClient(t, []string{f.url}).Announce(t.Context(), Request{}); err != nil || f.asked() != "connect connect announce" {
		t.Errorf("%v after %s", err, f.asked())
	}
}

// TestUDPClientRestart has a tracker forget its ids: one says so, one is silent.
func TestUDPClientRestart(t *testing.T) {
	for _, says := range []bool{true, false} {
		f := serveUDP(t, func(_ *foreign, i int, p []byte, _ netip.AddrPort) [][]byte {
			if b := honest(p); i != 2 {
				return [][]byte{b}
			}
			if r, _ := parseUDPRequest(p); says {
				return [][]byte{append(appendUDPReply(nil, udpError, r.tid), "who are you?"...)}
			}
			return nil
		})
		c := newUDPClient(t, []string{f.url})
		for range 2 {
			if _, err := c.Announce(t.Context(), Request{}); err != nil {
				t.Fatal(err)
			}
		}
		if want := "connect announce announce connect announce"; f.asked() != want {
			t.Errorf("asked %s, want %s", f.asked(), want)
		}
	}
}

// TestUDPClientFails wants an error of each tracker that does not answer.
func TestUDPClientFails(t *testing.T) {
	refusing := serveUDP(t, func(_ *foreign, _ int, p []byte, _ netip.AddrPort) [][]byte {
		r, _ := parseUDPRequest(p)
		return [][]byte{append(appendUDPReply(nil, udpError, r.tid), "no\xff\x00"...)}
	})
	var refused *RefusedError
	if _, err := newUDPClient(t, []string{refusing.url + "?passkey=secret"}).Announce(t.Context(), Request{}); !errors.As(err, &refused) ||
		refused.Reason != "no\uFFFD" || strings.Contains(err.Error(), "secret") || refusing.asked() != "connect" {
		t.Errorf("%v, asked %s", err, refusing.asked())
	}
	silent := serveUDP(t, func(*foreign, int, []byte, netip.AddrPort) [][]byte { return nil })
	if _, err := newUDPClient(t, []string{silent.url}).Announce(t.Context(), Request{}); !errors.Is(err, errSilent) || silent.asked() != "connect connect connect" {
		t.Errorf("%v, asked %s", err, silent.asked())
	}
	babbling := serveUDP(t, func(*foreign, int, []byte, netip.AddrPort) [][]byte {
		return slices.Repeat([][]byte{{1, 2, 3}}, maxJunk)
	})
	c := newUDPClient(t, []string{babbling.url})
	c.ways[0].udp.first = 5 * time.Second
	if _, err := c.Announce(t.Context(), Request{}); err == nil || !strings.Contains(err.Error(), "answer nothing") {
		t.Errorf("babbling: %v", err)
	}
	gone := serveUDP(t, nil)
	gone.conn.Close()
	if _, err := newUDPClient(t, []string{gone.url}).Announce(t.Context(), Request{}); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("nobody there: %v", err)
	}
	for _, bad := range []string{"udp://127.0.0.1/announce", "udp://127.0.0.1:0", "udp://127.0.0.1:99999"} {
		if _, err := newUDPClient(t, []string{bad}).Announce(t.Context(), Request{}); err == nil {
			t.Errorf("%s is announced to", bad)
		}
	}
}

// TestUDPClientCancelled wants the wait to end with the caller's context.
func TestUDPClientCancelled(t *testing.T) {
	silent := serveUDP(t, func(*foreign, int, []byte, netip.AddrPort) [][]byte { return nil })
	c := newClient(t, []string{silent.url})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	if _, err := c.Announce(ctx, Request{}); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) > udpFirstWait {
		t.Errorf("%v after %v", err, time.Since(began))
	}
	if err := c.held(silent.url, [20]byte{}); err != nil {
		t.Errorf("a tracker that was not waited for is left alone: %v", err)
	}
}

// TestMixedTiers goes past a silent UDP tracker to an HTTP one and to another UDP
// one, which stays in front.
func TestMixedTiers(t *testing.T) {
	silent := serveUDP(t, func(*foreign, int, []byte, netip.AddrPort) [][]byte { return nil })
	refusing := serve(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "d14:failure reason2:noe") })
	good := serveUDP(t, func(_ *foreign, _ int, p []byte, _ netip.AddrPort) [][]byte { return [][]byte{honest(p)} })
	c := newUDPClient(t)
	c.tiers = &Tiers{tiers: [][]string{{silent.url, refusing, good.url}, {"http://127.0.0.1:1/announce"}}}
	for range 2 {
		if r, err := c.Announce(t.Context(), Request{}); err != nil || r.URL != good.url {
			t.Fatalf("%+v %v", r, err)
		}
	}
	if silent.asked() != "connect connect connect" || good.asked() != "connect announce announce" {
		t.Errorf("silent: %s; good: %s", silent.asked(), good.asked())
	}
}

// TestParseUDPPeers reads answers of both families.
func TestParseUDPPeers(t *testing.T) {
	six := append(unhexed("00000001"+"ffffffff"+"00000003"), append(netip.MustParseAddr("fd00::1").AsSlice(), 0, 7)...)
	for _, c := range []struct {
		b      []byte
		v6     bool
		peers  string
		counts [2]int
		fails  bool
	}{
		{six, true, "[fd00::1]:7", [2]int{3, -1}, false},
		{six[:12], true, "", [2]int{3, -1}, false},
		{six[:13], true, "", [2]int{3, -1}, false},
		{six[:11], true, "", [2]int{}, true},
		{nil, false, "", [2]int{}, true},
	} {
		r, err := parseUDPPeers(c.b, c.v6, time.Minute)
		if (err != nil) != c.fails || !c.fails && (r.Complete != c.counts[0] || r.Incomplete != c.counts[1] || r.Interval != time.Minute) {
			t.Errorf("%x: %+v %v", c.b, r, err)
		}
		if addrs(r) != c.peers {
			t.Errorf("%x: peers %q, want %q", c.b, addrs(r), c.peers)
		}
	}
	if r, err := parseUDPPeers(bytes.Repeat([]byte{0xff}, 12), false, time.Second); err != nil || r.Interval != unsaidInterval {
		t.Errorf("an interval of 2^32-1: %v %v", r.Interval, err)
	}
	for n, ok := range map[int]bool{0: true, 12: true, 24: true, 36: false, 13: false} {
		if _, err := parseUDPCounts(make([]byte, n), 2); (err == nil) != ok {
			t.Errorf("%d bytes for two torrents: %v", n, err)
		}
	}
}
