package doctor

import "starling/internal/units"

// Descriptors that a peer and a tracker use: a peer has a connection for each
// remote and some open files, a tracker a connection for each peer that keeps one.
const (
	peerLeast    = 256
	peerPlenty   = 1024
	trackerLeast = 1024
	// trackerPlenty is for the 20,000 connections that a tracker takes, and what
	// it opens besides.
	trackerPlenty = 20_500
)

// limit is a bound of this process.
type limit struct {
	known bool
	now   int64
}

func judgeDescriptors(l limit, serves bool) Finding {
	const check = "descriptors"
	least, plenty, what := int64(peerLeast), int64(peerPlenty), "a peer"
	if serves {
		least, plenty, what = trackerLeast, trackerPlenty, "a tracker"
	}
	const cure = "raise it: LimitNOFILE=65536 in the unit, or ulimit -n 65536 in the shell that starts it"
	if !l.known {
		return ok(check, "the limit is not known on this system")
	}
	found := "at most " + units.FormatCount(l.now) + " open files and connections"
	switch {
	case l.now < least:
		return problem(check, cure, "%s, too few for %s", found, what)
	case l.now < plenty:
		return warning(check, cure, "%s; %s may want %s", found, what, units.FormatCount(plenty))
	}
	return ok(check, "%s", found)
}
