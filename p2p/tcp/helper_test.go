package tcp

import (
	"context"
	"net"
	"os"
	"runtime"
	"testing"
	"time"

	"starling/p2p"
)

var (
	typeCtl  = p2p.T("CTRL")
	typeBulk = p2p.T("BULK")
)

const bulkHead = 12

// testLimits allow control messages of 64 KiB and bodies of 256 KiB.
func testLimits() *p2p.Limits {
	return &p2p.Limits{
		Specs: map[p2p.Type]p2p.Spec{
			typeCtl:  {Max: 64 << 10},
			typeBulk: {Max: 256<<10 + bulkHead, Head: bulkHead},
		},
		Unknown: 1 << 10,
	}
}

// hooks is a Protocol of functions; a nil one ignores its event and releases
// what it owns.
type hooks struct {
	opened   func(p2p.ConnInfo)
	received func(p2p.ConnID, *p2p.Message)
	drained  func(p2p.ConnID)
	closed   func(p2p.ConnID, error)
	wake     func()
	done     func(p2p.Job)
}

func (p *hooks) Opened(c p2p.ConnInfo) {
	if p.opened != nil {
		p.opened(c)
	}
}

func (p *hooks) Received(c p2p.ConnID, m *p2p.Message) {
	if p.received != nil {
		p.received(c, m)
	} else if m.Body != nil {
		m.Body.Release()
	}
}

func (p *hooks) Drained(c p2p.ConnID, left int) {
	if p.drained != nil {
		p.drained(c)
	}
}

func (p *hooks) Closed(c p2p.ConnID, err error) {
	if p.closed != nil {
		p.closed(c, err)
	}
}

func (p *hooks) Wake() {
	if p.wake != nil {
		p.wake()
	}
}

func (p *hooks) Done(j p2p.Job) {
	if p.done != nil {
		p.done(j)
	}
}

// start runs p on a host that the test stops, and checks at the end that every
// buffer came back.
func start(t testing.TB, cfg Config, p *hooks) *Host {
	t.Helper()
	if cfg.Buffers == nil {
		cfg.Buffers = NewBufferPool(0)
	}
	if cfg.Linger == 0 {
		cfg.Linger = 200 * time.Millisecond // bare sockets of tests do not answer a close
	}
	h := NewHost(cfg)
	h.Start(p, testLimits())
	t.Cleanup(func() {
		stop(t, h)
		if s := cfg.Buffers.Stats(); s.Lent != 0 {
			t.Errorf("%d bytes of buffers were not released", s.Lent)
		}
	})
	return h
}

func stop(t testing.TB, h *Host) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := h.Stop(ctx); err != nil {
		t.Errorf("Stop: %v", err)
	}
}

// do runs fn on h's loop.
func do(t testing.TB, h *Host, fn func()) {
	t.Helper()
	if err := h.Do(fn); err != nil {
		t.Fatalf("Do: %v", err)
	}
}

// get receives from c, or fails the test after a time that is never reached
// unless something is broken.
func get[T any](t testing.TB, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(20 * time.Second):
		t.Fatal("nothing came in 20 s")
		panic("unreachable")
	}
}

// eventually waits until ok, or fails the test with everybody's stack.
func eventually(t testing.TB, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			buf := make([]byte, 1<<20)
			t.Fatalf("not in 10 s; %d goroutines:\n%s", runtime.NumGoroutine(), buf[:runtime.Stack(buf, true)])
		}
	}
}

// listen accepts on loopback for h, without reading a first message.
func listen(t testing.TB, h *Host) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			h.Adopt(c, nil)
		}
	}()
	return ln.Addr().String()
}

// rawPeer connects a bare socket to a new connection of h.
func rawPeer(t testing.TB, h *Host) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", listen(t, h))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// frame encodes a message for the wire.
func frame(t p2p.Type, data string) []byte {
	return append(p2p.AppendHeader(nil, t, len(data)), data...)
}

// memBody is a BytesBody that counts its releases.
type memBody struct {
	data     []byte
	released func()
}

func (b *memBody) Size() int     { return len(b.data) }
func (b *memBody) Bytes() []byte { return b.data }
func (b *memBody) Release() {
	if b.released != nil {
		b.released()
	}
}

// span is a section of a file.
type span struct {
	f      *os.File
	off, n int64
}

// fileBody is a FileBody.
type fileBody struct {
	spans    []span
	released func()
}

func (b *fileBody) Size() int {
	n := int64(0)
	for _, s := range b.spans {
		n += s.n
	}
	return int(n)
}

func (b *fileBody) Release() {
	if b.released != nil {
		b.released()
	}
}

func (b *fileBody) Spans(fn func(*os.File, int64, int64) error) error {
	for _, s := range b.spans {
		if err := fn(s.f, s.off, s.n); err != nil {
			return err
		}
	}
	return nil
}
