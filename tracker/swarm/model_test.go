package swarm

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// The model: the same rules in the plainest form.
type (
	model struct {
		cfg   Config
		peers map[modelKey]*modelPeer
		done  map[InfoHash]uint32
	}
	modelKey struct {
		hash InfoHash
		addr netip.AddrPort
	}
	modelPeer struct {
		id                  [20]byte
		sated, seed, counts bool
		seen                time.Duration
		tokens              int
	}
)

func (m *model) counts(h InfoHash) (c Counts) {
	for k, p := range m.peers {
		switch {
		case k.hash != h:
			continue
		case p.seed:
			c.Complete++
		default:
			c.Incomplete++
		}
		if !p.sated {
			c.Downloaders++
		}
	}
	c.Downloaded = m.done[h]
	return c
}

func (m *model) expire(now time.Duration) {
	for k, p := range m.peers {
		ttl := m.cfg.TTL
		if !strings.HasPrefix(string(p.id[:]), m.cfg.Prompt) {
			ttl = max(ttl, m.cfg.LaxTTL)
		}
		if now-p.seen >= ttl {
			delete(m.peers, k)
		}
	}
}

// allowed is who may be in the reply to q, the value of each being whether it is
// among the last to be told of, and how many of those and in all the reply holds.
func (m *model) allowed(q *Request) (ok map[netip.AddrPort]bool, most, all int) {
	ok = map[netip.AddrPort]bool{}
	sated := q.Left == 0 || q.Event == Paused
	for k, p := range m.peers {
		self := k.addr == q.Addr || p.id == q.PeerID && k.addr.Port() == q.Addr.Port()
		if k.hash != q.InfoHash || self || q.OneFamily && k.addr.Addr().Is4() != q.Addr.Addr().Is4() {
			continue
		}
		ok[k.addr] = sated && p.sated
		if ok[k.addr] {
			most++
		} else {
			all++
		}
	}
	if q.Event != Started || q.Downloaded != 0 {
		most = 0
	}
	want := min(q.NumWant, m.cfg.MaxNumWant)
	if q.NumWant < 0 {
		want = m.cfg.NumWant
	}
	all = min(all, want)
	most = min(most, satedForNew, want-all)
	return ok, most, all + most
}

// announce returns the expected error and whether the peer ends up unlisted.
func (m *model) announce(now time.Duration, q *Request) (err error, unlisted bool) {
	k := modelKey{q.InfoHash, q.Addr}
	p := m.peers[k]
	if q.Event == Stopped {
		if p != nil && p.id == q.PeerID {
			delete(m.peers, k)
		}
		return nil, false
	}
	joins := p == nil
	if joins {
		if q.NoJoin {
			return ErrFull, false
		}
		p = &modelPeer{tokens: burst, seen: now}
	}
	p.tokens = min(burst, p.tokens+int((now-p.seen)/time.Second))
	if p.tokens == 0 {
		return ErrTooOften, false
	}
	if joins && isPublic(q.Addr.Addr()) {
		n, limit := 0, m.cfg.MaxPerHost
		for o := range m.peers {
			if o.hash == q.InfoHash && o.addr.Addr() == q.Addr.Addr() {
				n++
			}
		}
		if q.Addr.Addr().Is6() {
			limit = m.cfg.MaxPerNet6
		}
		if n >= limit {
			return nil, true
		}
	}
	p.tokens--
	p.seen, p.id = now, q.PeerID
	p.seed = q.Left == 0
	p.sated = p.seed || q.Event == Paused
	if q.Event == Completed && p.seed && !p.counts && !m.countedElsewhere(q) {
		m.done[q.InfoHash]++
	}
	p.counts = p.counts || p.seed
	m.peers[k] = p
	return nil, false
}

func (m *model) countedElsewhere(q *Request) bool {
	for k, p := range m.peers {
		if k.hash == q.InfoHash && k.addr.Addr().Is4() != q.Addr.Addr().Is4() &&
			p.id == q.PeerID && k.addr.Port() == q.Addr.Port() && p.counts {
			return true
		}
	}
	return false
}

// addrs reads the addresses of a response.
func addrs(r *Response) (all []netip.AddrPort) {
	for b := r.Peers; len(b) > 0; b = b[6:] {
		all = append(all, netip.AddrPortFrom(netip.AddrFrom4([4]byte(b)), uint16(b[4])<<8|uint16(b[5])))
	}
	for b := r.Peers6; len(b) > 0; b = b[18:] {
		all = append(all, netip.AddrPortFrom(netip.AddrFrom16([16]byte(b)), uint16(b[16])<<8|uint16(b[17])))
	}
	return all
}

func randomRequest(rng *rand.Rand) *Request {
	hosts := []string{"127.0.0.1", "10.1.2.3", "8.8.8.8", "9.9.9.9", "::1", "fd00::7", "2001:db8::1", "2001:db8:1::1"}
	port := uint16(1 + rng.IntN(8))
	q := &Request{
		Addr:  netip.AddrPortFrom(netip.MustParseAddr(hosts[rng.IntN(len(hosts))]), port),
		Event: Event(rng.IntN(NumEvents)), Left: int64(rng.IntN(3)) - 1, NumWant: rng.IntN(24) - 2,
		WantIDs: rng.IntN(2) == 0, NoJoin: rng.IntN(20) == 0, OneFamily: rng.IntN(5) == 0,
		Downloaded: int64(rng.IntN(4)/3) * 5,
	}
	q.InfoHash[0] = byte(rng.IntN(3))
	// Sometimes a port is taken over by another process, of another client.
	successor := uint16(rng.IntN(8) / 7)
	client := [...]string{"-PR", "-LX"}[(port+successor)%2]
	copy(q.PeerID[:], fmt.Sprint(client, port, "-", successor))
	switch rng.IntN(6) {
	case 0, 1, 2:
		q.Event = None
	case 3: // as clients with magnet links begin
		q.Event, q.Left = Started, 0
	}
	return q
}

// TestAgainstModel runs random announces, silences and expiries through a store and
// the model, and compares every answer.
func TestAgainstModel(t *testing.T) {
	for seed := range uint64(12) {
		t.Run(fmt.Sprint("seed", seed), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 1))
			cfg := Fleet()
			cfg.NumWant, cfg.MaxNumWant, cfg.MaxPerHost, cfg.MaxPerNet6 = 7, 15, 3, 2
			if seed%3 != 0 {
				cfg.Prompt, cfg.LaxTTL = "-PR", 7*time.Minute
			}
			s, m := New(cfg), &model{cfg: cfg, peers: map[modelKey]*modelPeer{}, done: map[InfoHash]uint32{}}
			for i := range byte(3) {
				if err := s.Register(InfoHash{i}); err != nil { // downloads are counted for ever
					t.Fatal(err)
				}
			}
			var now time.Duration
			var r Response
			for range 700 {
				now += time.Duration(rng.IntN(3)*rng.IntN(3)*rng.IntN(8)) * time.Second
				if rng.IntN(4) == 0 {
					s.Expire(now)
					m.expire(now)
				}
				step(t, s, m, rng, now, randomRequest(rng), &r)
			}
			s.check(t)
			s.Expire(now + max(cfg.TTL, cfg.LaxTTL))
			if got := s.Totals(); got.Seeders+got.Leechers != 0 {
				t.Fatalf("after a TTL of silence: %+v", got)
			}
		})
	}
}

func step(t *testing.T, s *Store, m *model, rng *rand.Rand, now time.Duration, q *Request, r *Response) {
	t.Helper()
	allowed, most, want := m.allowed(q)
	err, unlisted := m.announce(now, q)
	got := s.Announce(rng, now, q, r)
	if got != err || r.Unlisted != unlisted {
		t.Fatalf("%+v: got %v unlisted %v, want %v %v", q, got, r.Unlisted, err, unlisted)
	}
	s.check(t)
	if c := m.counts(q.InfoHash); r.Counts != c {
		t.Fatalf("%+v: counts %+v, want %+v", q, r.Counts, c)
	}
	if err != nil || q.Event == Stopped {
		want, most = 0, 0
	}
	all := addrs(r)
	for i, a := range all {
		last, ok := allowed[a]
		if last {
			most--
		}
		if !ok || most < 0 {
			t.Fatalf("%+v: %v must not be in the reply, or is there twice", q, a)
		}
		delete(allowed, a)
		if id := r.IDs; q.WantIDs && m.peers[modelKey{q.InfoHash, a}].id != [20]byte(id[20*i:]) {
			t.Fatalf("%+v: wrong peer id for %v", q, a)
		}
	}
	if len(all) != want {
		t.Fatalf("%+v: %d peers, want %d", q, len(all), want)
	}
}
