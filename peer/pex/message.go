package pex

import (
	"encoding/binary"
	"net/netip"

	"starling/internal/benc"
)

// Flags say what is known of a peer. A bit that is not set says nothing.
type Flags uint8

// The flags of BEP 11.
const (
	Encryption Flags = 1 << iota // prefers message-stream encryption
	Seed                         // has all, or uploads only
	UTP                          // supports uTP
	Holepunch                    // supports ut_holepunch (BEP 55)
	Reachable                    // somebody has connected to it
)

// Peer is an address at which a peer listens, and what is known of it.
type Peer struct {
	Addr  netip.AddrPort
	Flags Flags
}

// Message is one ut_pex message. IPv4 addresses are in their 4-byte form.
type Message struct {
	Added   []Peer
	Dropped []netip.AddrPort
}

// The lengths of an address with its port.
const (
	size4 = 6
	size6 = 18
)

// Append appends the message as a dictionary to dst. Addresses must be valid and
// without a zone; the order within a family stays.
func (m Message) Append(dst []byte) []byte {
	var added, flags, dropped [2][]byte
	for _, p := range m.Added {
		f := family(p.Addr)
		added[f] = appendAddr(added[f], p.Addr)
		flags[f] = append(flags[f], byte(p.Flags))
	}
	for _, a := range m.Dropped {
		f := family(a)
		dropped[f] = appendAddr(dropped[f], a)
	}
	dst = append(dst, 'd')
	dst = appendField(dst, "added", added[0])
	dst = appendField(dst, "added.f", flags[0])
	dst = appendField(dst, "added6", added[1])
	dst = appendField(dst, "added6.f", flags[1])
	dst = appendField(dst, "dropped", dropped[0])
	dst = appendField(dst, "dropped6", dropped[1])
	return append(dst, 'e')
}

// family is 0 for IPv4 and 1 for IPv6.
func family(a netip.AddrPort) int {
	if a.Addr().Unmap().Is4() {
		return 0
	}
	return 1
}

func appendAddr(dst []byte, a netip.AddrPort) []byte {
	dst = append(dst, a.Addr().Unmap().AsSlice()...)
	return binary.BigEndian.AppendUint16(dst, a.Port())
}

func appendField(dst []byte, key string, value []byte) []byte {
	if len(value) == 0 {
		return dst
	}
	return benc.AppendBytes(benc.AppendString(dst, key), value)
}
