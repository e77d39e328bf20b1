package monitor

import (
	"time"

	"starling/p2p"
)

// The Forwarder's connection to the monitor.

// dial connects, if anything is to be sent by now.
func (f *Forwarder) dial() {
	if f.conn == 0 && !f.idle() {
		f.conn = f.n.Dial(f.to)
	}
}

// opened is hook Opened.
func (f *Forwarder) opened(c p2p.ConnInfo) {
	if c.ID != f.conn {
		return
	}
	f.open = true
	f.n.Identify(c.ID, f.name)
	f.push()
}

// closed is hook Closed. A monitor may close a connection on which it has heard
// nothing for long; that is no failure.
func (f *Forwarder) closed(c p2p.ConnID, err error) {
	if c != f.conn {
		return
	}
	if f.open && len(f.flight) == 0 {
		f.conn, f.open = 0, false
		return
	}
	f.fail(err)
}

// fail gives up the connection and arranges for the next.
func (f *Forwarder) fail(err error) {
	f.hangup(errRenewed)
	if f.backoff == 0 {
		f.tell(err)
	}
	f.backoff = min(max(2*f.backoff, minRetry), maxRetry)
	// A fleet that lost its monitor does not come back in one moment.
	spread := time.Duration(f.n.Host().Rand().Int64N(int64(f.backoff / 5)))
	f.retry.Set(f.n.Now().Add(f.backoff - f.backoff/10 + spread))
}

// hangup closes the connection. What it had not answered is to be sent again.
func (f *Forwarder) hangup(reason error) {
	c := f.conn
	f.conn, f.open = 0, false
	for _, b := range f.flight {
		b.sent = false
	}
	if c != 0 {
		f.n.Close(c, reason)
	}
}

func (f *Forwarder) tell(err error) {
	if f.trouble != nil {
		f.trouble(err)
	}
}
