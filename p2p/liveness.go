package p2p

// maxPings is how many peers one check asks at a time.
const maxPings = 64

// CheckLivePeers pings every peer of the table and removes those that cannot be
// reached. Make it a stabilizer. A PING has no reply: that the other side takes
// the message and closes in order shows that it serves, and not just that its
// kernel accepts. While one check is under way the next does nothing.
func (n *Node) CheckLivePeers() {
	if n.pinging {
		return
	}
	n.pinging = true
	c := &check{n: n, peers: n.Peers()}
	c.fill()
}

// check is one CheckLivePeers under way.
type check struct {
	n     *Node
	peers []Peer // yet to be pinged
	open  int
}

// fill starts as many pings as may be under way. Outcomes never come inside
// ConnectAndSend, so the loop is alone with the list.
func (c *check) fill() {
	for c.open < maxPings && len(c.peers) > 0 {
		p := c.peers[0]
		c.peers = c.peers[1:]
		c.open++
		c.n.connect(c.n.newRequest(Message{Type: PING}, true, func(_ []Message, err error) {
			c.pinged(p, err)
		}), p.ID, p.Addr)
	}
	if c.open == 0 {
		c.n.pinging = false
	}
}

func (c *check) pinged(p Peer, err error) {
	c.open--
	// Our own lack of room says nothing of the peer, and by now another may
	// have come under its name.
	if addr, _ := c.n.Peer(p.ID); err != nil && ReasonOf(err) != ReasonTooMany && addr == p.Addr {
		c.n.RemovePeer(p.ID)
	}
	c.fill()
}
