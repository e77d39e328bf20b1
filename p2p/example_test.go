package p2p_test

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"starling/p2p"
	"starling/p2p/p2ptest"
)

// The paper's sample application searches by flooding: QUER "return-id key ttl"
// goes to all known peers, hop by hop, and who has the file sends RESP "file id"
// to the peer that asked first.
var (
	quer = p2p.T("QUER")
	resp = p2p.T("RESP")
)

// search is that protocol on one node.
type search struct {
	n     *p2p.Node
	file  string            // what we share
	found map[string]string // what others share, and who
	asked int               // queries that reached us
}

func newSearch(n *p2p.Node, file string) *search {
	s := &search{n: n, file: file, found: map[string]string{}}
	n.Handle(quer, p2p.Spec{Max: 1024}, s.query)
	n.Handle(resp, p2p.Spec{Max: 1024}, s.response)
	return s
}

// Ask sends a query to all known peers.
func (s *search) Ask(key string, ttl int) { s.flood(s.n.ID(), key, ttl) }

func (s *search) flood(from, key string, ttl int) {
	for _, p := range s.n.Peers() {
		data := fmt.Appendf(nil, "%s %s %d", from, key, ttl)
		s.n.SendToPeer(p.ID, p2p.Message{Type: quer, Head: data}, true, nil)
	}
}

func (s *search) query(c p2p.ConnID, m *p2p.Message) {
	words := strings.Fields(string(m.Head))
	if len(words) != 3 {
		s.n.ReplyText(c, p2p.ERRO, "Query: incorrect arguments")
		return
	}
	from, key := words[0], words[1]
	ttl, err := strconv.Atoi(words[2])
	if err != nil {
		s.n.ReplyText(c, p2p.ERRO, "Query: incorrect arguments")
		return
	}
	s.n.ReplyText(c, p2p.REPL, "Query ACK: "+key)
	s.asked++
	switch {
	case s.file != "" && strings.Contains(s.file, key):
		data := []byte(s.file + " " + s.n.ID())
		s.n.ConnectAndSend(from, p2p.Message{Type: resp, Head: data}, false, nil)
	case ttl > 0:
		s.flood(from, key, ttl-1)
	}
}

func (s *search) response(_ p2p.ConnID, m *p2p.Message) {
	text := string(m.Head)
	if i := strings.LastIndexByte(text, ' '); i >= 0 { // a file name may have spaces
		s.found[text[:i]] = text[i+1:]
	}
}

// line makes nodes that each know the next one, the last sharing a file.
func line(w *p2ptest.Net, count int) []*search {
	var nodes []*search
	for i := range count {
		file := ""
		if i == count-1 {
			file = "blue whale.ogg"
		}
		w.Node(p2p.Config{Addr: fmt.Sprintf("n%d:1", i)}, func(n *p2p.Node) {
			nodes = append(nodes, newSearch(n, file))
		})
	}
	for i := range count - 1 {
		next := nodes[i+1].n
		if err := nodes[i].n.AddPeer(next.ID(), next.Addr()); err != nil {
			panic(err)
		}
	}
	return nodes
}

func Example() {
	world := p2ptest.NewNet(1)
	nodes := line(world, 6)

	nodes[0].Ask("whale", 3) // reaches four hops
	world.Run(time.Second)
	fmt.Println("ttl 3:", nodes[0].found)

	nodes[0].Ask("whale", 4)
	world.Run(time.Second)
	fmt.Println("ttl 4:", nodes[0].found)

	for i, s := range nodes[1:] {
		fmt.Printf("n%d was asked %d times\n", i+1, s.asked)
	}
	// Output:
	// ttl 3: map[]
	// ttl 4: map[blue whale.ogg:n5:1]
	// n1 was asked 2 times
	// n2 was asked 2 times
	// n3 was asked 2 times
	// n4 was asked 2 times
	// n5 was asked 1 times
}
