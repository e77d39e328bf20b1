package peer

import "starling/piece"

// RemoteView is the state of one remote, to be looked at. Unlike RemoteStats it
// is read without touching a rate, so a look changes nothing of a run.
type RemoteView struct {
	Addr                         string // "host:port"
	AmChoking, PeerChoking       bool
	AmInterested, PeerInterested bool
	Requests                     int  // that we made and it has not answered
	Queue                        int  // its requests, not yet handed to the host
	Window                       int  // bytes that may be asked of it at a time
	Pieces                       int  // that it has
	Guided                       bool // we suggest to it what to ask for
}

// EachRemote shows fn every remote whose handshake is over, in ascending order
// of ConnID. fn must not call the Engine.
func (e *Engine) EachRemote(fn func(RemoteView)) {
	for _, r := range e.order {
		if r.phase != ready {
			continue
		}
		fn(RemoteView{
			Addr: r.addr, AmChoking: r.amChoking, PeerChoking: r.peerChoking,
			AmInterested: r.amInterested, PeerInterested: r.peerInterested,
			Requests: len(r.requests), Queue: len(r.queue), Window: r.window,
			Pieces: r.have.Count(), Guided: r.guided,
		})
	}
}

// Have is the set of verified pieces, the Engine's own: read it only.
func (e *Engine) Have() *piece.Bitfield { return e.pick.Have() }

// Counted are the fields of Stats that are counted, bytes and corrupt pieces,
// and not measured or looked up: reading them changes nothing, and costs nothing.
func (e *Engine) Counted() Stats { return e.stats }
