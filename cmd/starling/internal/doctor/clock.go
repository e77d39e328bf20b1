package doctor

import (
	"time"

	"starling/internal/units"
)

const (
	// clockSlack is a difference that means nothing: a Date header counts whole
	// seconds, and a tracker makes its text once a second.
	clockSlack = 2 * time.Second
	// clockBroken is a difference at which certificates and signatures with a
	// date begin to be refused.
	clockBroken = 5 * time.Minute
)

// skew is how far our clock is ahead of the tracker's.
type skew struct {
	known bool
	ahead time.Duration
}

// skewOf compares our clock with a Date header that came between two readings of
// it. The header's moment is anywhere in the second that it names.
func skewOf(sent, received, date time.Time) skew {
	middle := sent.Add(received.Sub(sent) / 2)
	return skew{true, middle.Sub(date.Add(time.Second / 2))}
}

// sync says whether the system's clock is kept right by something.
type sync uint8

const (
	syncUnknown sync = iota
	syncYes
	syncNo
)

func judgeClock(s skew, by sync) Finding {
	const check, cure = "clock", "start chrony or systemd-timesyncd: timedatectl set-ntp true"
	off := units.FormatDuration(s.ahead.Abs())
	which := "ahead of"
	if s.ahead < 0 {
		which = "behind"
	}
	switch {
	case s.known && s.ahead.Abs() >= clockBroken:
		return problem(check, cure+"; look at the tracker's clock too", "%s %s the tracker's", off, which)
	case s.known && s.ahead.Abs() > clockSlack:
		return warning(check, cure+"; look at the tracker's clock too", "%s %s the tracker's: logs and metrics of the hosts will not agree", off, which)
	case s.known:
		return ok(check, "agrees with the tracker's")
	case by == syncNo:
		return warning(check, cure, "the kernel says that nothing keeps it right")
	case by == syncYes:
		return ok(check, "kept right by a time service")
	}
	return ok(check, "not compared: no tracker of --tracker has answered over HTTP")
}
