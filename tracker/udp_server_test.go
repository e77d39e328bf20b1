package tracker

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"io"
	"net"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"starling/tracker/swarm"
)

// startUDP runs a tracker that answers over UDP too, on addr, and returns where.
func startUDP(t testing.TB, cfg Config, addr string) (*running, netip.AddrPort) {
	t.Helper()
	c, err := ListenUDP(t.Context(), addr)
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, cfg, func(s *Server) { s.AddUDP(c) })
	return s, c.LocalAddr().(*net.UDPAddr).AddrPort()
}

// udpPeer is a peer that sends packets as they are.
type udpPeer struct {
	*net.UDPConn
	id uint64
}

func dialUDP(t testing.TB, to string) *udpPeer {
	t.Helper()
	c, err := net.Dial("udp", to)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	p := &udpPeer{UDPConn: c.(*net.UDPConn)}
	b := p.ask(t, appendUDPRequest(nil, udpMagic, udpConnect, 0xdeadbeef))
	if len(b) != udpConnectReplyLen || !bytes.Equal(b[:8], []byte{0, 0, 0, 0, 0xde, 0xad, 0xbe, 0xef}) {
		t.Fatalf("connect reply %x", b)
	}
	p.id = binary.BigEndian.Uint64(b[8:])
	return p
}

func (p *udpPeer) say(t testing.TB, packet []byte) {
	t.Helper()
	if _, err := p.Write(packet); err != nil {
		t.Fatal(err)
	}
}

func (p *udpPeer) ask(t testing.TB, packet []byte) []byte {
	t.Helper()
	p.say(t, packet)
	b := make([]byte, 4096)
	_ = p.SetReadDeadline(time.Now().Add(10 * time.Second))
	n, err := p.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	return b[:n]
}

// announce announces a peer that listens on port and returns the answer.
func (p *udpPeer) announce(t testing.TB, port uint16, left int64, e Event) Response {
	t.Helper()
	req := Request{InfoHash: [20]byte(bytes.Repeat([]byte{0xa7}, 20)), PeerID: [20]byte{byte(port >> 8), byte(port)}, Port: port, Left: left, Event: e, NumWant: -1}
	r, ok := parseUDPReply(p.ask(t, appendUDPAnnounce(nil, p.id, 9, &req)))
	if !ok || r.action != udpAnnounce || r.tid != 9 {
		t.Fatalf("%+v %q", r, r.rest)
	}
	out, err := parseUDPPeers(r.rest, p.RemoteAddr().(*net.UDPAddr).IP.To4() == nil, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func addrs(r Response) string {
	var out []string
	for _, p := range r.Peers {
		out = append(out, p.Addr)
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

// TestUDPWithHTTP has peers of both kinds in one swarm.
func TestUDPWithHTTP(t *testing.T) {
	s, at := startUDP(t, DefaultConfig(), "127.0.0.1:0")
	get(t, s.addr, announcePath(hash1, 7001, "&left=0"))
	p := dialUDP(t, at.String())
	r := p.announce(t, 7002, 5, EventStarted)
	if addrs(r) != "127.0.0.1:7001" || r.Complete != 1 || r.Incomplete != 1 || r.Interval < 4*time.Second || r.Interval > 6*time.Second {
		t.Errorf("%+v", r)
	}
	_, b := get(t, s.addr, announcePath(hash1, 7003, "&left=5"))
	if peers := field(t, b, "peers"); len(peers) != 12 || !strings.Contains(peers, "\x7f\x00\x00\x01\x1b\x5a") {
		t.Errorf("over HTTP: %q", b)
	}
	if r = p.announce(t, 7002, 0, EventCompleted); addrs(r) != "127.0.0.1:7003" || r.Complete != 2 {
		t.Errorf("a seed is given %q of %+v", addrs(r), r)
	}
	h := [20]byte(bytes.Repeat([]byte{0xa7}, 20))
	scrape := append(append(appendUDPRequest(nil, p.id, udpScrape, 5), make([]byte, 20)...), h[:]...)
	if got, want := hex.EncodeToString(p.ask(t, scrape)), "0000000200000005"+strings.Repeat("0", 24)+"000000020000000100000001"; got != want {
		t.Errorf("scrape %s, want %s", got, want)
	}
	if r = p.announce(t, 7002, 0, EventStopped); addrs(r) != "" || r.Complete != 1 {
		t.Errorf("stopped: %+v", r)
	}
}

// TestUDPPackets goes through packets good and bad, without sockets.
func TestUDPPackets(t *testing.T) {
	cfg := DefaultConfig()
	s := newServer(t, cfg, io.Discard)
	w := newUDPWorker(s)
	me, other := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2")
	id := w.cookies.id(me, time.Hour)
	req := &Request{InfoHash: [20]byte{1}, PeerID: [20]byte{2}, Port: 7001, NumWant: -1}
	announce := appendUDPAnnounce(nil, id, 3, req)
	scrape := func(n int) []byte { return append(appendUDPRequest(nil, id, udpScrape, 4), make([]byte, n)...) }
	if len(announce) != udpAnnounceLen {
		t.Fatalf("an announce of %d bytes", len(announce))
	}
	noPort := *req
	noPort.Port = 0
	event := slices.Clone(announce)
	event[83] = 77
	for _, c := range []struct {
		name   string
		packet []byte
		from   netip.Addr
		at     time.Duration
		reply  string // its beginning, in hexadecimal
		kind   int
	}{
		{"connect", unhexed("0000041727101980" + "00000000" + "deadbeef"), me, 0, "00000000deadbeef", udpPacketConnect},
		{"connect with more", unhexed("0000041727101980" + "00000000" + "deadbeef" + "00"), me, 0, "00000000deadbeef", udpPacketConnect},
		{"connect with another number", unhexed("0000041727101981" + "00000000" + "deadbeef"), me, 0, "", udpPacketMalformed},
		{"nothing", nil, me, 0, "", udpPacketMalformed},
		{"15 bytes", announce[:15], me, 0, "", udpPacketMalformed},
		{"97 bytes", announce[:97], me, 0, "", udpPacketMalformed},
		{"announce", announce, me, time.Hour, "0000000100000003", udpPacketAnnounce},
		{"options", append(announce[:98:98], 1, 2, 3, 'a', '=', 'b', 9, 1, 0, 2, 200, 'x'), me, time.Hour, "0000000100000003", udpPacketAnnounce},
		{"too long", append(announce[:98:98], make([]byte, maxUDPRequest-97)...), me, time.Hour, "", udpPacketMalformed},
		{"unknown event", event, me, time.Hour, "0000000100000003", udpPacketAnnounce},
		{"no port", appendUDPAnnounce(nil, id, 3, &noPort), me, time.Hour, "0000000300000003" + hex.EncodeToString([]byte(errPort.Error())), udpPacketAnnounce},
		{"of another address", announce, other, time.Hour, "", udpPacketBadID},
		{"after 2 min", announce, me, time.Hour + cookieLife, "0000000100000003", udpPacketAnnounce},
		{"after 4 min", announce, me, time.Hour + 2*cookieLife, "", udpPacketBadID},
		{"before", announce, me, time.Hour - time.Second, "", udpPacketBadID},
		{"an id of 0", appendUDPAnnounce(nil, 0, 3, req), me, time.Hour, "", udpPacketBadID},
		{"the connect's number", appendUDPAnnounce(nil, udpMagic, 3, req), me, time.Hour, "", udpPacketBadID},
		{"scrape", scrape(20 * maxUDPScrape), me, time.Hour, "0000000200000004", udpPacketScrape},
		{"scrape of 75", scrape(20 * (maxUDPScrape + 1)), me, time.Hour, "0000000300000004" + hex.EncodeToString([]byte(errBigUDPScrape.Error())), udpPacketScrape},
		{"scrape of none", scrape(0), me, time.Hour, "", udpPacketMalformed},
		{"scrape of one and a half", scrape(30), me, time.Hour, "", udpPacketMalformed},
		{"scrape of another address", scrape(20), other, time.Hour, "", udpPacketBadID},
		{"unknown action", appendUDPRequest(nil, id, 5, 1), me, time.Hour, "", udpPacketMalformed},
		{"an error", appendUDPRequest(nil, id, udpError, 1), me, time.Hour, "", udpPacketMalformed},
	} {
		before := testutil.ToFloat64(s.metrics.udpPackets[c.kind])
		reply := w.answer(c.packet, c.from, c.at)
		if got := hex.EncodeToString(reply); !strings.HasPrefix(got, c.reply) || c.reply == "" && got != "" {
			t.Errorf("%s: reply %s, want %s", c.name, got, c.reply)
		}
		if testutil.ToFloat64(s.metrics.udpPackets[c.kind]) != before+1 {
			t.Errorf("%s: not counted as %s", c.name, udpPacketNames[c.kind])
		}
		if verified := c.kind == udpPacketAnnounce || c.kind == udpPacketScrape; !verified && len(reply) > len(c.packet) {
			t.Errorf("%s: %d bytes to who sent %d and showed no id", c.name, len(reply), len(c.packet))
		}
	}
	if n := len(w.answer(scrape(20*maxUDPScrape), me, time.Hour)); n != 8+12*maxUDPScrape {
		t.Errorf("the answer to a whole scrape has %d bytes", n)
	}
	if got := testutil.ToFloat64(s.metrics.scrapes[resultInvalid]); got != 1 {
		t.Errorf("%v invalid scrapes", got)
	}
}

func unhexed(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

// TestUDPAnswers fills a swarm of each family and asks for numbers of peers.
func TestUDPAnswers(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Swarm.MaxNumWant = 1000
	s := newServer(t, cfg, io.Discard)
	w := newUDPWorker(s)
	for _, me := range []netip.Addr{netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("fd00::1")} {
		stride, fits := 18, 67
		if me.Is4() {
			stride, fits = 6, 202
		}
		id := w.cookies.id(me, time.Minute)
		ask := func(port uint16, want int) int {
			req := &Request{InfoHash: [20]byte{1}, PeerID: [20]byte{byte(port >> 8), byte(port)}, Port: port, Left: 1, NumWant: want}
			b := w.answer(appendUDPAnnounce(nil, id, 3, req), me, time.Minute)
			if len(b) < udpAnnounceReplyLen || (len(b)-udpAnnounceReplyLen)%stride != 0 || len(b) > maxUDPAnswer {
				t.Fatalf("%v: %d bytes %x", me, len(b), b[:min(len(b), 40)])
			}
			for p := b[udpAnnounceReplyLen:]; len(p) > 0; p = p[stride:] {
				if binary.BigEndian.Uint16(p[stride-2:]) == port {
					t.Fatalf("%v: port %d is given itself", me, port)
				}
			}
			return (len(b) - udpAnnounceReplyLen) / stride
		}
		for port := range uint16(300) {
			ask(1000+port, 0)
		}
		for want, got := range map[int]int{0: 0, 7: 7, -1: 50, -1 << 31: 50, 1e9: fits, 1<<31 - 1: fits} {
			if n := ask(uint16(2000+got), want); n != got {
				t.Errorf("%v: %d peers for %d wanted, not %d", me, n, want, got)
			}
		}
	}
}

// TestUDPRefusals wants the HTTP tracker's reasons.
func TestUDPRefusals(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Swarm.Open = false
	w := newUDPWorker(newServer(t, cfg, io.Discard))
	me := netip.MustParseAddr("10.0.0.1")
	b := w.answer(appendUDPAnnounce(nil, w.cookies.id(me, 0), 3, &Request{Port: 1}), me, 0)
	if r, ok := parseUDPReply(b); !ok || r.action != udpError || string(r.rest) != swarm.ErrUnregistered.Error() {
		t.Errorf("%q", b)
	}
}

// TestUDPDiscovery has a peer tell where its metrics are in the options of BEP 41.
func TestUDPDiscovery(t *testing.T) {
	s := newServer(t, DefaultConfig(), io.Discard)
	w := newUDPWorker(s)
	me := netip.MustParseAddr("10.0.0.1")
	data := "/announce?x_metrics_port=9464&x_node=" + strings.Repeat("n", 120) + "&x_label_rack=" + strings.Repeat("r", 128) + "&info_hash=x&port=5"
	packet := appendURLData(appendUDPAnnounce(nil, w.cookies.id(me, 0), 3, &Request{Port: 1}), data)
	if r, _ := parseUDPReply(w.answer(packet, me, 0)); r.action != udpAnnounce {
		t.Fatalf("%q", r.rest)
	}
	l := s.discovery.list()
	if len(l) != 1 || l[0].Targets[0] != "10.0.0.1:9464" || l[0].Labels["__meta_starling_label_rack"] != strings.Repeat("r", 128) ||
		l[0].Labels["__meta_starling_node"] != strings.Repeat("n", 120) {
		t.Errorf("%v", l)
	}
}

// TestUDPBothFamilies asks one socket over IPv4 and IPv6, and at two addresses of
// the host: a connected socket takes the reply only from the one that it asked.
func TestUDPBothFamilies(t *testing.T) {
	if c, err := net.ListenPacket("udp", "[::1]:0"); err != nil {
		t.Skip("no IPv6 loopback here")
	} else {
		c.Close()
	}
	_, at := startUDP(t, DefaultConfig(), ":0")
	on := func(host string) string { return netip.AddrPortFrom(netip.MustParseAddr(host), at.Port()).String() }
	four, six := dialUDP(t, on("127.0.0.1")), dialUDP(t, on("::1"))
	four.announce(t, 7001, 1, EventStarted)
	six.announce(t, 7002, 1, EventStarted)
	if r := four.announce(t, 7003, 1, EventStarted); addrs(r) != "127.0.0.1:7001" || r.Incomplete != 3 {
		t.Errorf("over IPv4: %+v", r)
	}
	if r := six.announce(t, 7004, 1, EventStarted); addrs(r) != "[::1]:7002" || r.Incomplete != 4 {
		t.Errorf("over IPv6: %+v", r)
	}
	if runtime.GOOS != "linux" {
		return
	}
	if r := dialUDP(t, on("127.0.0.9")).announce(t, 7005, 1, EventStarted); len(r.Peers) != 2 {
		t.Errorf("at another address: %+v", r)
	}
	_, at = startUDP(t, DefaultConfig(), "0.0.0.0:0")
	dialUDP(t, on("127.0.0.9")).announce(t, 7005, 1, EventStarted)
}

// TestUDPStop wants packets that had arrived answered, and nothing left.
func TestUDPStop(t *testing.T) {
	goroutines := runtime.NumGoroutine()
	s, at := startUDP(t, DefaultConfig(), "127.0.0.1:0")
	p := dialUDP(t, at.String())
	req := &Request{Port: 1, NumWant: -1}
	const burst = 40
	for range burst {
		p.say(t, appendUDPAnnounce(nil, p.id, 1, req))
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	_ = p.SetReadDeadline(time.Now().Add(5 * time.Second))
	b := make([]byte, 100)
	for i := range burst {
		if _, err := p.Read(b); err != nil {
			t.Fatalf("after %d replies: %v", i, err)
		}
	}
	if err := s.udp[0].SetDeadline(time.Now()); err == nil {
		t.Error("the socket is still open")
	}
	settle(t, "goroutines", goroutines, runtime.NumGoroutine)
}

// TestUDPSocketFails wants the tracker to end with the socket's error, as with a
// listener's.
func TestUDPSocketFails(t *testing.T) {
	c, err := ListenUDP(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := newServer(t, DefaultConfig(), io.Discard)
	s.AddUDP(c)
	public, err := Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(t.Context(), public, nil, nil) }()
	c.Close()
	select {
	case err := <-done:
		if err == nil || strings.Contains(err.Error(), os.ErrDeadlineExceeded.Error()) {
			t.Errorf("%v", err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("the tracker serves on")
	}
}

// TestUDPAllocations holds the hot path to none.
func TestUDPAllocations(t *testing.T) {
	s := newServer(t, DefaultConfig(), io.Discard)
	w := newUDPWorker(s)
	me, now := netip.MustParseAddr("10.0.0.1"), time.Duration(0)
	var id uint64
	connect := appendUDPRequest(nil, udpMagic, udpConnect, 1)
	packet := appendUDPAnnounce(nil, 0, 1, &Request{Port: 1, NumWant: -1})
	got := testing.AllocsPerRun(1000, func() {
		now += time.Second
		id = binary.BigEndian.Uint64(w.answer(connect, me, now)[8:])
		binary.BigEndian.PutUint64(packet, id)
		if b := w.answer(packet, me, now); len(b) != udpAnnounceReplyLen {
			t.Fatalf("%q", b)
		}
	})
	if got != 0 {
		t.Errorf("%v allocations for a connect and an announce", got)
	}
}
