package tracker

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"syscall"
	"time"
)

// udpTalk is one exchange under way.
type udpTalk struct {
	udp   *udp
	host  string
	ask   udpAsk
	tids  [2]uint32 // of the connect request and of the other
	began time.Time
	x     udpExchange
	paths []udpPath // to the tracker, in the order to try; the first is in use
	buf   [maxUDPReply + 1]byte
}

// udpPath is an address of the tracker, and the socket to it once there is one. The
// system keeps from a connected socket what comes from others.
type udpPath struct {
	at   netip.AddrPort
	conn net.Conn
}

func (e *udpTalk) close() {
	for _, p := range e.paths {
		if p.conn != nil {
			p.conn.Close()
		}
	}
}

// resolve finds the tracker's addresses, one of each family, that of a known
// connection id first.
func (e *udpTalk) resolve(ctx context.Context, target *url.URL) error {
	port, err := net.LookupPort("udp", target.Port())
	if target.Port() == "" || err != nil || port == 0 {
		return errors.New("URL without a port, which a UDP tracker needs")
	}
	ips, err := e.udp.lookup(ctx, e.udp.family, target.Hostname())
	if err != nil {
		return err
	}
	has := map[bool]bool{}
	for _, ip := range ips {
		ip = ip.Unmap()
		if has[ip.Is4()] || e.udp.from.IsValid() && e.udp.from.Unmap().Is4() != ip.Is4() {
			continue
		}
		has[ip.Is4()] = true
		e.paths = append(e.paths, udpPath{at: netip.AddrPortFrom(ip, uint16(port))})
	}
	if len(e.paths) == 0 {
		return errNoFamily
	}
	known, _ := e.udp.link(e.host)
	if len(e.paths) > 1 && e.paths[1].at == known.at {
		e.turn()
	}
	if e.paths[0].at == known.at {
		e.x.id, e.x.hasID, e.x.old, e.x.expires = known.id, true, true, known.expires.Sub(e.began)
	}
	return nil
}

// turn goes on to the next address, to which the connection id means nothing.
func (e *udpTalk) turn() {
	if len(e.paths) > 1 {
		e.paths = append(e.paths[1:], e.paths[0])
		e.x.forget()
	}
}

// distrust drops an id of an earlier exchange for good. A tracker that has
// restarted since does not know it.
func (e *udpTalk) distrust() {
	e.x.forget()
	e.udp.keep(e.host, udpLink{})
}

// run sends and waits, to the answer or the end.
func (e *udpTalk) run(ctx context.Context) ([]byte, error) {
	for {
		connect, wait := e.x.next(time.Since(e.began))
		rest, err := e.try(ctx, connect, wait)
		var refused *RefusedError
		switch {
		case err == nil && rest != nil:
			return rest, nil
		case err == nil: // connected
		case errors.As(err, &refused):
			if !e.x.old {
				return nil, err
			}
			e.distrust() // what it did not like may have been our old id
		case errors.Is(err, errSilent):
			if e.x.old {
				e.distrust()
			}
			if ctx.Err() != nil || !e.x.silence() {
				return nil, errSilent
			}
			e.turn()
		case len(e.paths) > 1: // nobody there, or no way there
			if c := e.paths[0].conn; c != nil {
				c.Close()
			}
			e.paths = e.paths[1:]
			e.x.forget()
		default:
			return nil, err
		}
	}
}

// try sends one packet and waits for its answer. No rest and no error is a new
// connection id.
func (e *udpTalk) try(ctx context.Context, connect bool, wait time.Duration) (rest []byte, err error) {
	p := &e.paths[0]
	if p.conn == nil {
		if p.conn, err = e.udp.dialer.DialContext(ctx, "udp", p.at.String()); err != nil {
			return nil, plainError(err)
		}
	}
	_ = p.conn.SetReadDeadline(time.Now().Add(wait))
	stop := context.AfterFunc(ctx, func() { _ = p.conn.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	packet := appendUDPRequest(nil, udpMagic, udpConnect, e.tids[0])
	if !connect {
		packet = e.ask.packet(e.x.id, e.tids[1])
	}
	if _, err := p.conn.Write(packet); err != nil {
		return nil, plainError(err)
	}
	return e.listen(ctx, p)
}

// maxJunk bounds the packets of one wait that answer nothing.
const maxJunk = 64

// listen waits for the answer to what was sent. One to an earlier packet will do.
func (e *udpTalk) listen(ctx context.Context, p *udpPath) (rest []byte, err error) {
	for range maxJunk {
		n, err := p.conn.Read(e.buf[:])
		switch {
		case err == nil:
		case ctx.Err() != nil, isTimeout(err):
			return nil, errSilent
		default:
			return nil, plainError(err)
		}
		r, ok := parseUDPReply(e.buf[:n])
		switch {
		case !ok || n > maxUDPReply:
		case r.tid == e.tids[0] && r.action == udpConnect && len(r.rest) >= udpConnectReplyLen-udpReplyHeadLen:
			if e.x.hasID {
				continue // to a connect request that was sent twice
			}
			now := time.Now()
			e.x.connected(r.connectionID(), now.Sub(e.began))
			e.udp.keep(e.host, udpLink{at: p.at, id: e.x.id, expires: now.Add(udpIDLife)})
			return nil, nil
		case r.tid == e.tids[1] && r.action == e.ask.action && r.action == udpAnnounce &&
			len(r.rest) < udpAnnounceReplyLen-udpReplyHeadLen:
		case r.tid == e.tids[1] && r.action == e.ask.action:
			return r.rest, nil
		case r.action == udpError && (r.tid == e.tids[0] || r.tid == e.tids[1]):
			return nil, r.refusal()
		}
	}
	return nil, fmt.Errorf("%d packets that answer nothing", maxJunk)
}

func isTimeout(err error) bool {
	var t net.Error
	return errors.As(err, &t) && t.Timeout()
}

// plainError is a network error without the addresses, which the caller names.
func plainError(err error) error {
	var no syscall.Errno
	if errors.As(err, &no) {
		return no
	}
	return err
}
