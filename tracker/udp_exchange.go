package tracker

import "time"

// Times of a UDP client. BEP 15 waits 15 s for the first answer and twice as long
// each time, nine times; who asks the trackers of a torrent in turn cannot wait an
// hour for one of them. So a request is sent up to udpTries times in a burst within
// clientTimeout, and it is the bursts that keep to the BEP's times: after n silent
// ones in a row the tracker is left alone until udpQuiet*2^(n-1) after the last one
// began, udpMaxQuiet at most.
const (
	udpFirstWait = 1500 * time.Millisecond // sent at 0, 1.5 and 4.5 s, given up at 10 s
	udpTries     = 3
	udpQuiet     = 15 * time.Second
	udpMaxQuiet  = 4 * time.Minute
	// udpIDLife is how long a client uses a connection id (BEP 15).
	udpIDLife = time.Minute
)

// udpExchange says what to send to a tracker, and how long to wait for the answer.
// It is pure; times are since any beginning.
type udpExchange struct {
	first time.Duration // the wait for the first answer
	tries int           // packets without an answer, at most
	n     int           // packets without an answer, so far

	id      uint64
	hasID   bool
	old     bool // the id is from an earlier exchange, and may mean nothing by now
	expires time.Duration
}

// next says whether the packet to send at a time is a connect request or the
// request itself, and how long to wait.
func (x *udpExchange) next(now time.Duration) (connect bool, wait time.Duration) {
	if x.hasID && now >= x.expires {
		x.forget()
	}
	return !x.hasID, x.first << x.n
}

// connected takes the answer to a connect request.
func (x *udpExchange) connected(id uint64, now time.Duration) {
	x.id, x.hasID, x.old, x.expires = id, true, false, now+udpIDLife
}

// silence says that no answer came in time, and returns whether to try again.
func (x *udpExchange) silence() bool {
	x.n++
	return x.n < x.tries
}

// forget drops the id.
func (x *udpExchange) forget() { x.hasID, x.old = false, false }

// quietAfter is how long after its beginning the n-th silent burst in a row keeps
// the tracker from being asked.
func quietAfter(n int) time.Duration {
	return min(udpQuiet<<min(n-1, 16), udpMaxQuiet)
}
