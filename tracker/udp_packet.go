package tracker

import (
	"encoding/binary"
	"math"

	"starling/tracker/swarm"
)

// Actions of a UDP tracker's packets, and the number that begins a connect request
// (BEP 15). All numbers are big-endian.
const (
	udpConnect  = 0
	udpAnnounce = 1
	udpScrape   = 2
	udpError    = 3

	udpMagic = 0x41727101980
)

// Lengths of packets, in bytes: of requests up to what may follow, of replies up
// to their list.
const (
	udpHeadLen          = 16 // connection id, action, transaction id: every request
	udpAnnounceLen      = 98
	udpReplyHeadLen     = 8 // action, transaction id
	udpConnectReplyLen  = 16
	udpAnnounceReplyLen = 20
	udpScrapeEntryLen   = 12
)

const (
	// maxUDPScrape is the infohashes of one scrape (BEP 15).
	maxUDPScrape = 74
	// maxUDPRequest bounds a request that a tracker reads: a full scrape has
	// 1,496 bytes, an announce what its options (BEP 41) need.
	maxUDPRequest = 2 << 10
	// maxUDPAnswer is the most that we send in one packet: what IPv6 carries
	// over any link in one piece.
	maxUDPAnswer = 1232
	// maxUDPReply bounds a reply that a client reads; some trackers send
	// more than a link carries in one piece.
	maxUDPReply = 8 << 10
)

// udpEvents are the events by their numbers here. A partial seed's (BEP 21) has
// none.
var udpEvents = [...]swarm.Event{swarm.None, swarm.Completed, swarm.Started, swarm.Stopped}

func udpEventOf(e swarm.Event) uint32 {
	for n, known := range udpEvents {
		if e == known {
			return uint32(n)
		}
	}
	return 0
}

// udpRequest is a request's head and what follows it.
type udpRequest struct {
	id          uint64
	action, tid uint32
	rest        []byte
}

func parseUDPRequest(b []byte) (r udpRequest, ok bool) {
	if len(b) < udpHeadLen {
		return r, false
	}
	return udpRequest{
		id: binary.BigEndian.Uint64(b), action: binary.BigEndian.Uint32(b[8:]), tid: binary.BigEndian.Uint32(b[12:]),
		rest: b[udpHeadLen:],
	}, true
}

func appendUDPRequest(b []byte, id uint64, action, tid uint32) []byte {
	b = binary.BigEndian.AppendUint64(b, id)
	b = binary.BigEndian.AppendUint32(b, action)
	return binary.BigEndian.AppendUint32(b, tid)
}

// parseUDPAnnounce reads the rest of an announce, which is whole, into q, but for
// its address. The address in it is ignored like an "ip=" over HTTP. url is room
// for the URL data among its options (BEP 41), from which come the peer's words to
// service discovery; q keeps slices of it.
func parseUDPAnnounce(rest []byte, q *query, url []byte) error {
	*q = query{compact: true}
	q.InfoHash, q.PeerID = [20]byte(rest), [20]byte(rest[20:])
	q.Downloaded = int64(min(binary.BigEndian.Uint64(rest[40:]), math.MaxInt64))
	q.Left = int64(min(binary.BigEndian.Uint64(rest[48:]), math.MaxInt64))
	if n := binary.BigEndian.Uint32(rest[64:]); n < uint32(len(udpEvents)) {
		q.Event = udpEvents[n]
	}
	q.NumWant = max(-1, int(int32(binary.BigEndian.Uint32(rest[76:]))))
	q.port = binary.BigEndian.Uint16(rest[80:])
	q.OneFamily = true
	q.readHints(urlQuery(readURLData(url[:0], rest[udpAnnounceLen-udpHeadLen:])))
	if q.port == 0 {
		return errPort
	}
	return nil
}

// appendUDPAnnounce appends an announce without options.
func appendUDPAnnounce(b []byte, id uint64, tid uint32, req *Request) []byte {
	b = appendUDPRequest(b, id, udpAnnounce, tid)
	b = append(append(b, req.InfoHash[:]...), req.PeerID[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(max(req.Downloaded, 0)))
	b = binary.BigEndian.AppendUint64(b, uint64(req.left()))
	b = binary.BigEndian.AppendUint64(b, uint64(max(req.Uploaded, 0)))
	b = binary.BigEndian.AppendUint32(b, udpEventOf(req.Event))
	b = binary.BigEndian.AppendUint32(b, 0) // the address is the socket's
	b = binary.BigEndian.AppendUint32(b, req.Key)
	b = binary.BigEndian.AppendUint32(b, uint32(int32(max(-1, min(req.numWant(), math.MaxInt32)))))
	return binary.BigEndian.AppendUint16(b, req.Port)
}

func appendUDPReply(b []byte, action, tid uint32) []byte {
	b = binary.BigEndian.AppendUint32(b, action)
	return binary.BigEndian.AppendUint32(b, tid)
}

// appendUDPPeers appends the answer to an announce: the peers of the packet's own
// family, as many as one packet carries. It returns how many.
func appendUDPPeers(b []byte, tid uint32, v4 bool, r *swarm.Response) ([]byte, int) {
	peers, stride := r.Peers6, 18
	if v4 {
		peers, stride = r.Peers, 6
	}
	n := min(len(peers)/stride, (maxUDPAnswer-udpAnnounceReplyLen)/stride)
	b = appendUDPReply(b, udpAnnounce, tid)
	b = binary.BigEndian.AppendUint32(b, uint32(r.Interval.Seconds()))
	b = binary.BigEndian.AppendUint32(b, uint32(r.Incomplete))
	b = binary.BigEndian.AppendUint32(b, uint32(r.Complete))
	return append(b, peers[:n*stride]...), n
}

// appendUDPReport appends, to the peers that answer an announce, when the host should
// report again: as the port of a peer without an address, which whoever does not ask
// for it never gets.
func appendUDPReport(b []byte, v4 bool, every int64) []byte {
	ip := 16
	if v4 {
		ip = 4
	}
	if len(b)+ip+2 > maxUDPAnswer {
		b = b[:len(b)-ip-2] // a peer less
	}
	b = append(b, make([]byte, ip)...)
	return binary.BigEndian.AppendUint16(b, uint16(every))
}

// udpReportIn is what appendUDPReport said, 0 if nothing.
func udpReportIn(peers []byte, v6 bool) int64 {
	stride := 6
	if v6 {
		stride = 18
	}
	if len(peers) < stride || len(peers)%stride != 0 {
		return 0
	}
	last := peers[len(peers)-stride:]
	for _, c := range last[:stride-2] {
		if c != 0 {
			return 0
		}
	}
	return int64(binary.BigEndian.Uint16(last[stride-2:]))
}

// appendUDPCounts appends one torrent of the answer to a scrape. The order is not
// the announce's.
func appendUDPCounts(b []byte, c swarm.Counts) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(c.Complete))
	b = binary.BigEndian.AppendUint32(b, c.Downloaded)
	return binary.BigEndian.AppendUint32(b, uint32(c.Incomplete))
}
