// Package p2ptest drives protocols of package p2p in tests, in virtual time and
// without goroutines.
//
// A Host is a recorder: the test plays the world. It opens connections, delivers
// messages, lets time pass and finishes jobs; what the protocol asks of the host
// is written down, one line each, for the test to compare with text:
//
//	h := p2ptest.NewHost(1)
//	n := p2p.NewNode(h, p2p.Config{Addr: "a:1"})
//	h.Start(n)
//	c := h.Accept("b:1")
//	h.Deliver(c, p2p.NAME, "")
//	h.Take() // "send 1 REPL \"a:1\"\nclose 1 served\n"
//
// A Net is a small world of several hosts that talk to one another, each message
// taking the same latency. It is enough to run protocols between nodes and to
// kill some of them; bandwidth, loss and scale are the simulator's.
//
// Everything is deterministic: the same calls give the same lines. All methods
// are for the test's goroutine.
package p2ptest
