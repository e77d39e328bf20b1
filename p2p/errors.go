package p2p

import (
	"errors"
	"fmt"
)

// Reason says why a connection ended or a request failed. The set is closed
// and small, so that a reason can be a metric's label.
type Reason uint8

// The reasons. The zero value stands for a cause that no one named.
const (
	ReasonOther          Reason = iota
	ReasonBadMessage            // a message that does not parse
	ReasonBadState              // a message that is not allowed now
	ReasonTooLarge              // a message, or an answer, over its bound
	ReasonUnknownTorrent        // an infohash we do not serve
	ReasonSelf                  // the other end is ourselves
	ReasonDuplicate             // there is such a connection already
	ReasonBanned                // the other end is banned
	ReasonTimeout               // nothing came in the time allowed
	ReasonIdle                  // nothing came for so long that the place is better used
	ReasonFlood                 // more than a well-behaved peer sends
	ReasonCorrupt               // data that fails its hash
	ReasonSlowReader            // the other end does not read what it is sent
	ReasonTooMany               // a table or a queue of ours is full
	ReasonNotNeeded             // neither side can give the other anything
	ReasonShutdown              // we are stopping
	ReasonDialFailed            // no connection could be made
	ReasonEOF                   // the other end closed in order
	ReasonIO                    // the transport failed
	ReasonHandshake             // the first messages did not fit
	ReasonServed                // a one-request connection that was answered
	ReasonUnroutable            // the router knows no next hop
	ReasonRefused               // the other end answered ERRO
	numReasons
)

// NumReasons is the number of reasons.
const NumReasons = int(numReasons)

var reasonNames = [numReasons]string{
	ReasonOther:          "other",
	ReasonBadMessage:     "bad_message",
	ReasonBadState:       "bad_state",
	ReasonTooLarge:       "too_large",
	ReasonUnknownTorrent: "unknown_torrent",
	ReasonSelf:           "self",
	ReasonDuplicate:      "duplicate",
	ReasonBanned:         "banned",
	ReasonTimeout:        "timeout",
	ReasonIdle:           "idle",
	ReasonFlood:          "flood",
	ReasonCorrupt:        "corrupt",
	ReasonSlowReader:     "slow_reader",
	ReasonTooMany:        "too_many",
	ReasonNotNeeded:      "not_needed",
	ReasonShutdown:       "shutdown",
	ReasonDialFailed:     "dial_failed",
	ReasonEOF:            "eof",
	ReasonIO:             "io",
	ReasonHandshake:      "handshake",
	ReasonServed:         "served",
	ReasonUnroutable:     "unroutable",
	ReasonRefused:        "refused",
}

// String returns the reason's name in lower_snake_case.
func (r Reason) String() string {
	if int(r) < len(reasonNames) {
		return reasonNames[r]
	}
	return reasonNames[ReasonOther]
}

// ProtocolError ends a connection or a request, with the reason that logs and
// metrics carry. Two of them with one Reason are equal to errors.Is when the
// target has no Detail.
type ProtocolError struct {
	Reason Reason
	// Detail is for people; it may be empty.
	Detail string
	// Err is the cause, if there is one.
	Err error
}

// Violation makes a ProtocolError. format and args are those of fmt.Errorf, %w
// included.
func Violation(r Reason, format string, args ...any) *ProtocolError {
	err := fmt.Errorf(format, args...)
	return &ProtocolError{Reason: r, Detail: err.Error(), Err: errors.Unwrap(err)}
}

// Error returns the reason's name and the detail.
func (e *ProtocolError) Error() string {
	switch {
	case e.Detail != "":
		return e.Reason.String() + ": " + e.Detail
	case e.Err != nil:
		return e.Reason.String() + ": " + e.Err.Error()
	}
	return e.Reason.String()
}

// Unwrap returns the cause.
func (e *ProtocolError) Unwrap() error { return e.Err }

// Is reports whether target is a ProtocolError of the same reason and without
// a Detail, so that errors.Is(err, &ProtocolError{Reason: r}) asks for a reason.
func (e *ProtocolError) Is(target error) bool {
	t, ok := target.(*ProtocolError)
	return ok && t.Detail == "" && t.Err == nil && t.Reason == e.Reason
}

// ReasonOf returns the Reason of the first ProtocolError in err's chain, and
// ReasonOther where there is none.
func ReasonOf(err error) Reason {
	var p *ProtocolError
	if errors.As(err, &p) {
		return p.Reason
	}
	return ReasonOther
}
