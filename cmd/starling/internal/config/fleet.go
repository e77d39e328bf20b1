package config

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// maxNodeName is how many bytes a tracker keeps of a host's name.
const maxNodeName = 128

// minInterval is how often a tracker may be asked for the fleet's status: it has a
// new one once a second.
const minInterval = 100 * time.Millisecond

// fleet refuses what status and wait cannot use.
func (v *check) fleet(c *Config) {
	for _, s := range []struct {
		section, tracker string
		labels           []string
		interval         time.Duration
	}{
		{"status", c.Status.Tracker, c.Status.Label, c.Status.Interval},
		{"wait", c.Wait.Tracker, c.Wait.Label, c.Wait.Interval},
	} {
		if s.tracker != "" {
			v.urls(s.section+".tracker", []string{s.tracker})
		}
		if _, err := Labels(s.labels); err != nil {
			v.fail(s.section+".label", err)
		}
		if s.interval < minInterval {
			v.fail(s.section+".interval", fmt.Errorf("%s is less than %s", s.interval, minInterval))
		}
	}
	if _, err := ParseQuota(c.Wait.Hosts); err != nil {
		v.fail("wait.hosts", err)
	}
	v.atLeast("wait.expect", c.Wait.Expect, 0)
	v.duration("wait.timeout", c.Wait.Timeout)
}

// Quota is a number of hosts, or a share of them.
type Quota struct {
	Count   int
	Percent float64 // if Count is 0
}

// ParseQuota reads "12" or "95%".
func ParseQuota(s string) (Quota, error) {
	if text, ok := strings.CutSuffix(s, "%"); ok {
		p, err := strconv.ParseFloat(text, 64)
		if err != nil || !(p > 0 && p <= 100) {
			return Quota{}, fmt.Errorf("%q is not a percentage above 0%% and up to 100%%", s)
		}
		return Quota{Percent: p}, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 {
		return Quota{}, errors.New(strconv.Quote(s) + " is neither a number of hosts nor a percentage like 95%")
	}
	return Quota{Count: n}, nil
}

// Met says whether done of hosts are enough. No hosts are never enough.
func (q Quota) Met(done, hosts int) bool {
	if q.Count > 0 {
		return done >= q.Count
	}
	return hosts > 0 && float64(done)*100 >= q.Percent*float64(hosts)
}
