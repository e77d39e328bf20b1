package lsd

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"starling/metainfo"
)

// lan is a local network in memory: what one socket sends to a group, every
// socket in it hears, the sender's own included.
type lan struct {
	mu    sync.Mutex
	conns []*lanConn
	log   []logged
	fail  error // what open says, if anything
}

// logged is a packet that was sent.
type logged struct {
	from  netip.Addr
	group netip.AddrPort
	bytes []byte
	at    time.Time
}

// lanConn is a socket in a lan.
type lanConn struct {
	lan    *lan
	self   netip.Addr
	group  netip.AddrPort
	in     chan logged
	closed chan error
	once   sync.Once
}

func (n *lan) open(l *link) (conn, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.fail != nil {
		return nil, n.fail
	}
	c := &lanConn{lan: n, self: l.prefixes[0].Addr(), group: l.group, in: make(chan logged, 100), closed: make(chan error, 2)}
	n.conns = append(n.conns, c)
	return c, nil
}

func (c *lanConn) ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error) {
	select {
	case p := <-c.in:
		return copy(b, p.bytes), netip.AddrPortFrom(p.from, Port), nil
	case err := <-c.closed:
		return 0, netip.AddrPort{}, err
	}
}

func (c *lanConn) WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error) {
	c.lan.send(c.self, to, b)
	return len(b), nil
}

func (c *lanConn) Close() error {
	c.once.Do(func() {
		c.lan.mu.Lock()
		defer c.lan.mu.Unlock()
		c.lan.conns = slices.DeleteFunc(c.lan.conns, func(o *lanConn) bool { return o == c })
		c.closed <- net.ErrClosed
	})
	return nil
}

func (n *lan) send(from netip.Addr, group netip.AddrPort, b []byte) {
	n.mu.Lock()
	defer n.mu.Unlock()
	p := logged{from, group, bytes.Clone(b), time.Now()}
	n.log = append(n.log, p)
	for _, c := range n.conns {
		if c.group == group {
			select {
			case c.in <- p:
			default: // a full socket buffer
			}
		}
	}
}

// packets returns what was sent since the last call.
func (n *lan) packets() []logged {
	n.mu.Lock()
	defer n.mu.Unlock()
	out := n.log
	n.log = nil
	return out
}

// members says how many sockets there are.
func (n *lan) members() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.conns)
}

// breakAll has all sockets fail.
func (n *lan) breakAll() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, c := range n.conns {
		c.closed <- errors.New("the network is down")
	}
}

// heard is a call of Found.
type heard struct {
	hash metainfo.Hash
	addr netip.AddrPort
}

// node is an Announcer in a lan, and what it found.
type node struct {
	*Announcer
	mu    sync.Mutex
	ifis  []Interface
	found []heard
}

// join starts an Announcer with one interface of these addresses.
func (n *lan) join(t *testing.T, ctx context.Context, port uint16, prefixes ...string) *node {
	t.Helper()
	v := &node{ifis: []Interface{ifiOf("eth0", prefixes...)}}
	a, err := New(Config{
		Port: port, open: n.open,
		Found: func(h metainfo.Hash, addr netip.AddrPort) {
			v.mu.Lock()
			defer v.mu.Unlock()
			v.found = append(v.found, heard{h, addr})
		},
		Interfaces: func() ([]Interface, error) {
			v.mu.Lock()
			defer v.mu.Unlock()
			if v.ifis == nil {
				return nil, errors.New("no interfaces today")
			}
			return slices.Clone(v.ifis), nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	v.Announcer = a
	go a.Run(ctx)
	return v
}

func ifiOf(name string, prefixes ...string) Interface {
	i := Interface{Name: name, Index: 1}
	for _, p := range prefixes {
		i.Prefixes = append(i.Prefixes, netip.MustParsePrefix(p))
	}
	return i
}

func (v *node) set(ifis ...Interface) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.ifis = ifis
}

// finds returns what was found since the last call.
func (v *node) finds() []heard {
	v.mu.Lock()
	defer v.mu.Unlock()
	out := v.found
	v.found = nil
	return out
}

func (v *node) add(t *testing.T, hashes ...metainfo.Hash) {
	t.Helper()
	for _, h := range hashes {
		if err := v.Add(h); err != nil {
			t.Fatal(err)
		}
	}
}
