package tracker

import (
	"fmt"
	"time"

	"starling/tracker/swarm"
)

// Config is a tracker's configuration. Start from DefaultConfig.
type Config struct {
	// Swarm holds the rules of the swarms: intervals, numwant, limits per host.
	// Its MaxSwarms bounds the whole tracker, within what an even spread over
	// the shards gives.
	Swarm swarm.Config
	// MaxPeers bounds the peers of all swarms together. 0: no limit.
	MaxPeers int
	// Shards is the number of stores, each with its own lock.
	Shards int
	// MaxConns bounds the open connections of the public listener. A
	// connection above it is closed at once.
	MaxConns int
	// TorrentsDir is a folder of .torrent files to register and to serve, read
	// again every Rescan. Empty: none.
	TorrentsDir string
	Rescan      time.Duration
	// StatePath is the snapshot's file, read at the start and written every
	// SnapshotEvery and at the end. Empty: none.
	StatePath     string
	SnapshotEvery time.Duration
	// View asks hosts for reports of how they do, and shows them: /api/v1/swarms
	// and below, and /api/v1/events. Without it the public listener tells of no
	// host: service discovery is on the admin listener only.
	View bool
	// Linger is how long the server that is told to stop goes on answering,
	// while it says that it is not ready, so that whoever sends it requests can
	// learn of it.
	Linger time.Duration
	// Drain is how long requests under way may take after that.
	Drain time.Duration
	// Alive, if set, is called each second by the loop that keeps house, when it
	// has had the lock of every shard: a sign of life for a watchdog.
	Alive func()
}

// DefaultConfig is an open tracker for a fleet.
func DefaultConfig() Config {
	c := Config{
		Swarm: swarm.Fleet(), MaxPeers: 4_000_000, Shards: 64, MaxConns: 20_000,
		View: true, Rescan: 10 * time.Second, SnapshotEvery: time.Minute, Drain: 3 * time.Second,
	}
	c.Swarm.MaxSwarms = 1_000_000
	return c
}

// Validate refuses a configuration that cannot work; it repairs nothing.
func (c *Config) Validate() error {
	if err := c.Swarm.Validate(); err != nil {
		return err
	}
	switch {
	case c.Shards < 1 || c.Shards > 4096:
		return fmt.Errorf("tracker shards: %d is not in [1, 4096]", c.Shards)
	case c.MaxPeers < 0:
		return fmt.Errorf("tracker max peers: %d is negative; 0 is no limit", c.MaxPeers)
	case c.MaxConns < 1:
		return fmt.Errorf("tracker max connections: %d is below 1", c.MaxConns)
	case c.TorrentsDir != "" && c.Rescan < time.Second:
		return fmt.Errorf("tracker rescan: %v is below 1s", c.Rescan)
	case c.StatePath != "" && c.SnapshotEvery < time.Second:
		return fmt.Errorf("tracker snapshot interval: %v is below 1s", c.SnapshotEvery)
	case c.Linger < 0 || c.Linger > 10*time.Minute:
		return fmt.Errorf("tracker drain: %v is not in [0, 10m]", c.Linger)
	case c.Drain < 0 || c.Drain > time.Minute:
		return fmt.Errorf("tracker drain: %v is not in [0, 1m]", c.Drain)
	}
	return nil
}

// Limits of the HTTP server. They do not depend on the deployment.
const (
	maxHead       = 16 << 10 // bytes of a request's line and headers
	maxTarget     = 4 << 10  // bytes of a request's path and query
	maxScrape     = 50       // infohashes in one scrape
	headerTimeout = 5 * time.Second
	idleTimeout   = 30 * time.Second
	writeTimeout  = 10 * time.Second
)
