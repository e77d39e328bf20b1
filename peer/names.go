package peer

// nameSet is those names of the torrent that an address is known to use. A hybrid
// torrent has two, its v1 infohash and the first 20 bytes of its v2 infohash, and
// under each a swarm (BEP 52): others may know one of them only.
type nameSet uint8

const (
	asFirst  nameSet = 1 << iota // EngineConfig.InfoHash
	asSecond                     // EngineConfig.InfoHashV2
)

// perName is how often in a row one who says nothing is called by one name. The
// second time may be an encrypted connection, which is all that some take.
const perName = 2

// hybrid says whether the torrent has two names.
func (e *Engine) hybrid() bool {
	return e.cfg.InfoHashV2 != [20]byte{} && e.cfg.InfoHashV2 != e.cfg.InfoHash
}

// nameOf says which of the names an infohash is.
func (e *Engine) nameOf(infoHash [20]byte) nameSet {
	if infoHash == e.cfg.InfoHashV2 && e.hybrid() {
		return asSecond
	}
	return asFirst
}

// called is the infohash to call an address by: the one that it is known to use, the
// first if that is both or neither, and the other in turn where nobody answers.
func (e *Engine) called(addr string) [20]byte {
	c := e.cands.by[addr]
	if c == nil || !e.hybrid() {
		return e.cfg.InfoHash
	}
	if (c.names == asSecond) != (c.deaf/perName%2 == 1) {
		return e.cfg.InfoHashV2
	}
	return e.cfg.InfoHash
}

// knows notes that somebody has answered to a name.
func (cs *candidates) knows(addr string, as nameSet) {
	if c := cs.by[addr]; c != nil {
		c.names, c.deaf = as, 0
	}
}

// refused notes that somebody ended a connection before he said a word.
func (cs *candidates) refused(addr string) {
	if c := cs.by[addr]; c != nil {
		c.deaf++
	}
}
