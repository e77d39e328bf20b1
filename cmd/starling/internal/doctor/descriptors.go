package doctor

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

// limit is a bound of the process; zero is unknown.
type limit struct {
	known     bool
	now, most uint64
}

func judgeDescriptors(l limit, serves bool) Finding {
	const check = "descriptors"
	least, plenty, what := uint64(peerLeast), uint64(peerPlenty), "a peer"
	if serves {
		least, plenty, what = trackerLeast, trackerPlenty, "a tracker"
	}
	const cure = "raise it: LimitNOFILE=65536 in the unit, or ulimit -n 65536 in the shell that starts it"
	switch {
	case !l.known:
		return ok(check, "the limit is not known on this system")
	case l.now < least:
		return problem(check, cure, "at most %d open files and connections, too few for %s", l.now, what)
	case l.now < plenty:
		return warning(check, cure, "at most %d open files and connections; %s may want %d", l.now, what, plenty)
	}
	return ok(check, "at most %d open files and connections", l.now)
}
