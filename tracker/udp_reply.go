package tracker

import (
	"encoding/binary"
	"fmt"
	"strings"
	"time"
)

// udpReply is the head of a tracker's packet and what follows it.
type udpReply struct {
	action, tid uint32
	rest        []byte
}

func parseUDPReply(b []byte) (r udpReply, ok bool) {
	if len(b) < udpReplyHeadLen {
		return r, false
	}
	return udpReply{binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:]), b[udpReplyHeadLen:]}, true
}

// connectionID is what a connect reply, which is whole, brings.
func (r *udpReply) connectionID() uint64 { return binary.BigEndian.Uint64(r.rest) }

// refusal is what an error reply says.
func (r *udpReply) refusal() *RefusedError {
	text := strings.TrimRight(string(r.rest[:min(len(r.rest), maxText)]), "\x00")
	return &RefusedError{Reason: strings.ToValidUTF8(text, "\uFFFD")}
}

// parseUDPPeers reads what follows the head of an announce's answer. Its peers are
// of the family that the packet came over.
func parseUDPPeers(b []byte, v6 bool, floor time.Duration) (Response, error) {
	const counts = udpAnnounceReplyLen - udpReplyHeadLen
	if len(b) < counts {
		return Response{}, fmt.Errorf("reply: %d bytes are no answer to an announce", udpReplyHeadLen+len(b))
	}
	list := peerList{seen: make(map[string]bool)}
	if v6 {
		list.addCompact(b[counts:], 16)
	} else {
		list.addCompact(b[counts:], 4)
	}
	return Response{
		Interval:    clampSeconds(int64(int32(binary.BigEndian.Uint32(b))), unsaidInterval, floor, maxInterval),
		MinInterval: floor,
		Incomplete:  udpCount(b[4:]),
		Complete:    udpCount(b[8:]),
		Peers:       list.peers,
		ReportIn:    reportIn(udpReportIn(b[counts:], v6)),
	}, nil
}

// udpCount is a number of peers; -1, which is unknown, for what is negative.
func udpCount(b []byte) int { return max(-1, int(int32(binary.BigEndian.Uint32(b)))) }

// parseUDPCounts reads what follows the head of the answer to a scrape of n
// torrents. A tracker may have left out the last ones.
func parseUDPCounts(b []byte, n int) ([]Scraped, error) {
	if len(b)%udpScrapeEntryLen != 0 || len(b) > n*udpScrapeEntryLen {
		return nil, fmt.Errorf("reply: %d bytes are no answer to a scrape of %d torrents", udpReplyHeadLen+len(b), n)
	}
	out := make([]Scraped, n)
	for i := range out {
		if len(b) == 0 {
			out[i] = unknownScraped
			continue
		}
		out[i] = Scraped{Complete: udpCount(b), Downloaded: udpCount(b[4:]), Incomplete: udpCount(b[8:]), Downloaders: -1}
		b = b[udpScrapeEntryLen:]
	}
	return out, nil
}
