package canonical

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"net/netip"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// thin is what is kept of each byte behind the part that is kept whole.
const thin = 0x55

// Priority returns the rank of a connection between two peers, the higher the
// better. a and b are their public addresses with the ports at which they
// listen; the order does not matter. An IPv4 address in IPv6 form counts as
// IPv4, and zones do not count. Addresses of different families, or none, have
// the lowest rank, 0: the BEP does not compare those.
func Priority(a, b netip.AddrPort) uint32 {
	x, y := a.Addr().Unmap().WithZone(""), b.Addr().Unmap().WithZone("")
	if !x.IsValid() || x.BitLen() != y.BitLen() {
		return 0
	}
	if x == y {
		return ofPorts(a.Port(), b.Port())
	}
	return ofAddrs(x.AsSlice(), y.AsSlice())
}

func ofPorts(p, q uint16) uint32 {
	var buf [4]byte
	binary.BigEndian.PutUint16(buf[:], min(p, q))
	binary.BigEndian.PutUint16(buf[2:], max(p, q))
	return crc32.Checksum(buf[:], castagnoli)
}

// ofAddrs takes two different addresses of one family and masks them in place.
func ofAddrs(x, y []byte) uint32 {
	whole := 2
	if len(x) == 16 {
		whole = 6
	}
	differ := 0
	for x[differ] == y[differ] {
		differ++
	}
	for i := max(whole, differ+1); i < len(x); i++ {
		x[i] &= thin
		y[i] &= thin
	}
	if bytes.Compare(x, y) > 0 {
		x, y = y, x
	}
	return crc32.Update(crc32.Checksum(x, castagnoli), castagnoli, y)
}
