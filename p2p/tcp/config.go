package tcp

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"starling/internal/descriptors"
	"starling/p2p"
)

// Bounds that are not configurable: each is a property of this code rather
// than of a fleet.
const (
	// readBuffer is the buffer of a connection's input. One read fetches
	// this much of small messages; a Body takes what is there and goes
	// around it for the rest.
	readBuffer = 16 << 10
	// inlineHead is the largest head that travels inside an event. The
	// messages that are many (have, request, piece) are below it.
	inlineHead = 48
	// minRate is the slowest that a message may arrive once it has begun,
	// in bytes a second, on top of FrameTimeout.
	minRate = 16 << 10
	// lingerBytes is how much of a closed connection's input is thrown away
	// while its last messages go out. Closing a socket that has unread
	// input resets it, and a reset destroys what the other end has not read.
	lingerBytes = 1 << 20
	// keepOutbox is the largest buffer an idle outbox keeps.
	keepOutbox = 16 << 10
)

// Config makes a Host. The zero value of a field means its default.
type Config struct {
	// Seed seeds Rand; 0 draws one.
	Seed uint64
	// Logger hears of closed connections at Debug. Default: nothing.
	Logger *slog.Logger
	// Pool runs the jobs. Default: a pool of the host's own.
	Pool *Pool
	// Buffers is where received bodies live, shared by the hosts of a
	// process. Default: one of the host's own.
	Buffers *BufferPool
	// MaxConns bounds the connections that hold a descriptor, those that
	// linger after Close included. More are refused. Default 200.
	MaxConns int
	// MaxDials bounds the dials under way; more wait. Default 50.
	MaxDials int
	// DialTimeout bounds one dial. Default 10 s.
	DialTimeout time.Duration
	// WriteTimeout is how long the other end may take no byte of what waits
	// for it before it is closed as a slow reader, give or take a quarter.
	// Default 30 s.
	WriteTimeout time.Duration
	// FrameTimeout bounds the arrival of one message from its first byte to
	// its last, with one second more for every 16 KiB of it. Default 30 s.
	FrameTimeout time.Duration
	// Linger is how long a connection's last messages may take to leave
	// after Close. Default 2 s; a quarter of it when the host stops.
	Linger time.Duration
	// ControlBytes bounds the control messages that wait in one outbox; as
	// many may be on their way out. Default 512 KiB.
	ControlBytes int
	// BulkMessages bounds the messages with a Body that wait in one outbox;
	// one more may be on its way out. Default 4.
	BulkMessages int
	// InboxEvents and InboxBytes bound what waits for the loop. As much may
	// have been taken out and be in the loop's hands. Defaults 256, 4 MiB.
	InboxEvents, InboxBytes int
	// LocalAddr is the address to dial from. Default: the system's choice.
	LocalAddr netip.Addr
	// Dial makes a connection, within ctx. Default: TCP from LocalAddr.
	Dial func(ctx context.Context, addr string) (net.Conn, error)
	// DialCodec chooses the wire of a dialed connection. Default: Native.
	DialCodec func(addr string) Codec
}

func (c Config) withDefaults() Config {
	def := func(p *int, v int) {
		if *p <= 0 {
			*p = v
		}
	}
	defTime := func(p *time.Duration, v time.Duration) {
		if *p <= 0 {
			*p = v
		}
	}
	def(&c.MaxConns, 200)
	def(&c.MaxDials, 50)
	def(&c.ControlBytes, 512<<10)
	def(&c.BulkMessages, 4)
	def(&c.InboxEvents, 256)
	def(&c.InboxBytes, 4<<20)
	defTime(&c.DialTimeout, 10*time.Second)
	defTime(&c.WriteTimeout, 30*time.Second)
	defTime(&c.FrameTimeout, 30*time.Second)
	defTime(&c.Linger, 2*time.Second)
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Buffers == nil {
		c.Buffers = NewBufferPool(0)
	}
	if c.Dial == nil {
		c.Dial = DialFrom(c.LocalAddr)
	}
	if c.DialCodec == nil {
		c.DialCodec = func(string) Codec { return Native{} }
	}
	return c
}

// DialFrom returns a Config.Dial that connects from an address, if it is valid, and
// leaves the last descriptors alone.
func DialFrom(local netip.Addr) func(ctx context.Context, addr string) (net.Conn, error) {
	d := net.Dialer{Control: descriptors.Spare}
	if local.IsValid() {
		d.LocalAddr = &net.TCPAddr{IP: local.AsSlice(), Zone: local.Zone()}
	}
	return func(ctx context.Context, addr string) (net.Conn, error) { return d.DialContext(ctx, "tcp", addr) }
}

// DefaultWorkers is how many workers a pool has for each class: two each for the
// disk, which hashing shares, and for flushes, and four for requests to other
// services.
var DefaultWorkers = [p2p.NumClasses]int{p2p.Disk: 2, p2p.Flush: 2, p2p.Network: 4}
