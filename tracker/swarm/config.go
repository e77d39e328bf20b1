package swarm

import (
	"fmt"
	"time"
)

// Config holds the rules of a Store.
type Config struct {
	// Interval is what a settled swarm's peers are told to wait between two
	// announces, and MinInterval what they must wait. Before jitter.
	Interval, MinInterval time.Duration
	// Young is the interval just after a peer joined. It grows with the time
	// since the last one joined, up to Interval. Equal to Interval: no
	// such haste.
	Young time.Duration
	// SwarmRate bounds the announces per second that the peers of one young
	// swarm are asked to make: a big swarm is told to wait longer.
	SwarmRate int
	// TTL is how long a peer is listed after its last announce, if it announces
	// when it is told to: one whose id begins with Prompt. Empty: all do.
	TTL    time.Duration
	Prompt string
	// LaxTTL is how long the others are listed, if it is above TTL: ordinary
	// clients never announce sooner than a minimum of their own, which is
	// 10 minutes at most among those in use.
	LaxTTL time.Duration
	// EmptyTTL is how long the download count of a swarm without peers is
	// kept.
	EmptyTTL time.Duration
	// NumWant is how many peers a reply holds when the peer does not say,
	// MaxNumWant how many at most.
	NumWant, MaxNumWant int
	// MaxPerHost and MaxPerNet6 are how many peers of one swarm may be listed
	// for a public IPv4 address and a public IPv6 /64. Loopback, private
	// and link-local addresses are exempt. 0: no limit.
	MaxPerHost, MaxPerNet6 int
	// MaxSwarms bounds the swarms, registered ones included. 0: no limit.
	MaxSwarms int
	// Open accepts any infohash; otherwise only registered ones.
	Open bool
}

// Fleet is the configuration for hosts of one owner: they should find each other
// within seconds.
func Fleet() Config {
	return Config{
		Interval: 60 * time.Second, MinInterval: 10 * time.Second, Young: 5 * time.Second,
		SwarmRate: 1000, TTL: 150 * time.Second, LaxTTL: 20 * time.Minute, EmptyTTL: 24 * time.Hour,
		NumWant: 50, MaxNumWant: 100, MaxPerHost: 8, MaxPerNet6: 16, Open: true,
	}
}

// Public is the configuration for a tracker that serves strangers.
func Public() Config {
	c := Fleet()
	c.Interval, c.MinInterval, c.Young = 30*time.Minute, 15*time.Minute, 30*time.Minute
	c.TTL = 2*c.Interval + 30*time.Second
	return c
}

// Validate refuses a configuration that cannot work; it repairs nothing.
func (c *Config) Validate() error {
	switch {
	case c.Young < time.Second || c.Interval < c.Young || c.Interval > 24*time.Hour:
		return fmt.Errorf("tracker intervals: want 1s <= young (%v) <= interval (%v) <= 24h", c.Young, c.Interval)
	case c.MinInterval < time.Second || c.MinInterval > c.Interval:
		return fmt.Errorf("tracker min interval: %v is not in [1s, %v]", c.MinInterval, c.Interval)
	case c.TTL <= c.Interval+c.Interval/10:
		return fmt.Errorf("tracker peer TTL: %v is not above the interval %v and its jitter", c.TTL, c.Interval)
	case c.EmptyTTL < 0 || c.TTL > 365*24*time.Hour || c.EmptyTTL > 365*24*time.Hour:
		return fmt.Errorf("tracker TTLs: %v and %v must be in [0, 1 year]", c.TTL, c.EmptyTTL)
	case c.LaxTTL < 0 || c.LaxTTL > 365*24*time.Hour:
		return fmt.Errorf("tracker TTL of peers that are not prompt: %v is not in [0, 1 year]", c.LaxTTL)
	case len(c.Prompt) > 20:
		return fmt.Errorf("tracker's prompt peers: %q is longer than a peer id", c.Prompt)
	case c.SwarmRate < 1:
		return fmt.Errorf("tracker swarm rate: %d is below 1", c.SwarmRate)
	case c.NumWant < 0 || c.MaxNumWant < c.NumWant || c.MaxNumWant > 1000:
		return fmt.Errorf("tracker numwant: want 0 <= default (%d) <= maximum (%d) <= 1000", c.NumWant, c.MaxNumWant)
	case c.MaxPerHost < 0 || c.MaxPerNet6 < 0 || c.MaxSwarms < 0:
		return fmt.Errorf("tracker limits: a negative number is no limit; use 0")
	}
	return nil
}
