package fleet

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"
)

var (
	hash  = [20]byte{1}
	other = [20]byte{2}
)

// at is a host's address, in a private network.
func at(n int) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(n >> 8), byte(n)}), 6881)
}

// told is the report of host n, which has done of size.
func told(n int, done, size int64) *Report {
	return &Report{
		Hash: hash, ID: [20]byte{byte(n), byte(n >> 8)}, Addr: at(n), State: Downloading, Size: size, Done: done, LeftS: -1,
		Node: fmt.Appendf(nil, "n%d", n),
	}
}

func newStore(t testing.TB, change func(*Config)) *Store {
	t.Helper()
	cfg := Default(150 * time.Second)
	if change != nil {
		change(&cfg)
	}
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	return New(cfg)
}

func (s *Store) must(t testing.TB, now time.Duration, r *Report) {
	t.Helper()
	if err := s.Note(now, r); err != nil {
		t.Fatalf("%v: %v", r.Addr, err)
	}
}

// sound checks the store's books.
func (s *Store) sound(t testing.TB) {
	t.Helper()
	var sum Totals
	text, perIP := 0, map[netip.Addr]addrUse{}
	for h, g := range s.swarms {
		if len(g.hosts) == 0 {
			t.Fatalf("swarm %x is empty", h)
		}
		gone := 0
		for i := range g.hosts {
			h := &g.hosts[i]
			if g.index[h.Addr] != int32(i) {
				t.Fatalf("host %d is not where the index says", i)
			}
			sum.Hosts++
			if h.complete() {
				sum.Done++
			}
			if h.State == Left {
				sum.Left++
				gone++
			}
			text += h.textSize()
			if ip := h.Addr.Addr(); isPublic(ip) {
				use := perIP[ip]
				if use.all++; h.State == Left {
					use.left++
				}
				perIP[ip] = use
			}
		}
		for _, n := range g.gone {
			gone -= n
		}
		if gone != 0 || len(g.index) != len(g.hosts) || len(g.ids) > len(g.hosts) {
			t.Fatalf("%d hosts, %d addresses, %d ids, gone off by %d", len(g.hosts), len(g.index), len(g.ids), gone)
		}
	}
	if sum != s.totals || text != s.text || len(perIP) != len(s.perIP) {
		t.Fatalf("totals %+v, text %d, want %+v, %d", s.totals, s.text, sum, text)
	}
	for ip, n := range perIP {
		if s.perIP[ip] != n {
			t.Fatalf("%v: reports %+v, want %+v", ip, s.perIP[ip], n)
		}
	}
}

func TestNote(t *testing.T) {
	s := newStore(t, nil)
	s.must(t, 0, told(1, 0, 100))
	s.must(t, 0, told(2, 100, 100))
	r := told(1, 50, 100)
	r.Labels = []RawLabel{{[]byte("rack"), []byte("r1")}}
	s.must(t, time.Second, r)
	if got := s.Totals(); got != (Totals{Hosts: 2, Done: 1}) {
		t.Errorf("totals %+v", got)
	}
	s.sound(t)
	for what, bad := range map[string]*Report{
		"more done than wanted": told(1, 101, 100), "negative": {Hash: hash, Addr: at(1), Size: 5, Done: -1},
		"rate": {Hash: hash, Addr: at(1), Down: -1}, "size": {Hash: hash, Addr: at(1), Size: -1},
		"a rate that no host has": {Hash: hash, Addr: at(1), Up: MaxRate + 1}, "so of a source": {Hash: hash, Addr: at(1), From: []Source{{at(2), MaxRate + 1}}},
	} {
		if err := s.Note(time.Second, bad); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if h := s.swarms[hash].hosts[0]; h.Done != 50 || h.node != "n1" || h.labels[0] != (Label{"rack", "r1"}) {
		t.Errorf("%+v", h)
	}
	s.sound(t)
}

// TestNoteAllocates: a report that changes no name allocates nothing.
func TestNoteAllocates(t *testing.T) {
	s := newStore(t, nil)
	r := told(1, 5, 100)
	r.Labels = []RawLabel{{[]byte("rack"), []byte("r1")}}
	s.must(t, 0, r)
	if n := testing.AllocsPerRun(100, func() { s.must(t, time.Second, r) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestExpire: a silent host that lacks something goes after the TTL, and nobody sooner.
func TestExpire(t *testing.T) {
	s := newStore(t, nil)
	s.must(t, 0, told(1, 0, 1))
	s.must(t, 100*time.Second, told(2, 0, 1))
	for _, c := range []struct {
		now  time.Duration
		want int
	}{{149 * time.Second, 2}, {150 * time.Second, 1}, {249 * time.Second, 1}, {250 * time.Second, 0}} {
		s.Expire(c.now)
		if got := s.Totals().Hosts; got != c.want {
			t.Errorf("at %v: %d hosts, want %d", c.now, got, c.want)
		}
		s.sound(t)
	}
}

// TestSetConfig: new rules hold for those that are there, too.
func TestSetConfig(t *testing.T) {
	s := newStore(t, nil)
	s.must(t, 0, told(1, 0, 100))
	s.Expire(time.Second)
	cfg := s.cfg
	cfg.TTL = 10 * time.Second
	s.SetConfig(cfg)
	s.Expire(9 * time.Second)
	if s.Totals().Hosts != 1 {
		t.Error("gone before the new TTL")
	}
	s.Expire(10 * time.Second)
	if s.Totals().Hosts != 0 {
		t.Error("there after the new TTL")
	}
}

// TestBothFamilies: a process that announces over IPv4 and IPv6 is one host.
func TestBothFamilies(t *testing.T) {
	s := newStore(t, nil)
	six := netip.MustParseAddrPort("[fd00::1]:6881")
	s.must(t, 0, told(1, 0, 100))
	again := told(1, 10, 100)
	again.Addr = six
	s.must(t, time.Second, again)
	stranger := told(1, 20, 100) // the same id, but it listens elsewhere
	stranger.Addr = netip.MustParseAddrPort("[fd00::1]:6882")
	s.must(t, time.Second, stranger)
	if got := s.Totals().Hosts; got != 2 {
		t.Fatalf("%d hosts", got)
	}
	s.sound(t)
	v := s.View(time.Second, hash)
	v.Add([]Peer{{Addr: at(1), ID: [20]byte{1}}, {Addr: six, ID: [20]byte{1}}, {Addr: at(9), ID: [20]byte{9}, Seed: true}})
	v.Seal()
	if v.Len() != 3 {
		t.Errorf("%+v", v.Hosts(Query{Limit: 9}))
	}
	s.Leave(time.Second, hash, six, [20]byte{1})
	if got := s.Totals().Hosts; got != 1 {
		t.Errorf("after the goodbye: %d hosts", got)
	}
	s.sound(t)
}

// TestBounds: reports, bytes of text and reports of an address are bounded; who had a
// report keeps it; those that left give way.
func TestBounds(t *testing.T) {
	s := newStore(t, func(c *Config) { c.MaxHosts, c.MaxBytes, c.MaxPerHost = 3, 20, 2 })
	s.must(t, 0, told(1, 1, 1))
	s.must(t, 0, told(2, 1, 1))
	s.must(t, 0, told(3, 0, 1))
	if err := s.Note(0, told(4, 0, 1)); !errors.Is(err, ErrFull) {
		t.Errorf("a fourth: %v", err)
	}
	s.must(t, time.Second, told(3, 1, 1))
	s.Leave(time.Second, hash, at(1), [20]byte{1})
	s.must(t, time.Second, told(4, 0, 1))
	if got := s.Totals(); got != (Totals{Hosts: 3, Done: 2}) {
		t.Errorf("one that left did not give way: %+v", got)
	}
	s.sound(t)
	if err := s.Note(time.Second, told(5, 0, 1)); !errors.Is(err, ErrFull) {
		t.Errorf("a fourth that is there: %v", err)
	}
	long := told(4, 0, 1)
	long.Node = []byte("a name of 17 byte")
	if err := s.Note(time.Second, long); !errors.Is(err, ErrFull) || s.swarms[hash].hosts[2].node != "n4" {
		t.Errorf("too much text: %v", err)
	}
	s.sound(t)

	s = newStore(t, func(c *Config) { c.MaxPerHost = 2 })
	public := func(port uint16) *Report {
		r := told(int(port), 0, 1)
		r.Addr = netip.AddrPortFrom(netip.MustParseAddr("192.0.2.1"), port)
		return r
	}
	s.must(t, 0, public(1))
	s.must(t, 0, public(2))
	if err := s.Note(0, public(3)); !errors.Is(err, ErrFull) {
		t.Errorf("a third of one address: %v", err)
	}
	s.must(t, time.Second, public(2))
	s.sound(t)
	done := public(2)
	done.Done = 1
	s.must(t, time.Second, done)
	s.Leave(time.Second, hash, done.Addr, done.ID)
	s.must(t, time.Second, public(3))
	if got := s.Totals(); got != (Totals{Hosts: 2}) {
		t.Errorf("one of the address that left did not give way: %+v", got)
	}
	s.sound(t)
}

// TestEvery: all hosts together report no more than Rate times a second.
func TestEvery(t *testing.T) {
	s := newStore(t, nil)
	for _, c := range []struct {
		hosts int
		want  time.Duration
	}{{0, 2 * time.Second}, {2000, 2 * time.Second}, {2001, 3 * time.Second}, {10_000, 10 * time.Second}, {60_000, time.Minute}, {90_000, time.Minute}} {
		s.totals = Totals{Hosts: c.hosts + 7, Left: 7}
		if got := s.Every(); got != c.want {
			t.Errorf("%d hosts: every %v, want %v", c.hosts, got, c.want)
		}
	}
	if bad := (&Config{}); bad.Validate() == nil {
		t.Error("an empty configuration is valid")
	}
}

// TestStoreAgainstModel holds the store against a plain map over a random run.
func TestStoreAgainstModel(t *testing.T) {
	type entry struct {
		done, left bool
		seen       time.Duration
	}
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 1))
		s := newStore(t, func(c *Config) { c.KeepLeft = 300 * time.Second })
		model := map[[21]byte]entry{}
		now := time.Duration(0)
		for range 2000 {
			now += time.Duration(rng.IntN(3000)) * time.Millisecond
			n, h := rng.IntN(40), byte(rng.IntN(3))
			key := [21]byte{h, byte(n)}
			r := told(n, int64(rng.IntN(2)), 1)
			r.Hash = [20]byte{h}
			switch rng.IntN(8) {
			case 0:
				s.Leave(now, r.Hash, r.Addr, r.ID)
				if e, ok := model[key]; ok && e.done && !e.left {
					model[key] = entry{true, true, now}
				} else if ok && !e.left {
					delete(model, key)
				}
			case 1:
				s.Expire(now)
				for k, e := range model {
					e.left = e.left || e.done && now-e.seen >= 150*time.Second
					model[k] = e
					if ttl := map[bool]time.Duration{false: 150 * time.Second, true: 300 * time.Second}[e.left]; now-e.seen >= ttl {
						delete(model, k)
					}
				}
			default:
				s.must(t, now, r)
				model[key] = entry{r.complete(), false, now}
			}
		}
		s.sound(t)
		var want Totals
		for _, e := range model {
			want.Hosts++
			if e.done {
				want.Done++
			}
			if e.left {
				want.Left++
			}
		}
		if got := s.Totals(); got != want {
			t.Fatalf("seed %d: %+v, want %+v", seed, got, want)
		}
	}
	if !slices.IsSortedFunc(newStore(t, nil).Hashes(), func(a, b [20]byte) int { return slices.Compare(a[:], b[:]) }) {
		t.Error("hashes are not in order")
	}
}
