package pex

import (
	"encoding/binary"
	"net/netip"

	"starling/internal/benc"
	"starling/p2p"
)

const (
	// MaxPayload is the most bytes of a message that Parse looks at.
	MaxPayload = 32 << 10
	// maxEntries bounds the addresses of one message, of both families, added
	// and dropped. A first message has as many as its sender has connections.
	maxEntries = 1000
)

// Parse reads a ut_pex message. It returns each usable address once; an address
// that is both added and dropped counts as added. Errors are *p2p.ProtocolError
// of ReasonBadMessage or ReasonTooLarge.
func Parse(payload []byte) (Message, error) {
	if len(payload) > MaxPayload {
		return Message{}, p2p.Violation(p2p.ReasonTooLarge, "a ut_pex message of %d bytes, more than %d", len(payload), MaxPayload)
	}
	if err := benc.Scan(payload, benc.WireLimits()); err != nil {
		return Message{}, p2p.Violation(p2p.ReasonBadMessage, "ut_pex: %w", err)
	}
	if !benc.IsDict(payload) {
		return Message{}, p2p.Violation(p2p.ReasonBadMessage, "ut_pex: not a dictionary")
	}
	var f fields
	for key, value := range benc.Dict(payload) {
		dst := f.of(string(key))
		if dst == nil {
			continue
		}
		var ok bool
		if *dst, ok = benc.Bytes(value); !ok {
			return Message{}, p2p.Violation(p2p.ReasonBadMessage, "ut_pex: %q is not a string", key)
		}
	}
	if err := f.check(); err != nil {
		return Message{}, err
	}
	return f.message(), nil
}

// fields are the strings of a message; nil where there is none.
type fields struct {
	added, flags, dropped    []byte
	added6, flags6, dropped6 []byte
}

func (f *fields) of(key string) *[]byte {
	switch key {
	case "added":
		return &f.added
	case "added.f":
		return &f.flags
	case "added6":
		return &f.added6
	case "added6.f":
		return &f.flags6
	case "dropped":
		return &f.dropped
	case "dropped6":
		return &f.dropped6
	}
	return nil
}

func (f *fields) check() error {
	entries := 0
	for _, list := range [...]struct {
		name  string
		bytes []byte
		size  int
	}{
		{"added", f.added, size4}, {"dropped", f.dropped, size4},
		{"added6", f.added6, size6}, {"dropped6", f.dropped6, size6},
	} {
		if len(list.bytes)%list.size != 0 {
			return p2p.Violation(p2p.ReasonBadMessage, "ut_pex: %d bytes of %q, not a multiple of %d", len(list.bytes), list.name, list.size)
		}
		entries += len(list.bytes) / list.size
	}
	if entries > maxEntries {
		return p2p.Violation(p2p.ReasonTooLarge, "ut_pex: %d addresses, more than %d", entries, maxEntries)
	}
	if n := len(f.added) / size4; len(f.flags) > 0 && len(f.flags) != n {
		return p2p.Violation(p2p.ReasonBadMessage, "ut_pex: %d flags for %d IPv4 peers", len(f.flags), n)
	}
	if n := len(f.added6) / size6; len(f.flags6) > 0 && len(f.flags6) != n {
		return p2p.Violation(p2p.ReasonBadMessage, "ut_pex: %d flags for %d IPv6 peers", len(f.flags6), n)
	}
	return nil
}

// message reads checked fields.
func (f *fields) message() Message {
	var m Message
	seen := map[netip.AddrPort]bool{}
	add := func(list, flags []byte, size int) {
		for i := range len(list) / size {
			a := addrAt(list, i, size)
			if seen[a] || !possible(a) {
				continue
			}
			seen[a] = true
			p := Peer{Addr: a}
			if len(flags) > 0 {
				p.Flags = Flags(flags[i])
			}
			m.Added = append(m.Added, p)
		}
	}
	drop := func(list []byte, size int) {
		for i := range len(list) / size {
			a := addrAt(list, i, size)
			if !seen[a] && possible(a) {
				seen[a] = true
				m.Dropped = append(m.Dropped, a)
			}
		}
	}
	add(f.added, f.flags, size4)
	add(f.added6, f.flags6, size6)
	drop(f.dropped, size4)
	drop(f.dropped6, size6)
	return m
}

func addrAt(list []byte, i, size int) netip.AddrPort {
	b := list[i*size : (i+1)*size]
	addr, _ := netip.AddrFromSlice(b[:size-2])
	return netip.AddrPortFrom(addr.Unmap(), binary.BigEndian.Uint16(b[size-2:]))
}

// broadcast is the one IPv4 address of all hosts that netip does not know as
// such.
var broadcast = netip.AddrFrom4([4]byte{255, 255, 255, 255})

// possible says whether a peer can have the address.
func possible(a netip.AddrPort) bool {
	addr := a.Addr()
	return addr.IsValid() && a.Port() != 0 && !addr.IsUnspecified() && !addr.IsMulticast() && addr != broadcast
}
