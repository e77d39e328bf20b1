package tcp

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"

	"starling/p2p"
)

const benchPiece = 256 << 10

// benchFile is a file of 16 MiB whose pages are in memory.
func benchFile(b *testing.B) *os.File {
	b.Helper()
	f, err := os.Create(filepath.Join(b.TempDir(), "data"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { f.Close() })
	if _, err := f.Write(make([]byte, 16<<20)); err != nil {
		b.Fatal(err)
	}
	return f
}

// BenchmarkPieces moves frames with a body of 256 KiB from a file over
// loopback, one way, with two under way; the receiver throws them away. raw is
// the least that a program can do: sendfile into one socket, io.ReadFull out of
// the other.
func BenchmarkPieces(b *testing.B) {
	b.Run("raw", benchRaw)
	b.Run("host", benchHost)
}

func benchRaw(b *testing.B) {
	f := benchFile(b)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer ln.Close()
	b.SetBytes(benchPiece)
	b.ReportAllocs()
	go func() {
		c, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			return
		}
		defer c.Close()
		for {
			if _, err := f.Seek(0, io.SeekStart); err != nil {
				return
			}
			if _, err := io.Copy(c, f); err != nil {
				return
			}
		}
	}()
	c, err := ln.Accept()
	if err != nil {
		b.Fatal(err)
	}
	buf := make([]byte, benchPiece)
	for b.Loop() {
		if _, err := io.ReadFull(c, buf); err != nil {
			b.Fatal(err)
		}
	}
	c.Close()
}

// pieceSender keeps two pieces of a file under way on its connection.
type pieceSender struct {
	hooks
	h    *Host
	body fileBody
	head [bulkHead]byte
}

func (s *pieceSender) send(c p2p.ConnID) {
	// The same value serves every message: nobody changes it while the
	// writer reads, except for an offset that does not matter here.
	s.h.Send(c, p2p.Message{Type: typeBulk, Head: s.head[:], Body: &s.body})
}

func benchHost(b *testing.B) {
	f := benchFile(b)
	got := make(chan struct{}, 1024)
	recv := start(b, Config{}, &hooks{received: func(_ p2p.ConnID, m *p2p.Message) {
		m.Body.Release()
		got <- struct{}{}
	}})
	s := &pieceSender{body: fileBody{spans: []span{{f, 0, benchPiece}}}}
	s.opened = func(c p2p.ConnInfo) { s.send(c.ID); s.send(c.ID) }
	s.drained = func(c p2p.ConnID) { s.send(c) }
	s.h = start(b, Config{}, &s.hooks)
	addr := listen(b, recv)
	b.SetBytes(benchPiece)
	b.ReportAllocs()
	b.ResetTimer()
	do(b, s.h, func() { s.h.Dial(addr) })
	for b.Loop() {
		<-got
	}
	b.StopTimer()
	go func() { // lets the receiver come to its end
		for range got {
		}
	}()
	stop(b, s.h)
	stop(b, recv)
	close(got)
}

// BenchmarkPingPong bounces one small message between two hosts: the latency of
// both loops and both sockets, there and back.
func BenchmarkPingPong(b *testing.B) {
	got := make(chan struct{}, 1)
	pong, ping := &hooks{}, &hooks{}
	hPong, hPing := start(b, Config{}, pong), start(b, Config{}, ping)
	var payload [8]byte
	echo := p2p.Message{Type: typeCtl, Head: payload[:]}
	var id p2p.ConnID
	do(b, hPong, func() { pong.received = func(c p2p.ConnID, _ *p2p.Message) { hPong.Send(c, echo) } })
	do(b, hPing, func() {
		ping.opened = func(c p2p.ConnInfo) { id = c.ID; got <- struct{}{} }
		ping.received = func(c p2p.ConnID, _ *p2p.Message) { got <- struct{}{} }
		hPing.Dial(listen(b, hPong))
	})
	<-got
	send := &call{fn: func() { hPing.Send(id, echo) }}
	b.ReportAllocs()
	for b.Loop() {
		hPing.inbox.force(&event{kind: evCall, call: send})
		<-got
	}
}

// BenchmarkSmallFrames sends messages of 8 bytes one way as fast as the outbox
// takes them.
func BenchmarkSmallFrames(b *testing.B) {
	const burst = 512
	got := make(chan struct{}, 16)
	recv, send := &hooks{}, &hooks{}
	hRecv, hSend := start(b, Config{}, recv), start(b, Config{}, send)
	n := 0
	recv.received = func(p2p.ConnID, *p2p.Message) {
		if n++; n%burst == 0 {
			got <- struct{}{}
		}
	}
	var id p2p.ConnID
	opened := make(chan struct{})
	send.opened = func(c p2p.ConnInfo) { id = c.ID; close(opened) }
	do(b, hSend, func() { hSend.Dial(listen(b, hRecv)) })
	<-opened
	var payload [8]byte
	fill := &call{fn: func() {
		for range burst {
			hSend.Send(id, p2p.Message{Type: typeCtl, Head: payload[:]})
		}
	}}
	// Four bursts are under way, so that no side waits for the other.
	for range 3 {
		hSend.inbox.force(&event{kind: evCall, call: fill})
	}
	b.ReportAllocs()
	frames := 0
	for b.Loop() {
		hSend.inbox.force(&event{kind: evCall, call: fill})
		<-got
		frames += burst
	}
	b.ReportMetric(float64(frames)/b.Elapsed().Seconds(), "frames/s")
	for range 3 {
		<-got
	}
}

// BenchmarkEncode and BenchmarkDecode are the codec alone.
func BenchmarkEncode(b *testing.B) {
	var codec Codec = Native{}
	m := p2p.Message{Type: typeBulk, Head: make([]byte, bulkHead)}
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf = codec.AppendHead(buf[:0], &m)
	}
}

func BenchmarkDecode(b *testing.B) {
	input := &endless{data: frame(typeCtl, "12345678")}
	var codec Codec = Native{}
	r := NewReader(input)
	f := &Frame{pool: NewBufferPool(0)}
	limits := testLimits()
	b.ReportAllocs()
	for b.Loop() {
		f.reset()
		if err := codec.ReadHead(r, f, limits); err != nil {
			b.Fatal(err)
		}
	}
}

// endless is a connection on which the same bytes come again and again.
type endless struct {
	net.Conn
	data []byte
	pos  int
}

func (e *endless) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		m := copy(p[n:], e.data[e.pos:])
		n, e.pos = n+m, (e.pos+m)%len(e.data)
	}
	return n, nil
}
