package livefleet

import (
	"context"
	"net"

	"starling/p2p"
	"starling/p2p/tcp"
	"starling/sim/fleet"
)

// node is a plain node of the framework: the standard messages and no more.
type node struct {
	node     *p2p.Node
	host     *tcp.Host
	acceptor *tcp.Acceptor
	served   chan struct{}
}

func (h *host) startNode() error {
	listen := "127.0.0.1:0"
	if h.addr != "" {
		listen = h.addr
	}
	ln, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	h.addr = ln.Addr().String()
	log := h.w.opts.Logger.With("host", h.spec.Name)
	n := &node{host: tcp.NewHost(tcp.Config{Seed: h.w.rng.Uint64() | 1, Logger: log}), served: make(chan struct{})}
	n.node = p2p.NewNode(n.host, p2p.Config{ID: h.spec.Name, Addr: h.addr, Tap: h.w.tap})
	limits := n.node.Limits()
	n.host.Start(n.node, limits)
	n.acceptor = tcp.NewAcceptor(ln, tcp.AcceptorConfig{
		Limits: limits, Route: func(*tcp.FirstMessage) *tcp.Host { return n.host }, Logger: log,
	})
	go func() {
		defer close(n.served)
		if err := n.acceptor.Serve(); err != nil {
			log.Warn("listen", "err", err)
		}
	}()
	h.node = n
	return nil
}

func (n *node) stop(ctx context.Context) {
	_ = n.acceptor.Close() // of a listener that is given up
	_ = n.host.Stop(ctx)   // ctx bounds it; nothing is lost that anybody waits for
	<-n.served
}

// send has a node send a message; what comes of it is among the replies.
func (w *swarm) send(x *fleet.Send) {
	from, to := w.byName[x.From], w.byName[x.To]
	r := fleet.Reply{From: x.From, To: x.To}
	done := func(answer []p2p.Message, err error) {
		r.At = w.now()
		switch {
		case err != nil:
			r.Err = err.Error()
		case len(answer) > 0:
			last := answer[len(answer)-1]
			r.Type, r.Data = last.Type.String(), string(last.Head)
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		w.replies = append(w.replies, r)
	}
	if from.node == nil || to.addr == "" {
		done(nil, errDown)
		return
	}
	// A host that has stopped by now answers with an error by itself.
	if err := from.node.host.Do(func() {
		from.node.node.ConnectAndSend(to.addr, p2p.Message{Type: x.Type, Head: []byte(x.Data)}, true, done)
	}); err != nil {
		done(nil, err)
	}
}
