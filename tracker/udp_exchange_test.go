package tracker

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// trace runs an exchange on a clock of its own to its end, and says when it sent
// what. answers are the times at which a connect request is answered, if one waits
// then; pause is how long after that the request itself goes out.
func trace(x *udpExchange, until time.Duration, pause time.Duration, answers ...time.Duration) string {
	var sent []string
	for now := time.Duration(0); ; {
		connect, wait := x.next(now)
		if now > until {
			break
		}
		if connect {
			sent = append(sent, fmt.Sprintf("connect %v", now.Seconds()))
		} else {
			sent = append(sent, fmt.Sprintf("announce %v", now.Seconds()))
		}
		if connect && len(answers) > 0 && answers[0] < now+wait {
			x.connected(7, answers[0])
			now, answers = answers[0]+pause, answers[1:]
			continue
		}
		now += wait
		if !x.silence() {
			sent = append(sent, fmt.Sprintf("end %v", now.Seconds()))
			break
		}
	}
	return strings.Join(sent, ", ")
}

// TestUDPSchedule runs the examples of BEP 15 at its own times.
func TestUDPSchedule(t *testing.T) {
	bep := func() *udpExchange { return &udpExchange{first: 15 * time.Second, tries: 9} }
	for name, c := range map[string]struct{ got, want string }{
		"connect times out": {trace(bep(), 300*time.Second, 0), "connect 0, connect 15, connect 45, connect 105, connect 225"},
		"announce times out": {
			trace(bep(), 300*time.Second, time.Second, time.Second),
			"connect 0, announce 2, announce 17, announce 47, connect 107, connect 227",
		},
		"to the end": {
			trace(bep(), 5*time.Hour, 0),
			"connect 0, connect 15, connect 45, connect 105, connect 225, connect 465, connect 945, connect 1905, connect 3825, end 7665",
		},
		"ours": {
			trace(&udpExchange{first: udpFirstWait, tries: udpTries}, time.Hour, 0),
			"connect 0, connect 1.5, connect 4.5, end 10.5",
		},
	} {
		if c.got != c.want {
			t.Errorf("%s:\n%s, want\n%s", name, c.got, c.want)
		}
	}
}

// TestUDPIDLife is the BEP's example of several requests: an id is used for a
// minute and no longer.
func TestUDPIDLife(t *testing.T) {
	x := &udpExchange{first: 15 * time.Second, tries: 9}
	x.connected(7, time.Second)
	for at, want := range map[int]bool{2: false, 4: false, 60: false} {
		if connect, _ := x.next(time.Duration(at) * time.Second); connect != want {
			t.Errorf("at %d s: connect is %v", at, connect)
		}
	}
	if connect, _ := x.next(64 * time.Second); !connect {
		t.Error("at 64 s: the id of second 1 is used")
	}
}

// TestUDPQuiet wants the BEP's times between the bursts, up to 4 min.
func TestUDPQuiet(t *testing.T) {
	for n, want := range map[int]time.Duration{
		1: 15 * time.Second, 2: 30 * time.Second, 3: time.Minute, 4: 2 * time.Minute, 5: 4 * time.Minute, 6: 4 * time.Minute, 1 << 30: 4 * time.Minute,
	} {
		if got := quietAfter(n); got != want {
			t.Errorf("after %d silent bursts: %v, want %v", n, got, want)
		}
	}
}
