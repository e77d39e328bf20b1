package scenario

import (
	"fmt"
	"time"

	"go.starlark.net/starlark"

	"starling/choke"
	"starling/metainfo"
	"starling/piece"
	"starling/sim/fleet"
)

// strategies are the pickers by the name that scripts know them by.
var strategies = map[string]piece.Strategy{
	"rarest": piece.RarestFirst, "random": piece.Random, "sequential": piece.Sequential,
}

func readStrategy(name string) (piece.Strategy, error) {
	s, ok := strategies[name]
	if !ok {
		return 0, fmt.Errorf("no picker %q, want rarest, random or sequential", name)
	}
	return s, nil
}

func checkPolicy(name string) error {
	if name != choke.TitForTat && name != choke.Cooperative {
		return fmt.Errorf("no policy %q, want %s or %s", name, choke.TitForTat, choke.Cooperative)
	}
	return nil
}

// pieceLength reads a piece size for content of some bytes: nothing or "auto" is
// what `starling create` chooses.
func pieceLength(v starlark.Value, content int64) (int64, error) {
	if v == nil || v == starlark.String("auto") {
		return metainfo.AutoPieceLength(content), nil
	}
	n, err := readSize(v)
	if err != nil {
		return 0, err
	}
	if n < piece.BlockSize || n > metainfo.MaxPieceLength || n&(n-1) != 0 {
		return 0, fmt.Errorf("a piece of %d bytes, want a power of two within 16KiB and %dMiB", n, metainfo.MaxPieceLength>>20)
	}
	if pieces := (content-1)/n + 1; pieces > metainfo.MaxPieces {
		return 0, fmt.Errorf("%d pieces, want at most %d", pieces, metainfo.MaxPieces)
	}
	return n, nil
}

func callContent(s *script, c *call) (starlark.Value, error) {
	bytes := size(s.out.Spec.Size)
	var pieceSize starlark.Value
	format := metainfo.V1.String()
	if s.out.Spec.V2 {
		format = metainfo.V2.String()
	}
	if err := c.unpack("size?", &bytes, "piece?", &pieceSize, "format?", &format); err != nil {
		return nil, err
	}
	if format != metainfo.V1.String() && format != metainfo.V2.String() {
		return nil, fmt.Errorf("content: no format %q, want %s or %s", format, metainfo.V1, metainfo.V2)
	}
	if bytes == 0 {
		return nil, fmt.Errorf("content: its size is 0")
	}
	n, err := pieceLength(pieceSize, int64(bytes))
	if err != nil {
		return nil, fmt.Errorf("content: %w", err)
	}
	s.out.Spec.Size, s.out.Spec.PieceLength, s.out.Spec.V2 = int64(bytes), n, format == metainfo.V2.String()
	return starlark.None, nil
}

// callPeers sets what all peers have in common; what is left out stays as it is.
func callPeers(s *script, c *call) (starlark.Value, error) {
	p := s.out.Spec.Peer
	picker := ""
	interval, optimisticInterval := span(p.Choke.Interval), span(p.Choke.OptimisticInterval)
	turn, snub, seedFor := span(p.Choke.Turn), span(p.Choke.Snub), lasting(p.SeedFor)
	if err := c.unpack(
		"policy?", &p.Policy, "picker?", &picker, "max_peers?", &p.MaxRemotes, "num_want?", &p.NumWant,
		"slots?", &p.Choke.Slots, "optimistic?", &p.Choke.Optimistic, "rechoke?", &interval,
		"optimistic_for?", &optimisticInterval, "turn?", &turn, "snub?", &snub, "seed_for?", &seedFor,
	); err != nil {
		return nil, err
	}
	p.Choke.Interval, p.Choke.OptimisticInterval = time.Duration(interval), time.Duration(optimisticInterval)
	p.Choke.Turn, p.Choke.Snub, p.SeedFor = time.Duration(turn), time.Duration(snub), time.Duration(seedFor)
	if err := checkPolicy(p.Policy); err != nil {
		return nil, fmt.Errorf("peers: %w", err)
	}
	if picker != "" {
		strategy, err := readStrategy(picker)
		if err != nil {
			return nil, fmt.Errorf("peers: %w", err)
		}
		p.Strategy = strategy
	}
	if err := p.Choke.Validate(); err != nil {
		return nil, fmt.Errorf("peers: %w", err)
	}
	if p.MaxRemotes < 1 || p.NumWant < 0 {
		return nil, fmt.Errorf("peers: max_peers %d and num_want %d, want at least 1 and 0", p.MaxRemotes, p.NumWant)
	}
	s.out.Spec.Peer = p
	return starlark.None, nil
}

func callNetwork(s *script, c *call) (starlark.Value, error) {
	n := s.out.Spec.Net
	latency, quantum, queue := span(n.Latency), size(n.Quantum), span(n.Queue)
	if err := c.unpack("latency?", &latency, "quantum?", &quantum, "queue?", &queue); err != nil {
		return nil, err
	}
	if quantum > 1<<30 {
		return nil, fmt.Errorf("network: a quantum of %d bytes, want at most 1GiB", quantum)
	}
	s.out.Spec.Net = fleet.NetSpec{Latency: time.Duration(latency), Quantum: int(quantum), Queue: time.Duration(queue)}
	return starlark.None, nil
}

func callTracker(s *script, c *call) (starlark.Value, error) {
	t := s.out.Spec.Tracker
	interval, least, rtt := span(t.Interval), span(t.MinInterval), span(t.RTT)
	if err := c.unpack("interval?", &interval, "min_interval?", &least, "rtt?", &rtt); err != nil {
		return nil, err
	}
	if interval == 0 {
		return nil, fmt.Errorf("tracker: its interval is 0")
	}
	// A shorter interval than the least would ask for what the tracker refuses.
	least = min(least, interval)
	s.out.Spec.Tracker = fleet.TrackerSpec{
		Interval: time.Duration(interval), MinInterval: time.Duration(least), RTT: time.Duration(rtt),
	}
	return starlark.None, nil
}

// callRun says how long the run may be and what is looked at.
func callRun(s *script, c *call) (starlark.Value, error) {
	deadline, linger, probe := span(s.out.Spec.Deadline), span(s.out.Spec.Linger), span(s.out.Spec.Probe)
	checks := !s.out.Spec.Unchecked
	if err := c.unpack("deadline?", &deadline, "linger?", &linger, "probe?", &probe, "checks?", &checks); err != nil {
		return nil, err
	}
	if deadline == 0 {
		return nil, fmt.Errorf("run: its deadline is 0")
	}
	s.out.Spec.Deadline, s.out.Spec.Linger, s.out.Spec.Probe = time.Duration(deadline), time.Duration(linger), time.Duration(probe)
	s.out.Spec.Unchecked = !checks
	return starlark.None, nil
}

// callRack adds a rack and returns its name.
func callRack(s *script, c *call) (starlark.Value, error) {
	var (
		name     string
		up, down rate
	)
	if err := c.unpack("name", &name, "up?", &up, "down?", &down); err != nil {
		return nil, err
	}
	switch {
	case name == "" || s.racks[name]:
		return nil, fmt.Errorf("rack: there is already a rack %q, or it has no name", name)
	case up == 0 || down == 0:
		return nil, fmt.Errorf("rack: %s needs up= and down=, the rates of the link that its hosts share", name)
	case len(s.racks) == MaxRacks:
		return nil, fmt.Errorf("rack: more than %d racks", MaxRacks)
	}
	s.racks[name] = true
	s.out.Spec.Racks = append(s.out.Spec.Racks, fleet.RackSpec{Name: name, Up: float64(up), Down: float64(down)})
	return starlark.String(name), nil
}
