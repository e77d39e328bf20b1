package tracker

import (
	"io"
	"net/netip"
	"net/url"
	"slices"
	"testing"
	"time"
)

// FuzzUDPRequest gives a tracker packets that may be anything but for the
// connection id, which is right where known is: it wants no more than a packet in
// return, no more than it got where the id is not right, and no peer without a port.
func FuzzUDPRequest(f *testing.F) {
	announce := appendURLData(appendUDPAnnounce(nil, 0, 1, &Request{InfoHash: [20]byte{1}, Port: 1, NumWant: -1}), "/announce?x_metrics_port=1")
	f.Add(announce, true)
	f.Add(announce[:97], true)
	f.Add(append(appendUDPRequest(nil, 0, udpScrape, 1), make([]byte, 20)...), true)
	f.Add(appendUDPRequest(nil, udpMagic, udpConnect, 1), false)
	s := newServer(f, DefaultConfig(), io.Discard)
	w := newUDPWorker(s)
	me, now := netip.MustParseAddr("10.0.0.1"), time.Duration(0)
	f.Fuzz(func(t *testing.T, b []byte, known bool) {
		now += time.Second
		if b = slices.Clone(b); known && len(b) >= 8 {
			copy(b, appendUDPRequest(nil, w.cookies.id(me, now), 0, 0)[:8])
		}
		reply := w.answer(b, me, now)
		switch {
		case len(reply) == 0:
			return
		case len(reply) > maxUDPAnswer, len(b) < udpHeadLen, len(b) > maxUDPRequest, !known && len(reply) > len(b):
			t.Fatalf("%d bytes for %d: %x", len(reply), len(b), b)
		}
		req, _ := parseUDPRequest(b)
		r, ok := parseUDPReply(reply)
		if !ok || r.tid != req.tid || r.action != req.action && r.action != udpError {
			t.Fatalf("%x for %x", reply, b)
		}
		if r.action == udpAnnounce {
			if out, err := parseUDPPeers(r.rest, false, time.Second); err != nil || len(out.Peers)*6 != len(r.rest)-12 {
				t.Fatalf("%x for %x: %v", reply, b, err)
			}
		}
	})
}

// FuzzUDPReply wants a client's bounds kept and every peer to be one that can be
// dialed.
func FuzzUDPReply(f *testing.F) {
	f.Add(unhexed("0000000100000001000007080000000200000001"+"0a0000011ae1"), false)
	f.Add(unhexed("0000000300000001"+"6e6fff00"), true)
	f.Add(unhexed("0000000200000001"+"000000010000000200000003"), false)
	f.Fuzz(func(t *testing.T, b []byte, v6 bool) {
		r, ok := parseUDPReply(b)
		if !ok {
			return
		}
		if e := r.refusal(); len(e.Reason) > 3*maxText || e.RetryIn != 0 {
			t.Fatalf("a reason of %d bytes", len(e.Reason))
		}
		if out, err := parseUDPCounts(r.rest, 3); err == nil {
			for _, s := range out {
				if s.Complete < -1 || s.Incomplete < -1 || s.Downloaded < -1 || s.Downloaders != -1 {
					t.Fatalf("%+v", s)
				}
			}
		}
		out, err := parseUDPPeers(r.rest, v6, time.Second)
		if err != nil {
			return
		}
		if out.Interval < time.Second || out.Interval > maxInterval || out.MinInterval > out.Interval || len(out.Peers) > maxPeers {
			t.Fatalf("%+v", out)
		}
		for _, p := range out.Peers {
			if u, err := url.Parse("tcp://" + p.Addr); err != nil || u.Port() == "" || u.Port() == "0" || u.Host != p.Addr {
				t.Fatalf("peer %q: %v", p.Addr, err)
			}
		}
	})
}
