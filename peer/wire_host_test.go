package peer

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"time"

	"starling/choke"
	"starling/p2p"
	"starling/p2p/monitor"
	"starling/p2p/p2ptest"
	"starling/p2p/tcp"
	"starling/peer/bt"
	"starling/peer/wire"
	"starling/piece"
)

// wireHost is a p2p.Host that writes down the bytes of what is sent.
type wireHost struct {
	node *p2p.Node
	now  time.Time
	wake time.Time
	rng  *rand.Rand
	last p2p.ConnID
	page p2p.ConnID // the connection that the page is about
	said []string   // lines like those of the page
	jobs []p2p.Job
	open map[p2p.ConnID]*p2p.Traffic
	// wire makes the codec of a connection; nil: all are native.
	wire   func() tcp.Codec
	codecs map[p2p.ConnID]tcp.Codec
	// metadata is the info dictionary that the torrent is said to have.
	metadata []byte
	// engine is nil where the node is no peer.
	engine *Engine
}

func newWireHost(scene func(h *wireHost)) *wireHost {
	h := &wireHost{now: p2ptest.Epoch, rng: rand.New(rand.NewPCG(1, 1)), open: map[p2p.ConnID]*p2p.Traffic{}, codecs: map[p2p.ConnID]tcp.Codec{}}
	scene(h)
	return h
}

func (h *wireHost) Now() time.Time     { return h.now }
func (h *wireHost) Rand() *rand.Rand   { return h.rng }
func (h *wireHost) WakeAt(t time.Time) { h.wake = t }
func (h *wireHost) Run(j p2p.Job)      { h.jobs = append(h.jobs, j) }

func (h *wireHost) Dial(addr string) p2p.ConnID {
	h.last++
	h.said = append(h.said, "d "+addr)
	return h.last
}

func (h *wireHost) Traffic(c p2p.ConnID) p2p.Traffic {
	if t := h.open[c]; t != nil {
		return *t
	}
	return p2p.Traffic{}
}

func (h *wireHost) Close(c p2p.ConnID, reason error) {
	if h.open[c] != nil {
		delete(h.open, c)
		h.say(c, "x "+p2p.ReasonOf(reason).String())
	}
}

// Send encodes as the TCP host does.
func (h *wireHost) Send(c p2p.ConnID, m p2p.Message) error {
	t := h.open[c]
	if t == nil {
		return p2p.ErrClosed
	}
	codec := h.codecs[c]
	if codec == nil {
		codec = tcp.Native{}
	}
	b := codec.AppendHead(nil, &m)
	if len(b) == 0 { // this wire has no such message
		if m.Body != nil {
			m.Body.Release()
		}
		return nil
	}
	if m.Body != nil {
		b = append(b, m.Body.(tcp.BytesBody).Bytes()...)
		m.Body.Release()
	}
	t.Out += uint64(len(b))
	h.say(c, "< "+hex.EncodeToString(b))
	return nil
}

// say notes what happens on the page's connection.
func (h *wireHost) say(c p2p.ConnID, line string) {
	if c == h.page {
		h.said = append(h.said, line)
	}
}

func (h *wireHost) accept(addr string) {
	h.last++
	h.page = h.last
	h.open[h.page] = &p2p.Traffic{}
	if h.wire != nil {
		h.codecs[h.page] = h.wire()
	}
	h.node.Opened(p2p.ConnInfo{ID: h.page, Addr: addr})
}

// receive delivers one frame within the node's limits, cut as the TCP host cuts
// it, and finishes what it sets off.
func (h *wireHost) receive(frame []byte) error {
	if c := h.codecs[h.page]; c != nil {
		return h.decode(c, frame)
	}
	if len(frame) < p2p.HeaderSize {
		return fmt.Errorf("a frame of %d bytes", len(frame))
	}
	typ, length := p2p.ParseHeader(frame)
	data := frame[p2p.HeaderSize:]
	spec, _ := h.node.Limits().For(typ)
	if int(length) != len(data) || len(data) > spec.Max {
		return fmt.Errorf("%v says %d bytes, has %d and may have %d", typ, length, len(data), spec.Max)
	}
	m := p2p.Message{Type: typ, Head: data}
	if spec.Head > 0 && len(data) > spec.Head {
		m.Head, m.Body = data[:spec.Head], p2ptest.NewBody(data[spec.Head:])
	}
	if t := h.open[h.page]; t != nil {
		t.In += uint64(len(frame))
		h.node.Received(h.page, &m)
	}
	h.work()
	return nil
}

// decode delivers what a codec makes of bytes, which must be whole messages.
func (h *wireHost) decode(c tcp.Codec, b []byte) error {
	r := tcp.NewReader(wireFeed{Reader: bytes.NewReader(b)})
	for {
		if p, ok := c.(interface{ Pending() bool }); !ok || !p.Pending() {
			if _, err := r.Peek(1); err != nil {
				return nil
			}
		}
		f := tcp.NewFrame(tcp.NewBufferPool(0))
		if err := c.ReadHead(r, f, h.node.Limits()); err != nil {
			return err
		}
		m := p2p.Message{Type: f.Type, Head: f.Head()}
		if f.BodyLen > 0 {
			body := make([]byte, f.BodyLen)
			if err := r.ReadFull(body); err != nil {
				return err
			}
			m.Body = p2ptest.NewBody(body)
		}
		if t := h.open[h.page]; t != nil && m.Type != 0 {
			t.In += uint64(p2p.HeaderSize + m.Len())
			h.node.Received(h.page, &m)
		}
		h.work()
	}
}

// wireFeed is a connection that has all its input already.
type wireFeed struct {
	net.Conn
	io.Reader
}

func (f wireFeed) Read(p []byte) (int, error) { return f.Reader.Read(p) }

func (h *wireHost) work() {
	for len(h.jobs) > 0 {
		j := h.jobs[0]
		h.jobs = h.jobs[1:]
		j.Do(context.Background())
		h.node.Done(j)
	}
}

func (h *wireHost) pass(d time.Duration) {
	end := h.now.Add(d)
	for !h.wake.IsZero() && !h.wake.After(end) {
		h.now, h.wake = h.wake, time.Time{}
		h.node.Wake()
		h.work()
	}
	h.now = end
}

// wireScenes set up the other end of each example: who it is, and what it has.
var wireScenes = map[string]func(h *wireHost){
	"framework": func(h *wireHost) {
		h.node = p2p.NewNode(h, p2p.Config{ID: "alice", Addr: "10.0.0.1:7000"})
	},
	"monitor": func(h *wireHost) {
		h.node = p2p.NewNode(h, p2p.Config{Addr: "10.0.0.1:6980"})
		monitor.New(h.node, monitor.Config{})
	},
	// Pieces 0 and 2 of three, of 16 KiB, 16 KiB and 5 bytes.
	"serve": func(h *wireHost) { h.torrent(2<<14+5, 0, 2) },
	// The same for those who begin as BEP 3 has it.
	"client": func(h *wireHost) {
		h.wire, h.metadata = func() tcp.Codec { return bt.Listener() }, []byte("d4:name5:helloe")
		h.torrent(2<<14+5, 0, 2)
	},
	"ours": func(h *wireHost) {
		h.wire = func() tcp.Codec { return bt.Listener() }
		h.torrent(2<<14+5, 0, 2)
	},
	// Nothing of a torrent of 5 bytes.
	"fetch": func(h *wireHost) { h.torrent(5) },
	// All of six pieces, and a second leecher that has the last two.
	"guided": func(h *wireHost) {
		h.torrent(6<<14, 0, 1, 2, 3, 4, 5)
		h.accept("10.0.0.3:50003")
		hello := (&wire.Hello{
			Version: 1, InfoHash: wireInfoHash, PeerID: [20]byte{3}, MaxQueue: 64, MaxRequest: 1 << 18,
		}).Append(nil)
		for _, m := range []p2p.Message{{Type: wire.HELO, Head: hello}, {Type: wire.BITF, Head: []byte{0b00001100}}} {
			if err := h.receive(tcp.Native{}.AppendHead(nil, &m)); err != nil {
				panic(err)
			}
		}
		h.said = nil
	},
}

var wireInfoHash = [20]byte(bytes.Repeat([]byte{0xaa}, 20))

// torrent makes the node a peer of a torrent of size bytes, in pieces of 16 KiB,
// which ends in "hello" and of which it has some pieces.
func (h *wireHost) torrent(size int64, pieces ...int) {
	h.node = p2p.NewNode(h, p2p.Config{ID: "0202020202020202", Addr: "10.0.0.2:6881"})
	geo := piece.Geometry{TotalLength: size, PieceLength: 1 << 14}
	full := make([]byte, size)
	copy(full[size-5:], "hello")
	have := piece.NewBitfield(geo.NumPieces())
	for _, i := range pieces {
		have.Set(i)
	}
	policy, err := choke.New(choke.TitForTat, choke.Default())
	if err != nil {
		panic(err)
	}
	h.engine = NewEngine(h.node, EngineConfig{
		InfoHash: wireInfoHash, PeerID: [20]byte(bytes.Repeat([]byte{0x02}, 20)), ListenPort: 6881,
		Geometry: geo, Have: have, Content: newMemory(geo, full, len(pieces) > 0), Policy: policy,
		Rechoke: 10 * time.Second, SnubAfter: time.Minute, MaxRemotes: 50, Metadata: h.metadata,
	})
	h.engine.Start(nil)
	h.node.Wake()
}
