package livefleet

import (
	"fmt"

	"starling/piece"
	"starling/sim/fleet"
)

// Bounds of what is run in real time on one machine.
const (
	MaxHosts = 32
	// MaxBytes bounds the content of all hosts together, on disk.
	MaxBytes = 8 << 30
)

// RefusedError says what of a Spec this network cannot do.
type RefusedError struct{ What string }

func (e *RefusedError) Error() string { return "on --network tcp: " + e.What }

func refuse(format string, args ...any) error { return &RefusedError{fmt.Sprintf(format, args...)} }

// check refuses what cannot be run for real.
func check(s *fleet.Spec) error {
	switch {
	case len(s.Hosts) > MaxHosts:
		return refuse("%d hosts, at most %d", len(s.Hosts), MaxHosts)
	case s.Size > MaxBytes/int64(len(s.Hosts)+1):
		return refuse("%d bytes on %d hosts are more than %d GiB of disk", s.Size, len(s.Hosts), MaxBytes>>30)
	case len(s.Racks) > 0:
		return refuse("racks: hosts of one machine share no such link")
	case s.Peer.Strategy != piece.RarestFirst:
		return refuse("the picker of real peers is rarest first")
	}
	nodes := map[string]bool{}
	for i := range s.Hosts {
		h := &s.Hosts[i]
		if err := checkHost(h); err != nil {
			return err
		}
		nodes[h.Name] = h.Role == fleet.Node
	}
	for i := range s.Faults {
		if err := checkFault(&s.Faults[i], nodes); err != nil {
			return err
		}
	}
	for _, x := range s.Sends {
		if !nodes[x.From] {
			return refuse("a message from %s: only a node() sends", x.From)
		}
	}
	return nil
}

func checkHost(h *fleet.HostSpec) error {
	switch {
	case h.Loss > 0:
		return refuse("loss of %s", h.Name)
	case h.FreeRides, h.Lies, h.Corrupts > 0:
		return refuse("%s is a bad peer: real ones are honest", h.Name)
	case h.Has > 0 && h.Role == fleet.Leecher:
		return refuse("%s begins with a part of the content", h.Name)
	case h.Protocol != "":
		return refuse("protocol %s of %s", h.Protocol, h.Name)
	}
	return nil
}

func checkFault(x *fleet.Fault, nodes map[string]bool) error {
	switch x.Kind {
	case fleet.Crash, fleet.Leave, fleet.Return, fleet.Slow:
		for _, name := range x.Hosts {
			if nodes[name] && x.Kind == fleet.Slow {
				return refuse("fault %s of the node %s", x.Kind, name)
			}
		}
		return nil
	case fleet.TrackerDown, fleet.TrackerUp, fleet.TrackerLost:
		return nil
	}
	return refuse("fault %s", x.Kind)
}
