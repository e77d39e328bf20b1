package tcp

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"starling/p2p"
)

// heard is what a protocol was told, as text.
type heard struct {
	lines []string
	err   error
	ended chan struct{}
}

func listener() (*heard, *hooks) {
	got := &heard{ended: make(chan struct{})}
	return got, &hooks{
		received: func(_ p2p.ConnID, m *p2p.Message) {
			body := "-"
			if m.Body != nil {
				b := m.Body.(*Buffer).Bytes()
				body = fmt.Sprintf("%d bytes, sum %x", len(b), checksum(b))
				m.Body.Release()
			}
			got.lines = append(got.lines, fmt.Sprintf("%v head %d sum %x body %s", m.Type, len(m.Head), checksum(m.Head), body))
		},
		closed: func(_ p2p.ConnID, err error) { got.err = err; close(got.ended) },
	}
}

func checksum(b []byte) (h uint32) {
	for _, c := range b {
		h = h*31 + uint32(c)
	}
	return h
}

// stream is one of every kind of message.
func stream() []byte {
	data := func(n int) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(i * 7)
		}
		return string(b)
	}
	var s []byte
	for _, n := range []int{0, 1, inlineHead, inlineHead + 1, 5000, 64 << 10} {
		s = append(s, frame(typeCtl, data(n))...)
	}
	for _, n := range []int{0, 1, bulkHead, bulkHead + 1, bulkHead + 5000, bulkHead + 17<<10} {
		s = append(s, frame(typeBulk, data(n))...)
	}
	s = append(s, frame(p2p.T("WHAT"), data(100))...)
	return append(s, frame(typeCtl, "end")...)
}

// However the bytes arrive, the protocol hears the same.
func TestDeliveryDoesNotDependOnPackets(t *testing.T) {
	input := stream()
	hear := func(t *testing.T, cut func() int) *heard {
		got, p := listener()
		h := start(t, Config{}, p)
		a, b := net.Pipe()
		h.Adopt(b, nil)
		for rest := input; len(rest) > 0; {
			n := min(len(rest), cut())
			if _, err := a.Write(rest[:n]); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		a.Close()
		get(t, got.ended)
		if got.err != io.EOF {
			t.Errorf("closed with %v, want EOF", got.err)
		}
		return got
	}
	want := hear(t, func() int { return len(input) })
	if len(want.lines) != 14 {
		t.Fatalf("heard %d messages:\n%s", len(want.lines), strings.Join(want.lines, "\n"))
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for name, cut := range map[string]func() int{
		"bytes":  func() int { return 1 },
		"random": func() int { return 1 + rng.IntN(9000) },
		"buffer": func() int { return readBuffer },
	} {
		t.Run(name, func(t *testing.T) {
			if got := hear(t, cut); !slices.Equal(got.lines, want.lines) {
				t.Errorf("heard\n%s\nwant\n%s", strings.Join(got.lines, "\n"), strings.Join(want.lines, "\n"))
			}
		})
	}
}

// A length is checked before memory is taken for it.
func TestLimits(t *testing.T) {
	header := func(typ p2p.Type, length uint32) []byte {
		return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, uint32(typ)), length)
	}
	tooLarge := &p2p.ProtocolError{Reason: p2p.ReasonTooLarge}
	for _, tt := range []struct {
		name  string
		input []byte
		want  error
		lent  int // most memory it may take
	}{
		{"nothing", nil, io.EOF, 0},
		{"part of a header", []byte("CTR"), io.ErrUnexpectedEOF, 0},
		{"control too long", header(typeCtl, 64<<10+1), tooLarge, 0},
		{"control 2^31", header(typeCtl, 1<<31), tooLarge, 0},
		{"control 2^32-1", header(typeCtl, 0xffffffff), tooLarge, 0},
		{"bulk too long", header(typeBulk, 256<<10+bulkHead+1), tooLarge, 0},
		{"bulk 2^32-1", header(typeBulk, 0xffffffff), tooLarge, 0},
		{"unknown too long", header(p2p.T("WHAT"), 1<<10+1), tooLarge, 0},
		{"type zero", header(0, 0xffffffff), tooLarge, 0},
		{"no data", header(typeCtl, 1), io.ErrUnexpectedEOF, 0},
		{"no body", append(header(typeBulk, 256<<10+bulkHead), make([]byte, bulkHead)...), io.ErrUnexpectedEOF, 256 << 10},
		{"part of a body", append(header(typeBulk, 256<<10+bulkHead), make([]byte, 100<<10)...), io.ErrUnexpectedEOF, 256 << 10},
		{"part of a large head", append(header(typeCtl, 60<<10), make([]byte, 30<<10)...), io.ErrUnexpectedEOF, 64 << 10},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, p := listener()
			pool := NewBufferPool(0)
			h := start(t, Config{Buffers: pool}, p)
			a, b := net.Pipe()
			h.Adopt(b, nil)
			a.Write(tt.input)
			if !errors.Is(tt.want, tooLarge) {
				a.Close()
			}
			get(t, got.ended)
			if !errors.Is(got.err, tt.want) {
				t.Errorf("closed with %v, want %v", got.err, tt.want)
			}
			if len(got.lines) != 0 {
				t.Errorf("delivered %v", got.lines)
			}
			if s := pool.Stats(); s.PeakLent > tt.lent || s.Lent != 0 {
				t.Errorf("took %d bytes at once, kept %d; allowed %d, 0", s.PeakLent, s.Lent, tt.lent)
			}
		})
	}
}

// A message that has begun must end: after FrameTimeout and a second for each
// 16 KiB of it, however busily its bytes trickle in. Silence between messages
// may last.
func TestDribbler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, tt := range []struct {
			name  string
			input []byte
			want  time.Duration
		}{
			{"header", frame(typeCtl, strings.Repeat("x", 1000)), 30 * time.Second},
			{"body", frame(typeBulk, strings.Repeat("x", bulkHead+160<<10)), 40 * time.Second},
		} {
			got, p := listener()
			h := start(t, Config{}, p)
			a, b := net.Pipe()
			h.Adopt(b, nil)
			a.Write(frame(typeCtl, "hello"))
			time.Sleep(time.Hour)
			begun := time.Now()
			for _, c := range tt.input {
				if _, err := a.Write([]byte{c}); err != nil {
					break
				}
				time.Sleep(time.Second / 10)
			}
			<-got.ended
			if len(got.lines) != 1 {
				t.Errorf("%s: delivered %v", tt.name, got.lines)
			}
			if p2p.ReasonOf(got.err) != p2p.ReasonTimeout {
				t.Errorf("%s: closed with %v", tt.name, got.err)
			}
			if d := time.Since(begun); d < tt.want || d > tt.want+2*time.Second {
				t.Errorf("%s: closed after %v, want %v", tt.name, d, tt.want)
			}
			stop(t, h)
		}
	})
}

// The counters move while a body is under way.
func TestTrafficInsideABody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var id p2p.ConnID
		h := start(t, Config{}, &hooks{opened: func(c p2p.ConnInfo) { id = c.ID }})
		a, b := net.Pipe()
		h.Adopt(b, nil)
		input := frame(typeBulk, strings.Repeat("x", bulkHead+200<<10))
		a.Write(input[:100<<10])
		synctest.Wait()
		do(t, h, func() {
			if in := h.Traffic(id).In; in != 100<<10 {
				t.Errorf("In = %d, want %d", in, 100<<10)
			}
		})
		a.Close()
	})
}

// A loop that stands still stops the other end by way of TCP, and holds no more
// than the inbox's bound and one message of each reader.
func TestBackPressure(t *testing.T) {
	pool := NewBufferPool(0)
	stall, stalled := make(chan struct{}), make(chan struct{})
	n := 0
	p := &hooks{received: func(_ p2p.ConnID, m *p2p.Message) { n++; m.Body.Release() }}
	h := start(t, Config{Buffers: pool, InboxBytes: 1 << 20}, p)
	go h.Do(func() { close(stalled); <-stall })
	get(t, stalled)
	const conns, frames = 3, 200
	input := frame(typeBulk, strings.Repeat("x", bulkHead+256<<10))
	written := make(chan error, conns)
	for range conns {
		a, b := net.Pipe()
		go h.Adopt(b, nil)
		go func() {
			for range frames {
				if _, err := a.Write(input); err != nil {
					written <- err
					return
				}
			}
			a.Close()
			written <- nil
		}()
	}
	close(stall)
	for range conns {
		if err := get(t, written); err != nil {
			t.Error(err)
		}
	}
	for total := 0; total < conns*frames; {
		do(t, h, func() { total = n })
	}
	// The inbox, as much in the loop's hands, one message over, readers.
	if peak := pool.Stats().PeakLent; peak > 2*(1<<20+256<<10)+conns*256<<10 {
		t.Errorf("held %d bytes at once", peak)
	}
}

// FuzzNative reads arbitrary bytes in arbitrary cuts: no panic, no more memory
// than the limits allow, and what comes out does not depend on the cuts.
func FuzzNative(f *testing.F) {
	limits := testLimits()
	f.Fuzz(func(t *testing.T, input []byte, cut uint8) {
		whole := decodeAll(t, &chunks{data: input, n: len(input) + 1}, limits)
		parts := decodeAll(t, &chunks{data: input, n: int(cut) + 1}, limits)
		if whole != parts {
			t.Errorf("in one: %s\nin parts: %s", whole, parts)
		}
	})
}

func decodeAll(t *testing.T, c net.Conn, limits *p2p.Limits) string {
	pool := NewBufferPool(0)
	r := NewReader(c)
	f := &Frame{pool: pool}
	var out strings.Builder
	for {
		f.reset()
		err := r.await()
		if err == nil {
			err = Native{}.ReadHead(r, f, limits)
		}
		if err != nil {
			f.releaseHead()
			fmt.Fprintf(&out, "%v", err)
			break
		}
		if f.BodyLen < 0 || len(f.Head())+f.BodyLen > 256<<10+bulkHead {
			t.Fatalf("head %d body %d", len(f.Head()), f.BodyLen)
		}
		body := pool.Get(f.BodyLen)
		err = r.ReadFull(body.Bytes())
		fmt.Fprintf(&out, "%v %x %x %v\n", f.Type, f.Head(), checksum(body.Bytes()), err != nil)
		if err != nil {
			out.Reset() // the content of an incomplete body is undefined
		}
		body.Release()
		f.releaseHead()
		if err != nil {
			break
		}
	}
	if s := pool.Stats(); s.Lent != 0 {
		t.Fatalf("%d bytes not released", s.Lent)
	}
	return out.String()
}

// chunks is a connection that returns at most n bytes a read.
type chunks struct {
	net.Conn
	data []byte
	n    int
}

func (c *chunks) Read(p []byte) (int, error) {
	if len(c.data) == 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(len(p), c.n)], c.data)
	c.data = c.data[n:]
	return n, nil
}

// TestNativeRoundTrip encodes and decodes.
func TestNativeRoundTrip(t *testing.T) {
	body := []byte("the body")
	m := p2p.Message{Type: typeBulk, Head: []byte("twelve bytes"), Body: &memBody{data: body}}
	b := Native{}.AppendHead([]byte("before"), &m)
	want := "before" + "BULK\x00\x00\x00\x14" + "twelve bytes"
	if string(b) != want {
		t.Fatalf("encoded %q, want %q", b, want)
	}
	r := NewReader(&chunks{data: append(b[len("before"):], body...), n: 5})
	f := &Frame{pool: NewBufferPool(0)}
	if err := (Native{}).ReadHead(r, f, testLimits()); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, f.BodyLen)
	if err := r.ReadFull(got); err != nil || !bytes.Equal(got, body) || string(f.Head()) != "twelve bytes" {
		t.Errorf("decoded head %q body %q, %v", f.Head(), got, err)
	}
}
