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
