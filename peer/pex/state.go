package pex

import (
	"net/netip"
	"time"
)

const (
	// Interval is the least time between two messages to one remote.
	Interval = time.Minute
	// MaxPeers is how many peers a message may add, and how many it may drop.
	MaxPeers = 50
	// MaxFirst is how many peers the first message may add. More than that
	// no client makes use of.
	MaxFirst = 100
	// look is the least time between two looks at who is connected.
	look = 5 * time.Second
	// MaxTold bounds what one State remembers. Peers beyond it are not told
	// before others are dropped.
	MaxTold = 1000
)

// State is what one remote has been told. The zero value is not usable.
type State struct {
	remote netip.AddrPort
	// told has the peers that the remote believes are connected to us, in
	// the order in which they were told; has is the same as a set.
	told []netip.AddrPort
	has  map[netip.AddrPort]bool
	sent bool
	due  time.Time
}

// NewState returns the state for a remote that has been told nothing. remote is
// where it listens as far as is known; a port of 0 is not.
func NewState(remote netip.AddrPort) *State {
	return &State{remote: plain(remote), has: map[netip.AddrPort]bool{}}
}

// Due is when Next is worth calling: the zero time before the first message, some
// seconds after a call that found nothing new, a minute after one that did.
func (s *State) Due() time.Time { return s.due }

// Told is how many peers the remote believes are connected to us.
func (s *State) Told() int { return len(s.told) }

// Next returns what is to be sent now, and counts it as sent. connected are the
// peers that are connected now, those that it is best to tell first; their
// addresses are those at which they listen. false if nothing is due: not yet, or
// nothing has changed. A flag that changes is not told again.
func (s *State) Next(now time.Time, connected []Peer) (Message, bool) {
	if now.Before(s.due) {
		return Message{}, false
	}
	live := make(map[netip.AddrPort]bool, len(connected))
	for _, p := range connected {
		live[plain(p.Addr)] = true
	}
	m := Message{Dropped: s.drop(live), Added: s.add(connected)}
	if len(m.Added) == 0 && len(m.Dropped) == 0 {
		s.due = now.Add(look)
		return Message{}, false
	}
	s.sent = true
	s.due = now.Add(Interval)
	return m, true
}

// drop takes up to MaxPeers that are not live out of told, the oldest first.
func (s *State) drop(live map[netip.AddrPort]bool) []netip.AddrPort {
	var dropped []netip.AddrPort
	kept := s.told[:0]
	for _, a := range s.told {
		if live[a] || len(dropped) == MaxPeers {
			kept = append(kept, a)
			continue
		}
		dropped = append(dropped, a)
		delete(s.has, a)
	}
	s.told = kept
	return dropped
}

// add puts what of connected is new into told, as much as one message may have.
// What was dropped in this message is not connected and so does not come back.
func (s *State) add(connected []Peer) []Peer {
	most := MaxPeers
	if !s.sent {
		most = MaxFirst
	}
	var added []Peer
	for _, p := range connected {
		if len(added) == most || len(s.told) >= MaxTold {
			break
		}
		p.Addr = plain(p.Addr)
		if s.has[p.Addr] || !s.tellable(p.Addr) {
			continue
		}
		s.has[p.Addr] = true
		s.told = append(s.told, p.Addr)
		added = append(added, p)
	}
	return added
}

// tellable says whether an address means to the remote what it means to us.
func (s *State) tellable(a netip.AddrPort) bool {
	addr := a.Addr()
	switch {
	case !possible(a), a == s.remote, addr.Zone() != "":
		return false
	case addr.Is6() && addr.IsLinkLocalUnicast():
		return false
	case addr.IsLoopback():
		return s.remote.Addr().IsLoopback()
	}
	return true
}

// plain is the form in which addresses are compared.
func plain(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}
