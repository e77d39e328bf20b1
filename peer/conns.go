package peer

import (
	"errors"
	"io"
	"net/netip"
	"slices"
	"time"

	"starling/p2p"
	"starling/peer/wire"
	"starling/piece"
)

// onOpened meets a new connection. The dialer speaks first.
func (e *Engine) onOpened(info p2p.ConnInfo) {
	now := e.now()
	if !info.Dialed {
		// Not kept before its HELO: a connection that begins with one of
		// the framework's own requests is served and closed by the Node.
		e.add(&remote{
			id: info.ID, addr: info.Addr, web: e.isWeb(info), phase: greeting, opened: now, lastIn: now, lastSent: now,
		})
		return
	}
	r := e.remotes[info.ID]
	if r == nil {
		return
	}
	r.phase, r.opened, r.lastIn = greeting, now, now
	e.sendHello(r, r.infoHash)
	e.settle()
}

// add makes a remote known. Connection ids rise, so order stays sorted.
func (e *Engine) add(r *remote) {
	r.amChoking, r.peerChoking = true, true
	r.window, r.maxRequest, r.maxQueue = startWindow, wire.MaxRun, maxQueue
	e.remotes[r.id] = r
	e.order = append(e.order, r)
}

func (e *Engine) sendHello(r *remote, infoHash [20]byte) {
	r.greeted = e.now()
	caps := uint16(wire.CapSuggest)
	if e.cfg.Hashes != nil {
		caps |= wire.CapParts
	}
	if e.cfg.Wanted != nil {
		// A seed would suggest pieces that we do not want, and we might ask
		// for no others until it takes them back.
		caps &^= wire.CapSuggest
	}
	e.scratch = (&wire.Hello{
		Version: wire.Version, Caps: caps, InfoHash: infoHash, PeerID: e.cfg.PeerID,
		ListenPort: e.cfg.ListenPort, MaxQueue: maxQueue, MaxRequest: wire.MaxRun,
	}).Append(e.scratch[:0])
	e.send(r, wire.HELO, e.scratch)
}

// onHello is the remote's introduction. It is not routed through handle, for
// it is the one message that may come before the handshake is over.
func (e *Engine) onHello(c p2p.ConnID, m *p2p.Message) {
	r := e.remotes[c]
	if r == nil || r.fault != nil {
		return
	}
	e.node.Keep(c)
	r.lastIn = e.now()
	r.controlIn += uint64(p2p.HeaderSize + len(m.Head))
	if err := e.greet(r, m.Head); err != nil {
		e.fault(r, err)
	}
	e.settle()
}

func (e *Engine) greet(r *remote, head []byte) error {
	if r.phase != greeting {
		return p2p.Violation(p2p.ReasonBadState, "a second HELO")
	}
	h, err := wire.ParseHello(head)
	switch {
	case err != nil:
		return err
	case h.InfoHash != e.cfg.InfoHash && h.InfoHash != e.cfg.InfoHashV2:
		return p2p.Violation(p2p.ReasonUnknownTorrent, "HELO for infohash %x", h.InfoHash)
	case h.PeerID == e.cfg.PeerID:
		e.cands.forget(r.addr)
		e.cands.forget(withPort(r.addr, h.ListenPort)) // what the other end dialed
		return p2p.Violation(p2p.ReasonSelf, "connected to ourselves")
	}
	r.peerID, r.caps, r.infoHash = h.PeerID, h.Caps, h.InfoHash
	r.maxRequest = min(int(h.MaxRequest), wire.MaxRun)
	r.maxQueue = min(int(h.MaxQueue), r.room())
	r.listens = r.dialed || h.ListenPort != 0
	if !r.dialed {
		r.addr = withPort(r.addr, h.ListenPort)
	}
	r.account = e.accounts.open(r.peerID)
	e.node.Identify(r.id, nameOf(r.peerID))
	if e.bans.has(e.now(), r.addr, r.peerID) {
		return p2p.Violation(p2p.ReasonBanned, "%s is banned", r.addr)
	}
	if err := e.admit(r); err != nil {
		return err
	}
	if !r.dialed {
		e.sendHello(r, h.InfoHash)
	}
	r.phase = declaring
	e.declare(r)
	return nil
}

// admit decides between two connections to one peer, and keeps their number
// bounded. Where both sides dialed at once, the connection that the smaller
// peer id dialed stays: both sides reach the same verdict. Where one side
// dialed twice the older stays.
//
// Those that we dial have their place from the dial on: in a flash crowd, which
// all know the few that came first, a crowd of strangers would otherwise take
// the place of the seed that we are connecting to.
func (e *Engine) admit(r *remote) error {
	open := 0
	for _, o := range e.order {
		switch {
		case o == r || o.fault != nil || o.web != r.web || o.phase < declaring && !o.dialed:
		case o.phase < declaring:
			// If it is the same peer, which dialed us meanwhile, its HELO
			// will decide. Both would else refuse each other.
			count(&open, o.addr != r.addr)
		case o.peerID != r.peerID:
			open++
		case o.dialed == r.dialed || (string(e.cfg.PeerID[:]) < string(r.peerID[:])) == o.dialed:
			return p2p.Violation(p2p.ReasonDuplicate, "already connected to %s", o.addr)
		default:
			e.fault(o, p2p.Violation(p2p.ReasonDuplicate, "a better connection to %s", r.addr))
		}
	}
	if r.dialed || r.web {
		return nil
	}
	e.inbound++
	if open >= e.cfg.MaxRemotes && !e.displace(e.now()) && !e.reshuffle(r) && !e.outrank(r) {
		return p2p.Violation(p2p.ReasonTooMany, "%d connections", open)
	}
	return nil
}

// declare tells a remote what we have.
func (e *Engine) declare(r *remote) {
	r.told = len(e.teller.log)
	// Before what we have: so libtorrent and Transmission do, and rTorrent expects
	// it while it fetches metadata.
	e.veil(r)
	e.sayInfo(r)
	have := e.pick.Have()
	if r.shown != nil {
		have = r.shown
	}
	switch n := have.Count(); {
	case r.caps&wire.CapSilent != 0: // which has no other form of it
		e.send(r, wire.BITF, have.Bytes())
	case n == 0:
		e.send(r, wire.HNON, nil)
	case n == e.geo.NumPieces():
		e.send(r, wire.HALL, nil)
	default:
		e.send(r, wire.BITF, have.Bytes())
	}
}

// onBitfield reads what the remote has: BITF, HALL or HNON, once.
func (e *Engine) onBitfield(r *remote, m *p2p.Message) error {
	n := e.geo.NumPieces()
	if r.phase != declaring {
		if m.Type == wire.HALL && r.caps&wire.CapBlocks != 0 {
			// Some clients say it once more when they are complete.
			for i := range n {
				e.learn(r, i)
			}
			return e.learned(r)
		}
		return p2p.Violation(p2p.ReasonBadState, "a second %v", m.Type)
	}
	r.have = piece.NewBitfield(n)
	switch m.Type {
	case wire.BITF:
		bf, err := piece.BitfieldFromBytes(m.Head, n)
		if err != nil {
			return p2p.Violation(p2p.ReasonBadMessage, "%w", err)
		}
		r.have = bf
	case wire.HALL:
		r.have.SetAll()
	}
	now := e.now()
	r.phase, r.lastData, r.rtt = ready, now, now.Sub(r.greeted)
	r.parole = e.bans.struckUntil(r.addr, r.peerID)
	r.used = usage{last: now, since: now}
	if r.seed = r.have.All(); r.seed {
		e.pick.AddSeed()
	} else {
		e.pick.AddRemote(r.have)
	}
	mine := e.pick.Have()
	for i := range n {
		switch has := r.have.Has(i); {
		case has && e.pick.WantsPiece(i):
			r.useful++
		case !has && mine.Has(i):
			r.needs++
		}
	}
	e.reachable(r)
	e.tellParts(r)
	e.interest(r)
	e.offerAll()
	return e.mutual(r)
}

// mutual ends a connection on which neither side can ever give the other
// anything: both have all.
func (e *Engine) mutual(r *remote) error {
	if r.seed && e.pick.NumHave() == e.geo.NumPieces() && !e.stopping {
		e.endSuperSeed() // each piece is somewhere else
		return p2p.Violation(p2p.ReasonNotNeeded, "both have every piece")
	}
	return nil
}

// fault marks a remote to be closed when the event is over. Until then it
// stays in every list, so that no walk is disturbed.
func (e *Engine) fault(r *remote, err error) {
	if r.fault == nil {
		r.fault = err
		e.faulty = true
	}
}

func (e *Engine) closeFaulty() {
	for _, r := range slices.Clone(e.order) {
		if r.fault == nil {
			continue
		}
		var v *p2p.ProtocolError
		if errors.As(r.fault, &v) && r.phase >= greeting {
			// Tell the other side why, if it still reads.
			_ = e.node.Send(r.id, p2p.Message{Type: p2p.ERRO, Head: []byte(r.fault.Error())})
		}
		e.node.Close(r.id, r.fault)
		e.gone(r, r.fault)
	}
}

// onClosed hears that a connection ended, or never came to be.
func (e *Engine) onClosed(c p2p.ConnID, err error) {
	if r := e.remotes[c]; r != nil {
		if errors.Is(err, io.EOF) {
			err = p2p.Violation(p2p.ReasonEOF, "closed by the other side")
		}
		e.gone(r, err)
	}
	e.settle()
}

// gone forgets a remote: its requests go back to the picker, its pieces leave
// the availability, its slot is free, its address waits for its next turn.
func (e *Engine) gone(r *remote, err error) {
	now := e.now()
	delete(e.remotes, r.id)
	e.order = slices.DeleteFunc(e.order, func(o *remote) bool { return o == r })
	e.releaseAll(r)
	e.dropLeaves(r)
	e.spread.reclaim(r)
	if r.phase == ready {
		if r.seed {
			e.pick.RemoveSeed()
		} else {
			e.pick.RemoveRemote(r.have)
		}
		e.node.RemovePeer(r.addr)
	}
	e.accounts.close(r.account)
	e.keepTotals(r)
	reason := p2p.ReasonOf(err)
	if reason == p2p.ReasonOther {
		reason = p2p.ReasonIO
		if r.phase == dialing {
			reason = p2p.ReasonDialFailed
		}
	}
	e.obs.Closed(reason)
	e.refill, e.rechoke = true, true
	if slices.ContainsFunc(e.order, func(o *remote) bool { return o.addr == r.addr }) {
		return // the peer itself is still here, on a better connection
	}
	switch {
	case r.phase >= declaring:
		e.cands.knows(r.addr, e.nameOf(r.infoHash))
	case r.phase == greeting && r.dialed:
		e.cands.refused(r.addr)
	}
	lasted := r.phase == ready && now.Sub(r.opened) > time.Minute
	e.cands.failed(r.addr, reason, lasted, now, e.node.Host().Rand())
}

// minDialed is how many remotes we dial for if we may have so many.
const minDialed = 16

// dialUpTo is with how many remotes we stop to dial. It leaves room for those
// who dial us: where everybody dials until it is full, half of the dials meet
// somebody who is, and who comes late finds no place.
func (e *Engine) dialUpTo() int {
	return max(min(minDialed, e.cfg.MaxRemotes), e.cfg.MaxRemotes*2/5)
}

// dialMore connects to candidates while there is room.
func (e *Engine) dialMore(now time.Time) {
	if e.stopping {
		return
	}
	open, half, all := 0, 0, 0
	for _, r := range e.order {
		if r.web {
			continue
		}
		all++
		count(&open, r.overstays(now) <= 0)
		count(&half, r.phase == dialing)
	}
	if all >= e.cfg.MaxRemotes && open < e.dialUpTo() && e.cands.due(now) {
		e.displace(now) // there is room at the next tick
	}
	for open < e.dialUpTo() && half < maxHalfOpen && all < e.cfg.MaxRemotes {
		addr, ok := e.cands.next(now)
		if !ok {
			return
		}
		if e.bans.hasAddr(now, addr) {
			e.cands.failed(addr, p2p.ReasonBanned, false, now, e.node.Host().Rand())
			continue
		}
		open++
		half++
		all++
		infoHash := e.called(addr)
		if e.cfg.OnDial != nil {
			e.cfg.OnDial(addr, infoHash)
		}
		id := e.node.Host().Dial(addr)
		e.add(&remote{
			id: id, dialed: true, addr: addr, infoHash: infoHash, phase: dialing, opened: now, lastIn: now, lastSent: now,
		})
	}
}

// withPort replaces the port of an address by the one its owner listens on;
// port 0 leaves the address as it is.
func withPort(addr string, port uint16) string {
	ap, err := netip.ParseAddrPort(addr)
	if err != nil || port == 0 {
		return addr
	}
	return netip.AddrPortFrom(ap.Addr().Unmap(), port).String()
}
