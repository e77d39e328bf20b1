package p2p

// Bounds on one walk of BuildPeers: the lists come from strangers. What is over
// is left out.
const (
	maxWalkVisits  = 1024 // nodes asked
	maxWalkPending = 4096 // addresses waiting for their turn
)

// BuildPeers fills the peer table from the node at addr: the paper's depth-first
// join. It asks that node's NAME, JOINs it, and if that is accepted and the peer
// is new adds it, asks its LIST and goes on so with each entry, hops-1 more
// hops deep. It ends when the table is full or nobody is left to ask; done, which
// may be nil, then gets the number of peers added, never inside this call.
//
// A peer that fails in the middle is removed again. One address is asked once.
func (n *Node) BuildPeers(addr string, hops int, done func(added int)) {
	w := &walk{n: n, asked: make(map[string]bool), done: done}
	w.push(addr, hops)
	// The first step is a timer's, so that done is never called from here.
	n.NewTimer(w.next).Set(n.host.Now())
}

// walk is one BuildPeers under way. It asks one node at a time.
type walk struct {
	n     *Node
	stack []step
	asked map[string]bool
	added int
	done  func(int)
}

// step is a node to ask.
type step struct {
	addr string
	hops int
}

func (w *walk) push(addr string, hops int) {
	if hops > 0 && addr != w.n.addr && len(w.stack) < maxWalkPending {
		w.stack = append(w.stack, step{addr, hops})
	}
}

// next asks the node on top of the stack, or ends the walk.
func (w *walk) next() {
	for len(w.stack) > 0 && !w.n.Full() && len(w.asked) < maxWalkVisits {
		s := w.stack[len(w.stack)-1]
		w.stack = w.stack[:len(w.stack)-1]
		if !w.asked[s.addr] {
			w.asked[s.addr] = true
			w.ask(s)
			return
		}
	}
	if w.done != nil {
		w.done(w.added)
	}
}

// ask goes NAME, JOIN, LIST with one node, then to the next.
func (w *walk) ask(s step) {
	n := w.n
	n.ConnectAndSend(s.addr, Message{Type: NAME}, true, func(rs []Message, err error) {
		if err != nil || len(rs) != 1 || rs[0].Type != REPL || !validID(string(rs[0].Head)) {
			w.next()
			return
		}
		w.join(s, string(rs[0].Head))
	})
}

func (w *walk) join(s step, id string) {
	n := w.n
	self := appendPeer(nil, Peer{ID: n.id, Addr: n.addr})
	n.ConnectAndSend(s.addr, Message{Type: JOIN, Head: self}, true, func(rs []Message, err error) {
		accepted := err == nil && len(rs) > 0 && rs[0].Type == REPL
		if !accepted || n.AddPeer(id, s.addr) != nil {
			w.next()
			return
		}
		w.added++
		w.list(s, id)
	})
}

func (w *walk) list(s step, id string) {
	n := w.n
	n.ConnectAndSend(s.addr, Message{Type: LIST}, true, func(rs []Message, err error) {
		peers, ok := ParseList(rs)
		if err != nil || !ok {
			if n.RemovePeer(id) {
				w.added--
			}
			w.next()
			return
		}
		for i := len(peers) - 1; i >= 0; i-- { // the first entry goes on top
			if peers[i].ID != n.id {
				w.push(peers[i].Addr, s.hops-1)
			}
		}
		w.next()
	})
}
