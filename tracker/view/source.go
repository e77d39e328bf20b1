package view

import (
	"encoding/hex"

	"starling/tracker/fleet"
)

// Source tells what the pages show; the tracker's JSON interface answers with the
// same. Its methods are called by many requests at once. ok is false for a swarm
// that is not known.
type Source interface {
	// Swarms returns swarms from offset on, at most limit, in the order of the list.
	Swarms(offset, limit int) fleet.Swarms
	Swarm(hash [20]byte) (s fleet.Swarm, ok bool)
	// Status groups the hosts that have all of labels by a label's value, or by
	// fleet.ByHost.
	Status(hash [20]byte, by string, labels []fleet.Label) (s fleet.Status, ok bool)
	Hosts(hash [20]byte, q fleet.Query) (h fleet.Hosts, ok bool)
	// Edges returns who feeds whom, the strongest first, at most limit.
	Edges(hash [20]byte, limit int) (e fleet.Edges, ok bool)
	Availability(hash [20]byte) (a fleet.Availability, ok bool)
}

// parseHash reads the hash in a page's path: 40 hex digits, or the 64 of a v2
// torrent, of which the first 40 count.
func parseHash(s string) (hash [20]byte, ok bool) {
	if len(s) != 40 && len(s) != 64 {
		return hash, false
	}
	b, err := hex.DecodeString(s)
	copy(hash[:], b)
	return hash, err == nil
}
