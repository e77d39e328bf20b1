package p2p

import (
	"bytes"
	"errors"
	"strconv"
)

// The standard messages, with the bytes and answers of the paper's sample
// application. Data is text without a terminator.
//
//	type  data            answer
//	NAME  -               REPL id
//	LIST  -               REPL count, then count times REPL "id host port"
//	JOIN  id host port    REPL "Join: peer added: id", or ERRO
//	QUIT  id              REPL "Quit: peer removed: id", or ERRO
//	PING  -               none
//	REPL  text            none
//	ERRO  text            none
//
// JOIN and QUIT believe what they are told, as the paper's fleet does. A fleet
// that trusts less handles them anew.
const (
	NAME = Type('N'<<24 | 'A'<<16 | 'M'<<8 | 'E')
	LIST = Type('L'<<24 | 'I'<<16 | 'S'<<8 | 'T')
	JOIN = Type('J'<<24 | 'O'<<16 | 'I'<<8 | 'N')
	QUIT = Type('Q'<<24 | 'U'<<16 | 'I'<<8 | 'T')
	PING = Type('P'<<24 | 'I'<<16 | 'N'<<8 | 'G')
	REPL = Type('R'<<24 | 'E'<<16 | 'P'<<8 | 'L')
	ERRO = Type('E'<<24 | 'R'<<16 | 'R'<<8 | 'O')
)

const (
	// maxStandard is the largest data of a standard request.
	maxStandard = 1024
	// maxReply is the largest data of a REPL or an ERRO.
	maxReply = 64 << 10
	// maxListed is the most peers that one LIST names. Of a longer table it
	// names a run from a random place, so that all get their turn.
	maxListed = 1000
)

// handleStandard registers the standard messages.
func (n *Node) handleStandard() {
	silent := func(_ ConnID, m *Message) { release(m) }
	n.Handle(NAME, Spec{Max: maxStandard}, n.handleName)
	n.Handle(LIST, Spec{Max: maxStandard}, n.handleList)
	n.Handle(JOIN, Spec{Max: maxStandard}, n.handleJoin)
	n.Handle(QUIT, Spec{Max: maxStandard}, n.handleQuit)
	n.Handle(PING, Spec{Max: maxStandard}, silent)
	n.Handle(REPL, Spec{Max: maxReply}, silent)
	n.Handle(ERRO, Spec{Max: maxReply}, silent)
}

// ReplyText answers the message that is being handled on c with a REPL or an
// ERRO. The error may be passed over: a remote that does not read its answers
// goes without.
func (n *Node) ReplyText(c ConnID, t Type, text string) error {
	return n.Reply(c, Message{Type: t, Head: []byte(text)})
}

func (n *Node) handleName(c ConnID, m *Message) {
	release(m)
	n.ReplyText(c, REPL, n.id)
}

func (n *Node) handleList(c ConnID, m *Message) {
	release(m)
	peers := n.table.byID
	count, first := len(peers), 0
	if count > maxListed {
		first, count = n.host.Rand().IntN(count), maxListed
	}
	if n.ReplyText(c, REPL, strconv.Itoa(count)) != nil {
		return
	}
	line := make([]byte, 0, maxPeerLine)
	for i := range count {
		line = appendPeer(line[:0], peers[(first+i)%len(peers)])
		if n.Reply(c, Message{Type: REPL, Head: line}) != nil {
			return // the other side does not read; its list stays short
		}
	}
}

func (n *Node) handleJoin(c ConnID, m *Message) {
	defer release(m)
	p, ok := parsePeer(m.Head)
	if !ok {
		n.ReplyText(c, ERRO, "Join: incorrect arguments")
		return
	}
	err := n.AddPeer(p.ID, p.Addr)
	switch {
	case err == nil:
		n.ReplyText(c, REPL, "Join: peer added: "+p.ID)
	case errors.Is(err, ErrTableFull):
		n.ReplyText(c, ERRO, "Join: too many peers")
	case errors.Is(err, ErrKnown), errors.Is(err, ErrSelf):
		n.ReplyText(c, ERRO, "Join: peer already inserted "+p.ID)
	default:
		n.ReplyText(c, ERRO, "Join: peer not allowed "+p.ID)
	}
}

func (n *Node) handleQuit(c ConnID, m *Message) {
	defer release(m)
	id := string(bytes.TrimSpace(m.Head))
	switch {
	case !validID(id):
		n.ReplyText(c, ERRO, "Quit: incorrect arguments")
	case n.RemovePeer(id):
		n.ReplyText(c, REPL, "Quit: peer removed: "+id)
	default:
		n.ReplyText(c, ERRO, "Quit: peer not found: "+id)
	}
}
