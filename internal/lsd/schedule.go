package lsd

import (
	"slices"
	"time"

	"starling/metainfo"
)

const (
	// every is the time between two announces of one torrent.
	every = 5 * time.Minute
	// spacing is the least time between two packets to one link.
	spacing = time.Minute
	// turns is how many packets a round of all torrents is spread over.
	turns = int(every / spacing)
)

// schedule says when to send a packet and which torrents are in it. It is pure.
type schedule struct {
	// gather is how long a new torrent waits for others.
	gather time.Duration
	// fresh are the torrents that were not announced yet, in the order in which
	// they came, and since is when the first one did; told are the others, the
	// one that was announced longest ago first. Each torrent of all is in one of
	// the two.
	all   map[metainfo.Hash]bool
	fresh []metainfo.Hash
	since time.Time
	told  []announced
	// last is when the last packet was sent; the zero time before the first.
	last time.Time
}

type announced struct {
	hash metainfo.Hash
	at   time.Time
}

func (s *schedule) len() int { return len(s.all) }

func (s *schedule) has(h metainfo.Hash) bool { return s.all[h] }

// add makes a torrent known that is not.
func (s *schedule) add(now time.Time, h metainfo.Hash) {
	if s.all == nil {
		s.all = map[metainfo.Hash]bool{}
	}
	if len(s.fresh) == 0 {
		s.since = now
	}
	s.all[h] = true
	s.fresh = append(s.fresh, h)
}

func (s *schedule) remove(h metainfo.Hash) {
	delete(s.all, h)
	s.fresh = slices.DeleteFunc(s.fresh, func(f metainfo.Hash) bool { return f == h })
	s.told = slices.DeleteFunc(s.told, func(a announced) bool { return a.hash == h })
}

// again has all torrents announced as soon as a packet may be sent: there is a
// link that heard none of them.
func (s *schedule) again(now time.Time) {
	if len(s.fresh) == 0 {
		s.since = now
	}
	for _, a := range s.told {
		s.fresh = append(s.fresh, a.hash)
	}
	s.told = nil
}

// batch is how many torrents a packet has once all were announced: as few as will
// do, for some clients read only the first infohash of a packet.
func (s *schedule) batch() int {
	return min((s.len()+turns-1)/turns, MaxHashes)
}

// due is when the next packet is to be sent; false if there is no torrent.
func (s *schedule) due() (time.Time, bool) {
	if s.len() == 0 {
		return time.Time{}, false
	}
	var at time.Time
	if len(s.fresh) > 0 {
		at = s.since.Add(s.gather)
	}
	if len(s.told) > 0 {
		packets := (s.len() + s.batch() - 1) / s.batch()
		t := s.last.Add(every / time.Duration(packets))
		if oldest := s.told[0].at.Add(every); oldest.Before(t) {
			t = oldest
		}
		if at.IsZero() || t.Before(at) {
			at = t
		}
	}
	if t := s.last.Add(spacing); !s.last.IsZero() && at.Before(t) {
		at = t
	}
	return at, true
}

// take returns the torrents of a packet that is sent now, at most MaxHashes: all
// that are new or due, and of the others the next batch.
func (s *schedule) take(now time.Time) []metainfo.Hash {
	batch := s.batch()
	n := min(len(s.fresh), MaxHashes)
	hashes := slices.Clone(s.fresh[:n])
	s.fresh = slices.Delete(s.fresh, 0, n)
	old := 0
	for _, a := range s.told {
		if len(hashes) >= MaxHashes || len(hashes) >= batch && a.at.Add(every).After(now) {
			break
		}
		hashes = append(hashes, a.hash)
		old++
	}
	s.told = slices.Delete(s.told, 0, old)
	for _, h := range hashes {
		s.told = append(s.told, announced{h, now})
	}
	s.last = now
	return hashes
}
