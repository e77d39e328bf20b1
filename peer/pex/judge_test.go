package pex

import (
	"testing"
	"time"

	"starling/p2p"
)

func TestJudge(t *testing.T) {
	const s = time.Second
	for _, c := range []struct {
		name string
		at   []time.Duration // the last one is refused if bad
		bad  bool
	}{
		{"each minute", []time.Duration{0, 60 * s, 120 * s, 180 * s, 240 * s, 300 * s, 360 * s}, false},
		{"each 45 s", []time.Duration{0, 45 * s, 90 * s, 135 * s, 180 * s, 225 * s, 270 * s, 315 * s}, false},
		{"two together after a stall", []time.Duration{0, 110 * s, 120 * s, 170 * s, 180 * s, 240 * s}, false},
		{"three too early", []time.Duration{0, 0, 0, 0}, false},
		{"four too early", []time.Duration{0, 0, 0, 0, 0}, true},
		{"four too early later on", []time.Duration{0, 300 * s, 300 * s, 301 * s, 302 * s, 303 * s}, true},
		{"each 30 s", []time.Duration{0, 30 * s, 60 * s, 90 * s, 120 * s, 150 * s, 180 * s, 210 * s, 240 * s, 270 * s}, false},
		{"each 30 s for too long", []time.Duration{0, 30 * s, 60 * s, 90 * s, 120 * s, 150 * s, 180 * s, 210 * s, 240 * s, 270 * s, 300 * s}, true},
		{"one won back", []time.Duration{0, 0, 0, 0, 45 * s}, false},
		{"not two", []time.Duration{0, 0, 0, 0, 45 * s, 46 * s}, true},
	} {
		var j Judge
		for i, at := range c.at {
			err := j.Accept(start.Add(at), Message{})
			if last := i == len(c.at)-1; (err != nil) != (last && c.bad) {
				t.Errorf("%s: message %d: %v", c.name, i, err)
			}
			if err != nil && p2p.ReasonOf(err) != p2p.ReasonFlood {
				t.Errorf("%s: reason of %v", c.name, err)
			}
		}
	}
}

func TestJudgeSizes(t *testing.T) {
	var j Judge
	now := start
	for _, c := range []struct {
		added, dropped int
		ok             bool
	}{
		{900, 100, true}, // the first may be large
		{100, 500, true},
		{101, 0, false},
		{0, 501, false},
		{50, 50, true},
	} {
		err := j.Accept(now, Message{Added: peers(c.added), Dropped: addrs(peers(c.dropped))})
		if (err == nil) != c.ok || err != nil && p2p.ReasonOf(err) != p2p.ReasonTooLarge {
			t.Errorf("%d added, %d dropped: %v", c.added, c.dropped, err)
		}
		now = now.Add(Interval)
	}
}
