package fleet

import (
	"fmt"
	"time"
)

// shape says what a kind of fault needs.
type shape struct {
	hosts, lasts, factor bool
}

var shapes = map[FaultKind]shape{
	Crash: {hosts: true}, PowerLoss: {hosts: true}, Return: {hosts: true}, Leave: {hosts: true},
	Partition: {hosts: true}, OneWay: {hosts: true}, Heal: {},
	Slow: {hosts: true, factor: true}, Stall: {hosts: true, lasts: true}, Freeze: {hosts: true, lasts: true},
	ClockJump: {hosts: true, lasts: true}, DiskFull: {hosts: true, lasts: true},
	TrackerDown: {}, TrackerUp: {}, TrackerLost: {},
}

func (s *Spec) checkFaults() error {
	if len(s.Faults) > MaxFaults {
		return fmt.Errorf("%d faults, want at most %d", len(s.Faults), MaxFaults)
	}
	hosts := s.byName()
	var jumps time.Duration
	for i := range s.Faults {
		x := &s.Faults[i]
		if err := s.checkFault(x, hosts); err != nil {
			return fmt.Errorf("fault %d, %s: %w", i+1, x.Kind, err)
		}
		if x.Kind == ClockJump {
			jumps += x.For
		}
		if jumps > maxSpan {
			return fmt.Errorf("the clocks jump by more than ten years together")
		}
	}
	return nil
}

func (s *Spec) byName() map[string]*HostSpec {
	hosts := map[string]*HostSpec{}
	for i := range s.Hosts {
		hosts[s.Hosts[i].Name] = &s.Hosts[i]
	}
	return hosts
}

func (s *Spec) checkFault(x *Fault, hosts map[string]*HostSpec) error {
	want, known := shapes[x.Kind]
	switch {
	case !known:
		return fmt.Errorf("there is no such kind")
	case want.hosts && len(x.Hosts) == 0:
		return fmt.Errorf("it names no host")
	case !want.hosts && len(x.Hosts) > 0:
		return fmt.Errorf("it is of no host, and names %s", x.Hosts[0])
	case len(x.Others) > 0 && x.Kind != Partition && x.Kind != OneWay:
		return fmt.Errorf("it takes no other hosts, and names %s", x.Others[0])
	case want.lasts && (x.For <= 0 || x.For > maxSpan):
		return fmt.Errorf("it lasts %v, want above 0s and at most ten years", x.For)
	case want.factor && !(x.Factor > 0 && x.Factor <= 1e6):
		return fmt.Errorf("a factor of %g, want above 0 and at most 1e6", x.Factor)
	}
	if err := s.inTime("it is", x.At); err != nil {
		return err
	}
	for _, name := range x.Others {
		if hosts[name] == nil {
			return fmt.Errorf("there is no host %q", name)
		}
	}
	for _, name := range x.Hosts {
		h := hosts[name]
		if h == nil {
			return fmt.Errorf("there is no host %q", name)
		}
		if !want.factor {
			continue
		}
		for _, r := range []float64{rate(h.Up), rate(h.Down)} {
			if err := checkRate(name+": its link then", r*x.Factor); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Spec) checkSends() error {
	if len(s.Sends) > MaxSends {
		return fmt.Errorf("%d messages to send, want at most %d", len(s.Sends), MaxSends)
	}
	hosts := s.byName()
	for i := range s.Sends {
		x := &s.Sends[i]
		what := fmt.Sprintf("message %d", i+1)
		for _, name := range []string{x.From, x.To} {
			if hosts[name] == nil {
				return fmt.Errorf("%s: there is no host %q", what, name)
			}
		}
		if x.Type == 0 {
			return fmt.Errorf("%s: it has no type", what)
		}
		if err := s.inTime(what+" is sent", x.At); err != nil {
			return err
		}
	}
	return nil
}
