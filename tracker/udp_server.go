package tracker

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"runtime"
	"sync"
	"time"

	"starling/tracker/swarm"
)

// udpDrain is how long a tracker that stops answers the packets that have arrived
// already.
const udpDrain = 100 * time.Millisecond

// maxUDPWorkers bounds the goroutines that read one UDP socket; there is one a
// processor.
const maxUDPWorkers = 16

// udpReadBuffer is the room asked of the system for packets that wait: a fleet
// that starts together announces together.
const udpReadBuffer = 4 << 20

var errBigUDPScrape = fmt.Errorf("scrape names more than %d infohashes", maxUDPScrape)

// ListenUDP opens a socket for a UDP tracker on addr, "host:port". Without a host it
// takes both address families.
func ListenUDP(ctx context.Context, addr string) (*net.UDPConn, error) {
	var lc net.ListenConfig
	pc, err := lc.ListenPacket(ctx, "udp", addr)
	if err != nil {
		return nil, err
	}
	return pc.(*net.UDPConn), nil
}

// AddUDP has Serve, which must not have begun, answer on a UDP socket too (BEP 15)
// and close it at the end.
func (s *Server) AddUDP(c *net.UDPConn) { s.udp = append(s.udp, c) }

// serveUDP answers on a socket until ctx ends or the socket fails.
func (s *Server) serveUDP(ctx context.Context, c *net.UDPConn) error {
	defer c.Close()
	_ = c.SetReadBuffer(udpReadBuffer)
	anyAddr := c.LocalAddr().(*net.UDPAddr).IP.IsUnspecified()
	if anyAddr {
		askDestination(c)
	}
	unwatch := context.AfterFunc(ctx, func() {
		_ = c.SetReadDeadline(time.Now().Add(min(udpDrain, s.cfg.Drain)))
	})
	defer unwatch()
	var workers sync.WaitGroup
	errs := make(chan error, maxUDPWorkers)
	for range min(runtime.GOMAXPROCS(0), maxUDPWorkers) {
		workers.Go(func() {
			if err := newUDPWorker(s).run(ctx, c, anyAddr); err != nil {
				errs <- err
			}
		})
	}
	workers.Wait()
	select {
	case err := <-errs:
		return err
	default:
		return nil
	}
}

// udpWorker answers one packet at a time, with nothing allocated for it.
type udpWorker struct {
	srv     *Server
	sc      scratch
	cookies *cookies
	in      [maxUDPRequest + 1]byte // one more, to see what is too long
	oob     [64]byte
	url     [maxUDPRequest]byte
}

func newUDPWorker(s *Server) *udpWorker {
	return &udpWorker{srv: s, cookies: newCookies(&s.secret)}
}

// run reads and answers until ctx has ended and what had arrived is answered.
// anyAddr says that the socket has all addresses of the host, so that a reply must
// be told which one it comes from.
func (w *udpWorker) run(ctx context.Context, c *net.UDPConn, anyAddr bool) error {
	oob, wait := w.oob[:0], acceptWait
	if anyAddr {
		oob = w.oob[:]
	}
	for {
		n, oobn, _, from, err := c.ReadMsgUDPAddrPort(w.in[:], oob)
		switch {
		case err == nil:
			wait = acceptWait
		case errors.Is(err, os.ErrDeadlineExceeded):
			return nil
		case errors.Is(err, net.ErrClosed):
			return err
		default:
			w.srv.log.Warn("UDP read failed", "err", err, "wait", wait)
			if wait = pause(ctx, wait); wait == 0 {
				return nil
			}
			continue
		}
		reply := w.answer(w.in[:n], from.Addr().Unmap().WithZone(""), time.Since(w.srv.shards.started))
		if len(reply) == 0 {
			continue
		}
		if _, _, err := c.WriteMsgUDPAddrPort(reply, fromDestination(oob[:oobn]), from); err != nil {
			w.srv.metrics.udpUnsent.Inc()
		}
	}
}

// answer is the reply to a packet that came at a time since the start, nil if it
// gets none. The reply is valid until the next one. Only whoever shows a connection
// id of his gets more bytes than he sent.
func (w *udpWorker) answer(packet []byte, from netip.Addr, now time.Duration) []byte {
	m := w.srv.metrics
	req, ok := parseUDPRequest(packet)
	out := w.sc.out[:0]
	switch {
	case !ok || len(packet) > maxUDPRequest:
	case req.action == udpConnect && req.id == udpMagic:
		m.udpPackets[udpPacketConnect].Inc()
		w.sc.out = binary.BigEndian.AppendUint64(appendUDPReply(out, udpConnect, req.tid), w.cookies.id(from, now))
		return w.sc.out
	case req.action == udpAnnounce && len(packet) >= udpAnnounceLen,
		req.action == udpScrape && len(req.rest) >= 20 && len(req.rest)%20 == 0:
		if !w.cookies.valid(req.id, from, now) {
			m.udpPackets[udpPacketBadID].Inc()
			return nil
		}
		if req.action == udpAnnounce {
			m.udpPackets[udpPacketAnnounce].Inc()
			w.sc.out = w.announce(out, &req, from, now)
		} else {
			m.udpPackets[udpPacketScrape].Inc()
			w.sc.out = w.scrape(out, &req)
		}
		return w.sc.out
	}
	m.udpPackets[udpPacketMalformed].Inc()
	return nil
}

// announce appends the answer to an announce.
func (w *udpWorker) announce(out []byte, req *udpRequest, from netip.Addr, now time.Duration) []byte {
	q := &w.sc.query
	err := parseUDPAnnounce(req.rest, q, w.url[:])
	if err == nil {
		q.Addr = netip.AddrPortFrom(from, q.port)
		err = w.srv.shards.announce(now, &q.Request, &w.sc.resp)
	}
	given := 0
	if err != nil {
		out = append(appendUDPReply(out, udpError, req.tid), err.Error()...)
	} else {
		out, given = appendUDPPeers(out, req.tid, from.Is4(), &w.sc.resp)
		if q.told.able && w.srv.reports != nil {
			out = appendUDPReport(out, from.Is4(), w.srv.reports.every.Load())
		}
	}
	w.srv.noteAnnounce(q, now, given, err)
	return out
}

// scrape appends the answer to a scrape. Of a swarm that is not known all is 0.
func (w *udpWorker) scrape(out []byte, req *udpRequest) []byte {
	var err error
	if len(req.rest) > 20*maxUDPScrape {
		err = errBigUDPScrape
		out = append(appendUDPReply(out, udpError, req.tid), err.Error()...)
	} else {
		out = appendUDPReply(out, udpScrape, req.tid)
		for h := req.rest; len(h) > 0; h = h[20:] {
			c, _ := w.srv.shards.scrape(swarm.InfoHash(h))
			out = appendUDPCounts(out, c)
		}
	}
	w.srv.metrics.scrapes[resultOf(err)].Inc()
	return out
}
