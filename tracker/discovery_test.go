package tracker

import (
	"bytes"
	"net/http"
	"net/netip"
	"slices"
	"testing"
	"time"

	"starling/tracker/swarm"
)

func labelled(value string) *query {
	q := &query{metricsPort: 9464, node: []byte("n")}
	q.Addr = netip.MustParseAddrPort("10.0.0.7:6881")
	q.addLabel([]byte("x_label_rack"), []byte(value))
	return q
}

// TestDiscoveryLabelsChange: a peer that says something else is listed with that, and
// a list that is being written keeps what it began with.
func TestDiscoveryLabelsChange(t *testing.T) {
	d := newDiscovery(time.Hour)
	d.note(0, labelled("r1"))
	before := d.snapshot()
	d.note(0, labelled("r2"))
	if got := before[0].labels; !slices.Equal(got, []string{"rack", "r1"}) {
		t.Errorf("a snapshot of before has %q", got)
	}
	list := d.list()
	if len(list) != 1 || list[0].Targets[0] != "10.0.0.7:9464" || list[0].Labels["__meta_starling_label_rack"] != "r2" {
		t.Errorf("the list has %v", list)
	}
	again := labelled("r2")
	if n := testing.AllocsPerRun(100, func() { d.note(0, again) }); n != 0 {
		t.Errorf("%v allocations for a peer that says the same again", n)
	}
}

// TestDiscoveryBothFamilies: a process that announces over IPv4 and IPv6 is scraped once,
// and two processes are two.
func TestDiscoveryBothFamilies(t *testing.T) {
	d := newDiscovery(time.Hour)
	for id, addrs := range [][]string{{"[fd00::7]:1", "10.0.0.7:1"}, {"[fd00::8]:1"}} {
		for _, addr := range addrs {
			q := labelled("r1")
			q.Addr, q.PeerID = netip.MustParseAddrPort(addr), [20]byte{byte(id)}
			d.note(0, q)
		}
	}
	var got []string
	for _, g := range d.list() {
		got = append(got, g.Targets...)
	}
	if want := []string{"10.0.0.7:9464", "[fd00::8]:9464"}; !slices.Equal(got, want) {
		t.Errorf("targets %v, want %v", got, want)
	}
	q := labelled("r1")
	q.Addr, q.Event = netip.MustParseAddrPort("10.0.0.7:1"), swarm.Stopped
	d.note(0, q)
	if got := d.list(); len(got) != 2 || got[0].Targets[0] != "[fd00::7]:9464" {
		t.Errorf("without IPv4: %v", got)
	}
}

// TestDiscoveryManyTorrents: a process is a target for as long as it announces one of its
// torrents, and a seeder if it has all of each.
func TestDiscoveryManyTorrents(t *testing.T) {
	const ttl = time.Minute
	d, id := newDiscovery(ttl), byte(1)
	tell := func(now time.Duration, hash int, event swarm.Event, left int64) {
		q := labelled("r1")
		q.InfoHash, q.PeerID, q.Event, q.Left = swarm.InfoHash{1, byte(hash), byte(hash >> 8)}, [20]byte{id}, event, left
		d.note(now, q)
	}
	role := func(when, want string) {
		t.Helper()
		got := ""
		for _, g := range d.list() {
			got += g.Labels["__meta_starling_role"]
		}
		if got != want {
			t.Errorf("%s: %q, want %q", when, got, want)
		}
	}
	tell(0, 1, swarm.Started, 0)
	tell(0, 2, swarm.Started, 5)
	role("one of two is whole", "leecher")
	tell(1, 2, swarm.Stopped, 5)
	role("the other is stopped", "seeder")
	tell(1, 3, swarm.Stopped, 5)
	role("one is stopped that it never had", "seeder")
	id = 2
	tell(2, 1, swarm.Started, 5)
	id = 1
	tell(3, 1, swarm.Stopped, 0)
	role("the process before it says goodbye", "leecher")
	id = 2
	tell(4, 1, swarm.Stopped, 5)
	role("the last one is stopped", "")
	if len(d.targets) != 0 || len(d.hosts) != 0 {
		t.Errorf("kept: %d targets, %d hosts", len(d.targets), len(d.hosts))
	}

	tell(0, 1, swarm.Started, 0)
	tell(ttl/2, 2, swarm.Started, 0)
	d.expire(ttl)
	tell(ttl, 2, swarm.Stopped, 0)
	role("the other one had been silent for too long", "")

	for hash := range maxListings + 40 {
		tell(0, hash, swarm.Started, 0)
	}
	if n := len(d.targets[netip.MustParseAddrPort("10.0.0.7:9464")].torrents); n != maxListings {
		t.Errorf("%d torrents of one target, bound %d", n, maxListings)
	}
	for hash := range maxListings + 40 {
		tell(1, hash, swarm.Stopped, 0)
		role("of more than it is known for some may be left", "seeder")
	}
	tell(2, maxListings+39, swarm.None, 0)
	d.expire(ttl)
	role("one is announced again", "seeder")
	tell(ttl, maxListings+39, swarm.Stopped, 0)
	role("and stopped", "")
}

// TestDiscoveryNotForStrangers: a tracker that shows no hosts does not list them here
// either, but for whoever runs it.
func TestDiscoveryNotForStrangers(t *testing.T) {
	for _, view := range []bool{true, false} {
		cfg := DefaultConfig()
		cfg.View = view
		s := start(t, cfg, nil)
		get(t, s.addr, announcePath(hash1, 1, "&left=0&x_metrics_port=9464&x_node=secret"))
		want := http.StatusOK
		if !view {
			want = http.StatusNotFound
		}
		status, b := get(t, s.addr, discoveryPath)
		if status != want || bytes.Contains(b, []byte("secret")) != view {
			t.Errorf("view %v: the public listener says %d %q", view, status, b)
		}
		if status, b = get(t, s.admin, discoveryPath); status != http.StatusOK || !bytes.Contains(b, []byte("secret")) {
			t.Errorf("view %v: the admin listener says %d %q", view, status, b)
		}
	}
}

// BenchmarkDiscovery is what one reading of service discovery costs a tracker of
// 10,000 peers, and for how long of it announces wait.
func BenchmarkDiscovery(b *testing.B) {
	d := newDiscovery(time.Hour)
	for i := range 10_000 {
		q := labelled("r1")
		q.Addr = netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), 6881)
		d.note(0, q)
	}
	b.Run("list", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			d.list()
		}
	})
	b.Run("locked", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			d.snapshot()
		}
	})
}
