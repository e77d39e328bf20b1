package tracker

import (
	"errors"
	"net/netip"

	"starling/internal/benc"
	"starling/tracker/swarm"
)

// appendReply appends the bencoded answer to an announce. Keys stand in the
// order that bencode wants. A host that can report is told after how many seconds to
// do so, if it is to at all.
func appendReply(b []byte, q *query, r *swarm.Response, trackerID string, reportEvery int64) []byte {
	b = append(b, "d8:complete"...)
	b = benc.AppendInt(b, int64(r.Complete))
	b = append(b, "10:downloaded"...)
	b = benc.AppendInt(b, int64(r.Downloaded))
	b = append(b, "11:external ip"...)
	b = appendIP(b, q.Addr.Addr())
	b = append(b, "10:incomplete"...)
	b = benc.AppendInt(b, int64(r.Incomplete))
	b = append(b, "8:interval"...)
	b = benc.AppendInt(b, int64(r.Interval.Seconds()))
	b = append(b, "12:min interval"...)
	b = benc.AppendInt(b, int64(r.MinInterval.Seconds()))
	b = append(b, "5:peers"...)
	if q.compact {
		b = benc.AppendBytes(b, r.Peers)
		if len(r.Peers6) > 0 {
			b = append(b, "6:peers6"...)
			b = benc.AppendBytes(b, r.Peers6)
		}
	} else {
		b = appendPeerList(b, r)
	}
	b = append(b, "10:tracker id"...)
	b = benc.AppendString(b, trackerID)
	if r.Unlisted {
		b = append(b, "15:warning message"...)
		b = benc.AppendString(b, "too many peers at your address: you are not listed")
	}
	if reportEvery > 0 && q.told.able {
		b = append(b, "8:x_report"...)
		b = benc.AppendInt(b, reportEvery)
	}
	return append(b, 'e')
}

// appendIP appends an address as BEP 24 has it: 4 or 16 bytes.
func appendIP(b []byte, ip netip.Addr) []byte {
	if ip.Is4() {
		a := ip.As4()
		return benc.AppendBytes(b, a[:])
	}
	a := ip.As16()
	return benc.AppendBytes(b, a[:])
}

// appendPeerList appends the dictionary form of BEP 3. Both families go into the
// one list.
func appendPeerList(b []byte, r *swarm.Response) []byte {
	b = append(b, 'l')
	ids := r.IDs
	one := func(ip netip.Addr, port []byte) {
		b = append(b, "d2:ip"...)
		b = benc.AppendString(b, ip.String())
		if len(ids) > 0 {
			b = append(b, "7:peer id"...)
			b = benc.AppendBytes(b, ids[:20])
			ids = ids[20:]
		}
		b = append(b, "4:port"...)
		b = benc.AppendInt(b, int64(port[0])<<8|int64(port[1]))
		b = append(b, 'e')
	}
	for p := r.Peers; len(p) > 0; p = p[6:] {
		one(netip.AddrFrom4([4]byte(p)), p[4:6])
	}
	for p := r.Peers6; len(p) > 0; p = p[18:] {
		one(netip.AddrFrom16([16]byte(p)), p[16:18])
	}
	return append(b, 'e')
}

// appendFailure appends a failure reason and when to come again (BEP 31): a fault
// of the request itself will not pass, a full tracker may. What passes within
// seconds, a torrent that is not known yet or too many announces, has no such hint:
// a minute is the least that it can say.
func appendFailure(b []byte, err error) []byte {
	b = append(b, "d14:failure reason"...)
	b = benc.AppendString(b, err.Error())
	switch {
	case errors.Is(err, swarm.ErrTooOften), errors.Is(err, swarm.ErrUnregistered):
	case errors.Is(err, swarm.ErrFull):
		b = append(b, "8:retry ini5e"...)
	default:
		b = append(b, "8:retry in5:never"...)
	}
	return append(b, 'e')
}
