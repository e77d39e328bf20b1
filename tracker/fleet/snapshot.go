package fleet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"time"
	"unicode/utf8"
)

// A snapshot holds the hosts that have all that they want: those that left will not
// say so again, and nor will those that leave while the tracker is away. It is a run
// of records, one a swarm, in the order of their infohashes:
//
//	20  infohash
//	 4  n, big-endian as all numbers here
//	 n x host
//
// and a host is
//
//	20  peer id
//	 1  state
//	 1  flags
//	16  address, IPv4 as IPv4-mapped IPv6, and 2 port
//	 8  bytes wanted
//	 4  seconds since it was heard of
//	 n  texts, each with its length in 1 byte before it: the name, then for each
//	    label its name and its value
//
// The flags are the number of labels, and wholeFlag for who has every part of the
// content, wanted or not.
const (
	snapshotHeader = 20 + 4
	snapshotHost   = 20 + 1 + 1 + 16 + 2 + 8 + 4 + 1
	wholeFlag      = 0x80
)

// AppendSnapshot appends the hosts that have all to b.
func (s *Store) AppendSnapshot(b []byte, now time.Duration) []byte {
	for _, hash := range s.Hashes() {
		at := len(b)
		b = append(b, hash[:]...)
		b = binary.BigEndian.AppendUint32(b, 0)
		n := uint32(0)
		for i := range s.swarms[hash].hosts {
			if h := &s.swarms[hash].hosts[i]; h.complete() {
				b = h.appendSnapshot(b, now)
				n++
			}
		}
		if n == 0 {
			b = b[:at]
			continue
		}
		binary.BigEndian.PutUint32(b[at+len(hash):], n)
	}
	return b
}

func (h *host) appendSnapshot(b []byte, now time.Duration) []byte {
	flags := byte(len(h.labels))
	if h.whole() {
		flags |= wholeFlag
	}
	ip := h.Addr.Addr().As16()
	b = append(b, h.ID[:]...)
	b = append(b, byte(h.State), flags)
	b = append(b, ip[:]...)
	b = binary.BigEndian.AppendUint16(b, h.Addr.Port())
	b = binary.BigEndian.AppendUint64(b, uint64(h.Size))
	b = binary.BigEndian.AppendUint32(b, uint32(max(0, min((now-h.seen)/time.Second, 1<<32-1))))
	b = appendText(b, h.node)
	for _, l := range h.labels {
		b = appendText(appendText(b, l.Name), l.Value)
	}
	return b
}

func appendText(b []byte, text string) []byte {
	return append(append(b, byte(len(text))), text...)
}

var errSnapshot = errors.New("damaged fleet snapshot")

// Restore takes in a snapshot that was written so long before now, and returns how
// many hosts it has kept: it applies the store's bounds, and leaves out who is known
// or over by now. With present, who was there may still be, and has a whole TTL to say
// so; without, all have left. The store is sound whatever the bytes are.
func (s *Store) Restore(now time.Duration, b []byte, away time.Duration, present bool) (kept int, err error) {
	for len(b) > 0 {
		if len(b) < snapshotHeader {
			return kept, fmt.Errorf("%w: %d bytes where a swarm begins", errSnapshot, len(b))
		}
		hash := [20]byte(b)
		n := binary.BigEndian.Uint32(b[len(hash):])
		b = b[snapshotHeader:]
		for ; n > 0; n-- {
			h, size, err := parseHost(b)
			if err != nil {
				return kept, err
			}
			b = b[size:]
			if age := h.seen; h.State == Left || !present {
				if age >= s.cfg.KeepLeft-max(0, away) {
					continue
				}
				h.State, h.seen = Left, now-age-max(0, away)
			} else {
				h.seen = now
			}
			if s.restore(now, hash, &h) {
				kept++
			}
		}
	}
	return kept, nil
}

// restore lists one host, whose seen is set, unless it is known or there is no room.
func (s *Store) restore(now time.Duration, hash [20]byte, h *host) bool {
	g := s.swarms[hash]
	if g != nil && g.find(h.Addr, h.ID) >= 0 {
		return false
	}
	if s.totals.Hosts >= s.cfg.MaxHosts || s.text+h.textSize() > s.cfg.MaxBytes || s.crowded(h.Addr.Addr()) {
		return false
	}
	if g == nil {
		g = s.newGroup(now, hash)
	}
	to := g.add(s, &h.Report)
	*to = *h
	s.text += to.textSize()
	s.count(to, 1)
	if to.State == Left {
		g.leave(s, to)
	}
	g.due = min(g.due, s.until(to))
	return true
}

// parseHost reads one host of a snapshot and how many bytes it takes. Its seen is how
// long before the snapshot it was heard of.
func parseHost(b []byte) (h host, size int, err error) {
	if len(b) < snapshotHost {
		return h, 0, fmt.Errorf("%w: %d bytes where a host begins", errSnapshot, len(b))
	}
	flags := b[21]
	ip, port := netip.AddrFrom16([16]byte(b[22:38])).Unmap(), binary.BigEndian.Uint16(b[38:])
	wanted := int64(binary.BigEndian.Uint64(b[40:]))
	h = host{
		Report: Report{ID: [20]byte(b), State: State(b[20]), Addr: netip.AddrPortFrom(ip, port), Size: wanted, Done: wanted},
		seen:   time.Duration(binary.BigEndian.Uint32(b[48:])) * time.Second,
	}
	labels := int(flags &^ wholeFlag)
	if h.State > Left || labels > MaxLabels || port == 0 || wanted < 0 {
		return h, 0, fmt.Errorf("%w: state %d, %d labels, port %d, %d bytes", errSnapshot, h.State, labels, port, wanted)
	}
	if flags&wholeFlag != 0 {
		for k := range h.Have {
			h.Have[k] = 255
		}
	}
	size = snapshotHost - 1 // where the first text begins
	text := func() (s string) {
		if err == nil {
			s, size, err = parseText(b, size)
		}
		return s
	}
	h.node = text()
	for range labels {
		l := Label{Name: text(), Value: text()}
		if h.labels = append(h.labels, l); err == nil && l.Name == "" {
			err = fmt.Errorf("%w: a label without a name", errSnapshot)
		}
	}
	return h, size, err
}

// parseText reads the text at a place of a snapshot, and where the next one begins.
func parseText(b []byte, at int) (text string, next int, err error) {
	if at >= len(b) || int(b[at]) > len(b)-at-1 || !ValidText(b[at+1:at+1+int(b[at])]) {
		return "", at, fmt.Errorf("%w: no text at byte %d", errSnapshot, at)
	}
	next = at + 1 + int(b[at])
	return string(b[at+1 : next]), next, nil
}

// ValidText says whether a host may be called so, or a label of its: at most MaxText
// bytes of UTF-8 without control characters.
func ValidText(b []byte) bool {
	if len(b) > MaxText || !utf8.Valid(b) {
		return false
	}
	for _, c := range b {
		if c < ' ' || c == 0x7f {
			return false
		}
	}
	return true
}
