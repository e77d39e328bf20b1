package fleet

import (
	"fmt"
	"time"
)

func (s *Spec) checkRacks() error {
	if len(s.Racks) > MaxRacks {
		return fmt.Errorf("%d racks, want at most %d", len(s.Racks), MaxRacks)
	}
	seen := map[string]bool{}
	for i := range s.Racks {
		r := &s.Racks[i]
		switch {
		case r.Name == "" || len(r.Name) > maxName:
			return fmt.Errorf("rack %q: want a name of 1 to %d bytes", r.Name, maxName)
		case seen[r.Name]:
			return fmt.Errorf("two racks are named %q", r.Name)
		}
		seen[r.Name] = true
		if err := checkRates("rack "+r.Name, rates{{"uplink", r.Up}, {"downlink", r.Down}}); err != nil {
			return err
		}
	}
	return nil
}

type rates []struct {
	what string
	is   float64
}

func checkRates(of string, all rates) error {
	for _, r := range all {
		if err := checkRate(of+": its "+r.what, r.is); err != nil {
			return err
		}
	}
	return nil
}

func (s *Spec) checkHosts() error {
	if n := len(s.Hosts); n < 1 || n > MaxHosts {
		return fmt.Errorf("%d hosts, want 1 to %d", n, MaxHosts)
	}
	racks, names := map[string]bool{"": true}, map[string]bool{}
	for i := range s.Racks {
		racks[s.Racks[i].Name] = true
	}
	for i := range s.Hosts {
		h := &s.Hosts[i]
		if err := checkName("host", h.Name); err != nil {
			return err
		}
		if names[h.Name] {
			return fmt.Errorf("two hosts are named %s", h.Name)
		}
		names[h.Name] = true
		if !racks[h.Rack] {
			return fmt.Errorf("%s: there is no rack %q", h.Name, h.Rack)
		}
		if err := s.checkHost(h); err != nil {
			return err
		}
	}
	return nil
}

func (s *Spec) checkHost(h *HostSpec) error {
	err := checkRates(h.Name, rates{{"uplink", h.Up}, {"downlink", h.Down}, {"disk", h.Disk}, {"hashing", h.Hash}})
	if err == nil {
		err = within(h.Name+": its latency", h.Latency, maxLatency)
	}
	if err == nil {
		err = s.inTime(h.Name+" arrives", h.Arrive)
	}
	if err != nil {
		return err
	}
	switch {
	case len(h.Group) > maxName:
		return fmt.Errorf("%s: a group's name of %d bytes, want at most %d", h.Name, len(h.Group), maxName)
	case h.Role > Node:
		return fmt.Errorf("%s: there is no role %d", h.Name, h.Role)
	case !(h.Loss >= 0 && h.Loss <= 1):
		return fmt.Errorf("%s: a loss of %g, want 0 to 1", h.Name, h.Loss)
	case !(h.Has >= 0 && h.Has <= 1):
		return fmt.Errorf("%s: it has a share of %g, want 0 to 1", h.Name, h.Has)
	case !(h.Corrupts >= 0 && h.Corrupts <= 1):
		return fmt.Errorf("%s: it corrupts a share of %g, want 0 to 1", h.Name, h.Corrupts)
	case h.Protocol != "" && h.Role != Node:
		return fmt.Errorf("%s: only a host of role Node runs a protocol", h.Name)
	case h.Protocol != "" && s.Protocols[h.Protocol] == nil:
		return fmt.Errorf("%s: there is no protocol %q", h.Name, h.Protocol)
	}
	if h.Policy != "" {
		if err := checkPolicy(h.Policy, s.Peer.Choke); err != nil {
			return fmt.Errorf("%s: %w", h.Name, err)
		}
	}
	return nil
}

// inTime wants a time that a run can reach.
func (s *Spec) inTime(what string, at time.Duration) error {
	if at < 0 || at > s.Deadline {
		return fmt.Errorf("%s at %v, want within the run's deadline, 0s to %v", what, at, s.Deadline)
	}
	return nil
}
