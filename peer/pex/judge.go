package pex

import (
	"time"

	"starling/p2p"
)

const (
	// patience is the time that one message costs. A sender keeps to a minute;
	// the network moves its messages closer together.
	patience = 45 * time.Second
	// credit is how many messages may come at once: one in its time and three
	// too early.
	credit = 4
	// maxLaterAdded and maxLaterDropped bound each message but the first.
	maxLaterAdded   = 100
	maxLaterDropped = 500
)

// Judge watches what one remote sends. The zero value is ready.
type Judge struct {
	seen bool
	// at is when the cost of all messages so far is paid.
	at time.Time
}

// Accept counts a message that came at now. The error is a *p2p.ProtocolError of
// ReasonFlood or ReasonTooLarge: then the message is not to be used, and the
// connection is better closed.
func (j *Judge) Accept(now time.Time, m Message) error {
	if j.at.Before(now) {
		j.at = now
	}
	if j.at.Sub(now) > (credit-1)*patience {
		return p2p.Violation(p2p.ReasonFlood, "ut_pex messages come faster than one in %v", patience)
	}
	j.at = j.at.Add(patience)
	if j.seen && (len(m.Added) > maxLaterAdded || len(m.Dropped) > maxLaterDropped) {
		return p2p.Violation(p2p.ReasonTooLarge, "a later ut_pex message adds %d peers and drops %d, more than %d or %d",
			len(m.Added), len(m.Dropped), maxLaterAdded, maxLaterDropped)
	}
	j.seen = true
	return nil
}
