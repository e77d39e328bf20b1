package tracker

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"net/url"
	"sync"
	"time"
)

// udp is a client's way to its UDP trackers. Every request has a socket of its own.
type udp struct {
	dialer net.Dialer
	from   netip.Addr
	family string // of the tracker's addresses: "ip", "ip4" or "ip6"
	lookup func(ctx context.Context, family, host string) ([]netip.Addr, error)
	first  time.Duration // see udpExchange
	tries  int

	mu    sync.Mutex // a leaf
	links map[string]udpLink
}

// udpLink is the connection id that a tracker, host:port, gave last.
type udpLink struct {
	at      netip.AddrPort
	id      uint64
	expires time.Time
}

func newUDP(cfg *ClientConfig, family string) *udp {
	u := &udp{from: cfg.LocalAddr, family: family, lookup: net.DefaultResolver.LookupNetIP, first: udpFirstWait, tries: udpTries, links: make(map[string]udpLink)}
	if u.from.IsValid() {
		u.dialer.LocalAddr = &net.UDPAddr{IP: u.from.AsSlice(), Zone: u.from.Zone()}
	}
	return u
}

// errSilent is that a UDP tracker does not answer.
var errSilent = errors.New("no answer over UDP")

// udpAsk is a request as an exchange sends it.
type udpAsk struct {
	action uint32
	packet func(id uint64, tid uint32) []byte
}

// announce asks the tracker at a udp URL.
func (u *udp) announce(ctx context.Context, target *url.URL, req *Request, extra []Param, floor time.Duration) (Response, error) {
	data, err := urlData(target, extra)
	if err != nil {
		return Response{}, err
	}
	b, v6, err := u.exchange(ctx, target, udpAsk{udpAnnounce, func(id uint64, tid uint32) []byte {
		return appendURLData(appendUDPAnnounce(nil, id, tid, req), data)
	}})
	if err != nil {
		return Response{}, err
	}
	return parseUDPPeers(b, v6, floor)
}

// scrape asks the tracker at a udp URL of at most maxUDPScrape torrents.
func (u *udp) scrape(ctx context.Context, target *url.URL, hashes [][20]byte) ([]Scraped, error) {
	b, _, err := u.exchange(ctx, target, udpAsk{udpScrape, func(id uint64, tid uint32) []byte {
		p := appendUDPRequest(nil, id, udpScrape, tid)
		for _, h := range hashes {
			p = append(p, h[:]...)
		}
		return p
	}})
	if err != nil {
		return nil, err
	}
	return parseUDPCounts(b, len(hashes))
}

// exchange sends a request, and a connect request before it where that is needed,
// until it is answered or clientTimeout is over. It returns what follows the
// answer's head, and whether it came over IPv6.
func (u *udp) exchange(ctx context.Context, target *url.URL, ask udpAsk) (rest []byte, v6 bool, err error) {
	caller := ctx
	ctx, cancel := context.WithTimeout(ctx, clientTimeout)
	defer cancel()
	e := udpTalk{udp: u, host: target.Host, ask: ask, tids: [2]uint32{rand.Uint32(), rand.Uint32()}, began: time.Now()}
	e.x = udpExchange{first: u.first, tries: u.tries}
	defer e.close()
	if err = e.resolve(ctx, target); err == nil {
		rest, err = e.run(ctx)
	}
	if err != nil {
		if caller.Err() != nil {
			err = caller.Err()
		}
		return nil, false, err
	}
	return rest, e.paths[0].at.Addr().Is6(), nil
}

// link is the connection id to begin with.
func (u *udp) link(host string) (udpLink, bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	l, ok := u.links[host]
	return l, ok
}

// keep remembers a connection id for the next exchange.
func (u *udp) keep(host string, l udpLink) {
	u.mu.Lock()
	u.links[host] = l
	u.mu.Unlock()
}
