package tcp

import (
	"errors"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"starling/p2p"
	"starling/p2p/mse"
)

var (
	errNotFirst = errors.New("a message with a body comes first")
	errLegacy   = errors.New("no legacy wire here")
	errHidden   = errors.New("neither a frame nor BEP 3, and nothing encrypted is taken here")
	errNotBEP3  = errors.New("an encrypted connection that is none of BEP 3")
)

// admit takes a new connection in, if its address has room.
func (a *Acceptor) admit(c net.Conn) {
	ip := countedIP(c.RemoteAddr())
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed || ip.IsValid() && a.perIP[ip] >= a.cfg.MaxPerIP {
		c.Close()
		return
	}
	if ip.IsValid() {
		a.perIP[ip]++
	}
	if len(a.pending) >= a.cfg.MaxPending {
		a.closeOldest(1)
	}
	a.pending = append(a.pending, c)
	release := sync.OnceFunc(func() { a.leave(ip) })
	a.tasks.Go(func() { a.handshake(c, release) })
}

// dropSilent closes the older half of the connections whose first message has not
// come, and returns how many.
func (a *Acceptor) dropSilent() (n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	n = (len(a.pending) + 1) / 2
	a.closeOldest(n)
	return n
}

// closeOldest closes the n that have been silent for longest, with the lock held.
// Their goroutines see it and tidy up.
func (a *Acceptor) closeOldest(n int) {
	for _, c := range a.pending[:n] {
		c.Close()
	}
	a.pending = slices.Delete(a.pending, 0, n)
}

// leave uncounts a connection.
func (a *Acceptor) leave(ip netip.Addr) {
	if !ip.IsValid() {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.perIP[ip]--; a.perIP[ip] == 0 {
		delete(a.perIP, ip)
	}
}

// countedIP returns the address that MaxPerIP counts, invalid where it does not.
func countedIP(addr net.Addr) netip.Addr {
	ap, err := netip.ParseAddrPort(addr.String())
	if err != nil {
		return netip.Addr{}
	}
	ip := ap.Addr().Unmap().WithZone("")
	if ip.IsLoopback() || ip.IsPrivate() || ip.IsLinkLocalUnicast() {
		return netip.Addr{}
	}
	if ip.Is6() {
		// One subscriber has a whole /64.
		if p, err := ip.Prefix(64); err == nil {
			return p.Addr()
		}
	}
	return ip
}

// handshake reads the first message of c and routes it.
func (a *Acceptor) handshake(c net.Conn, release func()) {
	f, err := a.readFirst(c)
	a.mu.Lock()
	if i := slices.Index(a.pending, c); i >= 0 {
		a.pending = slices.Delete(a.pending, i, i+1)
	}
	a.mu.Unlock()
	f.release = release
	if err != nil {
		a.cfg.Logger.Debug("connection refused", "addr", c.RemoteAddr(), "reason", err)
		f.drop()
		c.Close()
		return
	}
	f.Type, f.Head = f.frame.Type, f.frame.Head()
	h := a.cfg.Route(f)
	f.Head = nil
	if h == nil {
		a.cfg.Logger.Debug("connection refused", "addr", c.RemoteAddr(), "reason", "not routed")
		f.drop()
		c.Close()
		return
	}
	// A host that has stopped closes it; there is nothing to add.
	_ = h.Adopt(f.conn, f)
}

// readFirst returns a FirstMessage in any case; it owns memory to give back.
func (a *Acceptor) readFirst(c net.Conn) (*FirstMessage, error) {
	f := &FirstMessage{Addr: c.RemoteAddr(), conn: c, in: NewReader(c), codec: Native{}}
	f.frame.pool = a.cfg.Buffers
	if err := c.SetDeadline(time.Now().Add(a.cfg.Timeout)); err != nil {
		return f, err
	}
	kind, err := mse.Native, error(nil)
	if a.cfg.Legacy != nil || a.cfg.FindKey != nil { // else there is nothing to tell apart
		kind, err = f.sniff()
	}
	if err == nil && kind == mse.Hidden {
		if kind, err = f.reveal(a.cfg.FindKey, a.cfg.Cipher); err == nil && kind != mse.BEP3 {
			err = errNotBEP3
		}
	}
	if err != nil {
		return f, err
	}
	if kind == mse.BEP3 {
		if a.cfg.Legacy == nil {
			return f, errLegacy
		}
		f.codec = a.cfg.Legacy()
	}
	for f.frame.Type == 0 {
		if err := f.codec.ReadHead(f.in, &f.frame, a.cfg.Limits); err != nil {
			return f, err
		}
	}
	if f.frame.BodyLen > 0 {
		return f, &p2p.ProtocolError{Reason: p2p.ReasonHandshake, Err: errNotFirst}
	}
	return f, c.SetDeadline(time.Time{})
}

// sniff finds out what the other end speaks.
func (f *FirstMessage) sniff() (mse.Kind, error) {
	for n := 1; ; n++ {
		b, err := f.in.Peek(n)
		if err != nil {
			return mse.Unknown, err
		}
		if kind := mse.Sniff(b); kind != mse.Unknown {
			return kind, nil
		}
	}
}

// reveal makes the encrypted handshake, and says what is behind it.
func (f *FirstMessage) reveal(find func([20]byte) ([20]byte, bool), policy mse.Policy) (mse.Kind, error) {
	if find == nil {
		return mse.Unknown, errHidden
	}
	c, err := mse.Server(f.conn, find, mse.ServerOptions{Policy: policy, Early: f.in.buffered()})
	if err != nil {
		return mse.Unknown, err
	}
	key := c.SKEY()
	f.Key, f.conn = &key, c
	if raw, early, ok := c.Raw(); ok && len(early) <= readBuffer {
		f.conn, f.in = raw, NewReader(raw)
		f.in.preload(early)
	} else {
		f.in = NewReader(c)
	}
	return f.sniff()
}
