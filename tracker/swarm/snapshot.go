package swarm

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"
)

// A snapshot is a run of records, one a swarm, in the order of their infohashes:
//
//	20  infohash
//	 4  downloaded        big-endian, as all numbers here
//	 4  n4, 4  n6         numbers of peers
//	n4 x (20 peer id, 6 address and port, 1 flags)
//	n6 x (20 peer id, 18 address and port, 1 flags)
//
// The peers that keep our interval come first, then the others, each by their last
// announce, the oldest first. Which is which follows from the peer id, by the
// configuration of the store that reads it. No times are kept: after a restart
// nobody could have announced meanwhile, so everyone gets a full TTL. The flags are
// those of set.go, but for flagPublic and flagLax, which are found anew.
const (
	recordHeader = 20 + 4 + 4 + 4
	record4      = 20 + 6 + 1
	record6      = 20 + 18 + 1
)

// AppendSnapshot appends the store's peers and download counts to b.
func (s *Store) AppendSnapshot(b []byte) []byte {
	hashes := make([]InfoHash, 0, len(s.swarms))
	for h, w := range s.swarms {
		if !w.empty() || w.downloaded > 0 {
			hashes = append(hashes, h)
		}
	}
	slices.SortFunc(hashes, func(x, y InfoHash) int { return bytes.Compare(x[:], y[:]) })
	for i := range hashes {
		w := s.swarms[hashes[i]]
		b = append(b, w.hash[:]...)
		b = binary.BigEndian.AppendUint32(b, w.downloaded)
		b = binary.BigEndian.AppendUint32(b, uint32(len(w.v4.peers)))
		b = binary.BigEndian.AppendUint32(b, uint32(len(w.v6.peers)))
		b = appendPeers(b, &w.v4)
		b = appendPeers(b, &w.v6)
	}
	return b
}

// keptFlags are the flags that a snapshot holds.
const keptFlags = flagSated | flagSeed | flagCounted

func appendPeers[A address](b []byte, s *set[A]) []byte {
	for _, o := range s.orders {
		for i := o.oldest; i != none; i = s.peers[i].next {
			p := &s.peers[i]
			b = append(b, p.id[:]...)
			b = appendAddr(b, &p.addr)
			b = append(b, p.flags&keptFlags)
		}
	}
	return b
}

var errSnapshot = errors.New("damaged swarm snapshot")

// NextSwarm reads the infohash of the first record of a snapshot and the record's
// length, so that a caller can hand each record to the store that it belongs to.
func NextSwarm(b []byte) (h InfoHash, n int, err error) {
	if len(b) < recordHeader {
		return h, 0, fmt.Errorf("%w: %d bytes where a record begins", errSnapshot, len(b))
	}
	copy(h[:], b)
	n4 := int64(binary.BigEndian.Uint32(b[24:]))
	n6 := int64(binary.BigEndian.Uint32(b[28:]))
	size := recordHeader + n4*record4 + n6*record6
	if size > int64(len(b)) {
		return h, 0, fmt.Errorf("%w: a record of %d bytes in the last %d", errSnapshot, size, len(b))
	}
	return h, int(size), nil
}

// Restore takes in one record, the n bytes that NextSwarm reported; without
// withPeers only its download count. Peers count as seen now. It applies the store's
// limits, leaves out what is not a valid address, and returns the number of peers
// listed.
func (s *Store) Restore(now time.Duration, record []byte, withPeers bool) (peers int, err error) {
	h, n, err := NextSwarm(record)
	if err != nil {
		return 0, err
	}
	if n != len(record) {
		return 0, fmt.Errorf("%w: a record of %d bytes in %d", errSnapshot, n, len(record))
	}
	s.advance(now)
	w := s.swarms[h]
	if w == nil && !s.cfg.Open {
		return 0, nil
	}
	if w, err = s.ensure(h); err != nil {
		return 0, err
	}
	before := w.counts()
	w.downloaded = binary.BigEndian.Uint32(record[20:])
	if withPeers {
		peers = s.restorePeers(w, record)
	}
	s.recount(before, w.counts())
	s.settle(w)
	return peers, nil
}

// restorePeers lists the peers of a record.
func (s *Store) restorePeers(w *swarm, record []byte) (peers int) {
	n4 := binary.BigEndian.Uint32(record[24:])
	b := record[recordHeader:]
	for ; n4 > 0; n4-- {
		ip := netip.AddrFrom4([4]byte(b[20:]))
		ap := netip.AddrPortFrom(ip, binary.BigEndian.Uint16(b[24:]))
		peers += restore(s, w, &w.v4, addr4(b[20:]), [20]byte(b), ap, b[26])
		b = b[record4:]
	}
	for ; len(b) > 0; b = b[record6:] {
		ip := netip.AddrFrom16([16]byte(b[20:]))
		ap := netip.AddrPortFrom(ip, binary.BigEndian.Uint16(b[36:]))
		if ip.Is4In6() {
			continue
		}
		peers += restore(s, w, &w.v6, addr6(b[20:]), [20]byte(b), ap, b[38])
	}
	return peers
}

// restore lists one peer of a snapshot, and says how many that were: 0 or 1.
func restore[A address](s *Store, w *swarm, set *set[A], a A, id [20]byte, ap netip.AddrPort, flags uint8) int {
	if ap.Port() == 0 || !ap.Addr().IsValid() || set.find(a) != none {
		return 0
	}
	if flags &= keptFlags; flags&flagSeed != 0 {
		flags |= flagSated | flagCounted
	}
	p := peer[A]{id: id, addr: a, flags: flags, tokens: burst, seen: s.clock}
	p.classify(&s.cfg)
	if !join(s, w, set, &p, &Request{Addr: ap}) {
		return 0
	}
	return 1
}
