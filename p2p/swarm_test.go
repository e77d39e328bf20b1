package p2p_test

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"starling/p2p"
	"starling/p2p/p2ptest"
)

// A newcomer to a star of 20 learns min(max, 20) peers in two hops.
func TestBuildPeersStar(t *testing.T) {
	for _, limit := range []int{5, 12, 0} {
		w := p2ptest.NewNet(1)
		hub := w.Node(p2p.Config{Addr: "n00:1"}, nil)
		for i := 1; i < 20; i++ {
			addr := fmt.Sprintf("n%02d:1", i)
			spoke := w.Node(p2p.Config{Addr: addr}, nil)
			if err := hub.AddPeer(addr, addr); err != nil {
				t.Fatal(err)
			}
			if err := spoke.AddPeer("n00:1", "n00:1"); err != nil {
				t.Fatal(err)
			}
		}
		newcomer := w.Node(p2p.Config{Addr: "new:1", MaxPeers: limit}, nil)
		added := -1
		newcomer.BuildPeers("n00:1", 2, func(n int) { added = n })
		if added != -1 {
			t.Fatal("done inside BuildPeers")
		}
		w.Run(time.Minute)
		wantPeers := 20
		if limit > 0 {
			wantPeers = limit
		}
		if added != wantPeers || newcomer.NumPeers() != wantPeers {
			t.Errorf("max %d: added %d, knows %d, want %d", limit, added, newcomer.NumPeers(), wantPeers)
		}
		if _, known := hub.Peer("new:1"); !known {
			t.Error("the hub does not know the newcomer")
		}
	}
}

// The order of a walk is depth first, hops bound it, and a node that breaks off
// in the middle is forgotten.
func TestBuildPeersWalk(t *testing.T) {
	w := p2ptest.NewNet(1)
	// a knows b and e, b knows c, c knows d; e answers NAME and JOIN only.
	know := map[string][]string{"a:1": {"b:1", "e:1"}, "b:1": {"c:1", "gone:1"}, "c:1": {"d:1"}, "d:1": nil, "e:1": nil}
	for _, addr := range []string{"a:1", "b:1", "c:1", "d:1", "e:1"} {
		n := w.Node(p2p.Config{Addr: addr}, func(n *p2p.Node) {
			if addr == "e:1" {
				n.Handle(p2p.LIST, p2p.Spec{Max: 9}, func(c p2p.ConnID, _ *p2p.Message) { n.ReplyText(c, p2p.ERRO, "no") })
			}
		})
		for _, k := range know[addr] {
			if err := n.AddPeer(k, k); err != nil {
				t.Fatal(err)
			}
		}
	}
	var order []string
	w.Trace = func(r p2p.TapRecord) {
		if r.Type == p2p.JOIN {
			order = append(order, r.To)
		}
	}
	me := w.Node(p2p.Config{Addr: "me:1"}, nil)
	added := 0
	me.BuildPeers("a:1", 3, func(n int) { added = n })
	w.Run(time.Minute)
	if got := fmt.Sprint(order); got != "[a:1 b:1 c:1 e:1]" {
		t.Errorf("joined %s", got)
	}
	if got := fmt.Sprint(me.Peers()); got != "[{a:1 a:1} {b:1 b:1} {c:1 c:1}]" || added != 3 {
		t.Errorf("knows %s, added %d", got, added)
	}
	for _, hops := range []int{0, -1} {
		called := false
		me.BuildPeers("b:1", hops, func(n int) { called = n == 0 })
		w.Run(time.Second)
		if !called {
			t.Errorf("hops %d: not done", hops)
		}
	}
}

// However many JOIN at once, a table of five never holds six.
func TestJoinBound(t *testing.T) {
	w := p2ptest.NewNet(1)
	hub := w.Node(p2p.Config{Addr: "hub:1", MaxPeers: 5}, nil)
	joined, refused := 0, 0
	for i := range 40 {
		n := w.Node(p2p.Config{Addr: fmt.Sprintf("n%d:1", i)}, nil)
		n.ConnectAndSend("hub:1", p2p.Message{Type: p2p.JOIN, Head: fmt.Appendf(nil, "n%d:1 n%d 1", i, i)}, true,
			func(rs []p2p.Message, err error) {
				switch {
				case err != nil || len(rs) != 1:
					t.Errorf("JOIN: %v, %v", rs, err)
				case rs[0].Type == p2p.REPL:
					joined++
				default:
					refused++
				}
				if hub.NumPeers() > 5 {
					t.Errorf("%d peers", hub.NumPeers())
				}
			})
	}
	w.Run(time.Second)
	if joined != 5 || refused != 35 || hub.NumPeers() != 5 || !hub.Full() {
		t.Errorf("joined %d, refused %d, known %d", joined, refused, hub.NumPeers())
	}
}

// A killed node is gone from all tables within two periods of the stabilizer,
// and the living stay.
func TestCheckLivePeers(t *testing.T) {
	const period = 3 * time.Second
	w := p2ptest.NewNet(1)
	var nodes []*p2p.Node
	for i := range 80 { // more than one check asks at a time
		nodes = append(nodes, w.Node(p2p.Config{Addr: fmt.Sprintf("n%02d:1", i)}, nil))
	}
	checking := nodes[:5]
	for _, a := range checking {
		a.Stabilize(period, a.CheckLivePeers)
		for _, b := range nodes {
			if a != b {
				if err := a.AddPeer(b.ID(), b.Addr()); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	w.Run(2*period + period/2)
	w.Kill("n42:1")
	w.Run(2 * period)
	for _, n := range checking {
		if _, known := n.Peer("n42:1"); known || n.NumPeers() != 78 {
			t.Errorf("%s knows %d peers, the dead one: %v", n.ID(), n.NumPeers(), known)
		}
	}
}

// A persistent connection carries requests both ways.
func TestRequestBetweenNodes(t *testing.T) {
	w := p2ptest.NewNet(1)
	a := w.Node(p2p.Config{Addr: "a:1"}, nil)
	b := w.Node(p2p.Config{Addr: "b:1"}, nil)
	if err := b.AddPeer("c:1", "c:1"); err != nil {
		t.Fatal(err)
	}
	var got []string
	note := func(rs []p2p.Message, err error) {
		for _, r := range rs {
			got = append(got, string(r.Head))
		}
		if err != nil {
			got = append(got, p2p.ReasonOf(err).String())
		}
	}
	a.SetHooks(p2p.Hooks{Opened: func(c p2p.ConnInfo) {
		a.Request(c.ID, p2p.Message{Type: p2p.LIST}, note)
		a.Request(c.ID, p2p.Message{Type: p2p.PING}, note)
	}})
	b.SetHooks(p2p.Hooks{Opened: func(c p2p.ConnInfo) {
		b.Request(c.ID, p2p.Message{Type: p2p.NAME}, note)
	}})
	a.Dial("b:1")
	w.Run(time.Second)
	if !reflect.DeepEqual(got, []string{"1", "c:1 c 1", "a:1"}) && !reflect.DeepEqual(got, []string{"a:1", "1", "c:1 c 1"}) {
		t.Errorf("got %q", got)
	}
}

// One seed, one transcript.
func TestNetIsDeterministic(t *testing.T) {
	run := func() (trace []p2p.TapRecord) {
		w := p2ptest.NewNet(7)
		w.Trace = func(r p2p.TapRecord) { trace = append(trace, r) }
		for i := range 15 {
			n := w.Node(p2p.Config{Addr: fmt.Sprintf("n%d:1", i), MaxPeers: 4}, nil)
			n.Stabilize(time.Second, n.CheckLivePeers)
			if i > 0 {
				n.BuildPeers(fmt.Sprintf("n%d:1", n.Host().Rand().IntN(i)), 3, nil)
			}
		}
		w.Run(3 * time.Second)
		return trace
	}
	a, b := run(), run()
	if len(a) < 100 || !reflect.DeepEqual(a, b) {
		t.Errorf("%d and %d messages, equal: %v", len(a), len(b), reflect.DeepEqual(a, b))
	}
}
