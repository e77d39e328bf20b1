package monitor_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"starling/p2p"
	"starling/p2p/monitor"
	"starling/p2p/p2ptest"
	"starling/p2p/tcp"
	"starling/sim"
)

// fleet is a hub that knows some nodes, and a newcomer that gets to know them
// all, talks to each and leaves.
type fleet struct {
	names []string
	addrs map[string]string // by name
	extra bool              // the newcomer says one thing more
	done  func()
	wrong func(what string, err error)
}

var bulk = p2p.T("BULK")

func newFleet() *fleet {
	return &fleet{names: []string{"hub", "n1", "n2", "n3", "n4", "new"}, addrs: map[string]string{}}
}

// setup gives a node its handlers and what it knows.
func (f *fleet) setup(n *p2p.Node) {
	n.Handle(bulk, p2p.Spec{Max: 100, Head: 8}, func(c p2p.ConnID, m *p2p.Message) {
		m.Body.Release()
		n.ReplyText(c, p2p.REPL, "bulk")
	})
	if n.ID() == "hub" {
		for _, name := range f.names[1:4] {
			if err := n.AddPeer(name, f.addrs[name]); err != nil {
				f.wrong("AddPeer", err)
			}
		}
	}
	if n.ID() == "n1" {
		if err := n.AddPeer("n4", f.addrs["n4"]); err != nil {
			f.wrong("AddPeer", err)
		}
	}
	if n.ID() == "new" {
		n.SetHooks(p2p.Hooks{Opened: func(c p2p.ConnInfo) {
			if c.Dialed {
				f.talk(n, c.ID)
			}
		}})
		n.Handle(p2p.REPL, p2p.Spec{Max: 100}, func(c p2p.ConnID, _ *p2p.Message) {
			n.Close(c, nil)
			f.leave(n)
		})
	}
}

// begin has the newcomer join, and then open a connection to the hub.
func (f *fleet) begin(n *p2p.Node) {
	n.BuildPeers(f.addrs["hub"], 3, func(added int) {
		if added != 5 {
			f.wrong("BuildPeers", fmt.Errorf("%d peers", added))
		}
		n.Dial(f.addrs["hub"])
	})
}

// talk asks several things at once on a connection, and then says something long.
// The answer to that has the newcomer leave.
func (f *fleet) talk(n *p2p.Node, c p2p.ConnID) {
	n.Identify(c, "hub")
	questions := []p2p.Type{p2p.NAME, p2p.LIST, p2p.T("XYZZ"), p2p.PING}
	if f.extra {
		questions = append(questions, p2p.NAME)
	}
	left := len(questions)
	for _, q := range questions {
		n.Request(c, p2p.Message{Type: q}, func(_ []p2p.Message, err error) {
			if err != nil {
				f.wrong(q.String(), err)
			}
			if left--; left > 0 {
				return
			}
			body := p2ptest.NewBody([]byte("bytes that a simulation need not have"))
			if err := n.Send(c, p2p.Message{Type: bulk, Head: []byte("12345678"), Body: body}); err != nil {
				f.wrong("BULK", err)
			}
		})
	}
}

// leave says goodbye to all, at once.
func (f *fleet) leave(n *p2p.Node) {
	peers := n.Peers()
	left := len(peers)
	for _, p := range peers {
		n.SendToPeer(p.ID, p2p.Message{Type: p2p.QUIT, Head: []byte("new")}, true, func(replies []p2p.Message, err error) {
			if err != nil || len(replies) != 1 || replies[0].Type != p2p.REPL {
				f.wrong("QUIT", err)
			}
			if left--; left == 0 {
				f.done()
			}
		})
	}
}

// name is what a name in a log stands for: the ports from which somebody dials
// differ from network to network.
func (f *fleet) name(name string) string {
	for id, addr := range f.addrs {
		if name == addr {
			return id
		}
	}
	if strings.Contains(name, ":") {
		return ""
	}
	return name
}

// onTCP runs the fleet with sockets, each node at a loopback address of its own,
// and returns its message log.
func onTCP(t *testing.T, f *fleet) string {
	var mu sync.Mutex
	var log bytes.Buffer
	lines := p2p.NewTapLog(&log)
	tap := func(r p2p.TapRecord) {
		mu.Lock()
		defer mu.Unlock()
		lines.Record(r)
	}
	f.wrong = func(what string, err error) { t.Errorf("on TCP: %s: %v", what, err) }
	done := make(chan struct{})
	f.done = func() { close(done) }
	listeners := map[string]net.Listener{}
	for i, name := range f.names {
		listeners[name] = listenAbove(t, fmt.Sprintf("127.0.7.%d:0", i+1), 34000)
		f.addrs[name] = listeners[name].Addr().String()
	}
	var newcomer *p2p.Node
	var driver *tcp.Host
	for _, name := range f.names {
		h := tcp.NewHost(tcp.Config{Linger: 100 * time.Millisecond})
		n := p2p.NewNode(h, p2p.Config{ID: name, Addr: f.addrs[name], Tap: tap})
		f.setup(n)
		limits := n.Limits()
		h.Start(n, limits)
		// The acceptor reads no bodies: a host knows its protocol's limits.
		first := &p2p.Limits{Unknown: 64<<10 + 9}
		a := tcp.NewAcceptor(listeners[name], tcp.AcceptorConfig{
			Limits: first, MaxPerIP: 100, Route: func(*tcp.FirstMessage) *tcp.Host { return h },
		})
		go a.Serve()
		t.Cleanup(func() {
			a.Close()
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			defer cancel()
			if err := h.Stop(ctx); err != nil {
				t.Error(err)
			}
		})
		newcomer, driver = n, h
	}
	if err := driver.Do(func() { f.begin(newcomer) }); err != nil {
		t.Fatal(err)
	}
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		t.Fatal("on TCP: not done")
	}
	mu.Lock()
	defer mu.Unlock()
	return log.String()
}

// listenAbove finds a free port that no simulated host dials from.
func listenAbove(t *testing.T, addr string, port int) net.Listener {
	for range 1000 {
		ln, err := net.Listen("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		if ln.Addr().(*net.TCPAddr).Port > port {
			return ln
		}
		ln.Close()
	}
	t.Fatalf("no free port above %d", port)
	return nil
}

// onNet runs the fleet on the small network of tests.
func onNet(t *testing.T, f *fleet) string {
	w := p2ptest.NewNet(1)
	return simulated(t, f, func(cfg p2p.Config) *p2p.Node { return w.Node(cfg, f.setup) }, func() { w.Run(time.Minute) })
}

// onSim runs it on the simulator's, with latency, rates and loss.
func onSim(t *testing.T, f *fleet) string {
	w := sim.New(sim.Config{Seed: 7, Latency: 20 * time.Millisecond})
	return simulated(t, f, func(cfg p2p.Config) *p2p.Node {
		h := w.Host(sim.HostConfig{Addr: cfg.Addr, Up: 50e3, Down: 100e3, Loss: 0.1})
		n := p2p.NewNode(h, cfg)
		f.setup(n)
		h.Start(n, n.Limits())
		return n
	}, func() { w.Run(w.Now() + time.Minute) })
}

func simulated(t *testing.T, f *fleet, node func(p2p.Config) *p2p.Node, run func()) string {
	var log bytes.Buffer
	lines := p2p.NewTapLog(&log)
	done := false
	f.done = func() { done = true }
	f.wrong = func(what string, err error) { t.Errorf("simulated: %s: %v", what, err) }
	var newcomer *p2p.Node
	for _, name := range f.names {
		newcomer = node(p2p.Config{ID: name, Addr: f.addrs[name], Tap: lines.Record})
	}
	f.begin(newcomer)
	run()
	if !done {
		t.Fatal("simulated: not done")
	}
	return log.String()
}

// TestSameTranscript: the same nodes say the same to one another on sockets as on
// either simulated network, message by message and to the bit. Where they do not,
// Compare sees it.
func TestSameTranscript(t *testing.T) {
	f := newFleet()
	real := onTCP(t, f)
	if n := strings.Count(real, "\n"); n < 100 {
		t.Errorf("only %d messages", n)
	}
	opt := monitor.Options{Name: f.name}
	for name, run := range map[string]func(*testing.T, *fleet) string{"net": onNet, "sim": onSim} {
		d, err := monitor.Compare(strings.NewReader(real), strings.NewReader(run(t, f)), opt)
		if err != nil {
			t.Fatal(err)
		}
		for _, diff := range d.Differences {
			t.Errorf("%s: %v", name, diff)
		}
		if d.A.Records != d.B.Records || d.Pairs < 15 {
			t.Errorf("%s: %d and %d records, %d pairs", name, d.A.Records, d.B.Records, d.Pairs)
		}
	}
	f.extra = true
	d, err := monitor.Compare(strings.NewReader(real), strings.NewReader(onNet(t, f)), opt)
	if err != nil {
		t.Fatal(err)
	}
	if d.Different != 4 { // question and answer, each as sent and as received
		t.Errorf("one message more makes %d differences: %v", d.Different, d.Differences)
	}
}
