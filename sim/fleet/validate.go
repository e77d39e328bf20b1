package fleet

import (
	"fmt"
	"strings"
	"time"

	"starling/choke"
	"starling/metainfo"
	"starling/piece"
	tracking "starling/tracker"
)

// Bounds of a Spec.
const (
	MaxHosts  = 20_000
	MaxRacks  = 2_000
	MaxFaults = 10_000
	MaxSends  = 10_000
	// maxState bounds hosts times pieces: each such pair is some bits of
	// memory in the host itself and in all of its remotes.
	maxState = 1 << 30
	maxName  = 64
	maxSpan  = 10 * 365 * 24 * time.Hour
	// maxLatency is one way, of a host or of all paths: a dial gives up
	// after 10 s.
	maxLatency = 4 * time.Second
	// minRate and maxRate keep the time of a quantum within what a Duration
	// holds.
	minRate, maxRate = 1, 1e12
	maxQuantum       = 1 << 30
	maxRemotes       = 16384
)

// Default is a Spec without hosts: the defaults of the real commands.
func Default() Spec {
	return Spec{
		Name: "scenario", RNGSeed: 1, Size: 256 << 20, PieceLength: 256 << 10,
		Peer:     PeerSpec{Policy: choke.TitForTat, Choke: choke.Default(), MaxRemotes: 50, NumWant: 50, SeedFor: -1},
		Net:      NetSpec{Latency: 200 * time.Microsecond},
		Tracker:  TrackerSpec{Interval: 60 * time.Second, MinInterval: 10 * time.Second, RTT: time.Millisecond},
		Deadline: time.Hour,
	}
}

// Validate says what is wrong with s, if anything. It repairs nothing; a Spec
// that it passes runs.
func (s *Spec) Validate() error {
	for _, check := range []func() error{
		s.checkContent, s.checkPeer, s.checkRun, s.checkRacks, s.checkHosts, s.checkFaults, s.checkSends,
	} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func (s *Spec) checkContent() error {
	n := s.PieceLength
	switch {
	case s.Size < 1:
		return fmt.Errorf("the content has %d bytes, want at least 1", s.Size)
	case n < piece.BlockSize || n > metainfo.MaxPieceLength || n&(n-1) != 0:
		return fmt.Errorf("a piece length of %d, want a power of two within %d and %d", n, piece.BlockSize, metainfo.MaxPieceLength)
	}
	pieces := (s.Size-1)/n + 1
	switch {
	case pieces > metainfo.MaxPieces:
		return fmt.Errorf("%d pieces, want at most %d; make them longer", pieces, metainfo.MaxPieces)
	case pieces*int64(len(s.Hosts)) > maxState:
		return fmt.Errorf("%d hosts of %d pieces each, want at most %d together; make the pieces longer", len(s.Hosts), pieces, maxState)
	}
	return nil
}

func (s *Spec) checkPeer() error {
	p := &s.Peer
	if err := checkPolicy(p.Policy, p.Choke); err != nil {
		return err
	}
	switch {
	case p.Strategy > piece.Sequential:
		return fmt.Errorf("no picking strategy %d", p.Strategy)
	case p.MaxRemotes < 1 || p.MaxRemotes > maxRemotes:
		return fmt.Errorf("%d remotes at most, want 1 to %d", p.MaxRemotes, maxRemotes)
	case p.NumWant < 0:
		return fmt.Errorf("%d peers wanted of the tracker, want at least 0", p.NumWant)
	case p.SeedFor > maxSpan:
		return fmt.Errorf("peers seed for %v, want at most ten years", p.SeedFor)
	}
	return nil
}

func checkPolicy(name string, cfg choke.Config) error {
	_, err := choke.New(name, cfg)
	return err
}

func (s *Spec) checkRun() error {
	n, t := &s.Net, s.Tracker
	switch {
	case s.Deadline <= 0:
		return fmt.Errorf("the deadline is %v, want above 0s", s.Deadline)
	case n.Quantum < 0 || n.Quantum > maxQuantum:
		return fmt.Errorf("a quantum of %d bytes, want 0 to %d", n.Quantum, maxQuantum)
	}
	for _, d := range []struct {
		what string
		is   time.Duration
		most time.Duration
	}{
		{"the deadline", s.Deadline, maxSpan}, {"the linger", s.Linger, maxSpan}, {"the probe interval", s.Probe, maxSpan},
		{"the network's latency", n.Latency, maxLatency}, {"the uplinks' queue", n.Queue, time.Minute},
		{"the tracker's round trip", t.RTT, time.Minute},
	} {
		if err := within(d.what, d.is, d.most); err != nil {
			return err
		}
	}
	cfg := t.config()
	return cfg.Validate()
}

// config is the tracker's own. It forgets a peer after two intervals.
func (t TrackerSpec) config() tracking.Config {
	cfg := tracking.DefaultConfig()
	cfg.Swarm.Interval, cfg.Swarm.MinInterval = t.Interval, t.MinInterval
	cfg.Swarm.Young = min(cfg.Swarm.Young, t.Interval)
	cfg.Swarm.TTL = 2*t.Interval + 30*time.Second
	return cfg
}

func within(what string, d, most time.Duration) error {
	if d < 0 || d > most {
		return fmt.Errorf("%s is %v, want 0s to %v", what, d, most)
	}
	return nil
}

// checkRate wants a rate that is 0, the default, or one that a link can have.
func checkRate(what string, rate float64) error {
	if rate != 0 && !(rate >= minRate && rate <= maxRate) { // so that NaN is refused
		return fmt.Errorf("%s is %g bytes a second, want 0 for the default, or %g to %g", what, rate, float64(minRate), float64(maxRate))
	}
	return nil
}

// checkName wants what the framework takes for a node's name: one word.
func checkName(what, name string) error {
	odd := func(r rune) bool { return r <= ' ' || r > '~' }
	if name == "" || len(name) > maxName || strings.ContainsFunc(name, odd) {
		return fmt.Errorf("%s %q: want 1 to %d letters of ASCII without spaces", what, name, maxName)
	}
	return nil
}
