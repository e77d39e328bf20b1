package scenario

import (
	"fmt"
	"time"

	"go.starlark.net/starlark"

	"starling/sim/fleet"
)

// hosts is one host's name or a list of them.
type hosts []string

func (h *hosts) Unpack(v starlark.Value) error {
	if name, ok := v.(starlark.String); ok {
		*h = hosts{string(name)}
		return nil
	}
	var l list
	if err := l.Unpack(v); err != nil {
		return fmt.Errorf("got %s, want a host's name or a list of names", shown(v))
	}
	*h = make(hosts, len(l))
	for i, v := range l {
		name, ok := v.(starlark.String)
		if !ok {
			return fmt.Errorf("got %s in the list, want names of hosts", shown(v))
		}
		(*h)[i] = string(name)
	}
	return nil
}

// when are the times of a fault: from at until until. A fault that was given no
// until lasts to the end of the run.
type when struct {
	at    span
	until starlark.Value
	end   time.Duration // of until, if given
}

// read checks until, and says whether it was given.
func (w *when) read() (ends bool, err error) {
	if w.until == nil || w.until == starlark.None {
		return false, nil
	}
	if w.end, err = readSpan(w.until); err != nil {
		return false, fmt.Errorf("until: %w", err)
	}
	if w.end <= time.Duration(w.at) {
		return false, fmt.Errorf("until %v is not after at %v", w.end, time.Duration(w.at))
	}
	return true, nil
}

// length is how long the fault lasts; an error if that was not given.
func (w *when) length() (time.Duration, error) {
	ends, err := w.read()
	if err == nil && !ends {
		err = fmt.Errorf("give until=, the time when it ends")
	}
	return w.end - time.Duration(w.at), err
}

// known checks the names of hosts, and counts them.
func (s *script) known(of hosts) error {
	if s.names += len(of); s.names > maxNames {
		return fmt.Errorf("the faults name more than %d hosts", maxNames)
	}
	for _, name := range of {
		if _, ok := s.roles[name]; !ok {
			return fmt.Errorf("there is no host %q so far", name)
		}
	}
	return nil
}

func (s *script) add(f fleet.Fault) error {
	if len(s.out.Spec.Faults) == MaxFaults {
		return fmt.Errorf("more than %d faults", MaxFaults)
	}
	s.out.Spec.Faults = append(s.out.Spec.Faults, f)
	return nil
}

// beginAndEnd adds a fault of hosts, and the one that ends it if until is given.
func beginAndEnd(begin, end fleet.FaultKind) func(*script, *call) (starlark.Value, error) {
	return func(s *script, c *call) (starlark.Value, error) {
		var (
			of hosts
			w  when
		)
		if err := c.unpack("hosts", &of, "at", &w.at, "until?", &w.until); err != nil {
			return nil, err
		}
		return s.pair(c, of, w, fleet.Fault{Kind: begin, Hosts: of}, fleet.Fault{Kind: end, Hosts: of})
	}
}

// pair adds two faults, the second if w has an end.
func (s *script) pair(c *call, of hosts, w when, begin, end fleet.Fault) (starlark.Value, error) {
	ends, err := w.read()
	if err == nil {
		err = s.known(of)
	}
	if err == nil {
		begin.At = time.Duration(w.at)
		err = s.add(begin)
	}
	if err == nil && ends {
		end.At = w.end
		err = s.add(end)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.name, err)
	}
	return starlark.None, nil
}

// during adds a fault of hosts that has a length.
func during(kind fleet.FaultKind) func(*script, *call) (starlark.Value, error) {
	return func(s *script, c *call) (starlark.Value, error) {
		var (
			of hosts
			w  when
		)
		if err := c.unpack("hosts", &of, "at", &w.at, "until", &w.until); err != nil {
			return nil, err
		}
		length, err := w.length()
		if err == nil {
			err = s.known(of)
		}
		if err == nil {
			err = s.add(fleet.Fault{At: time.Duration(w.at), Kind: kind, Hosts: of, For: length})
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.name, err)
		}
		return starlark.None, nil
	}
}

var (
	callCrash     = beginAndEnd(fleet.Crash, fleet.Return)
	callPowerLoss = beginAndEnd(fleet.PowerLoss, fleet.Return)
	callLeave     = beginAndEnd(fleet.Leave, fleet.Return)
	callStall     = during(fleet.Stall)
	callFreeze    = during(fleet.Freeze)
	callDiskFull  = during(fleet.DiskFull)
)

// callPartition cuts hosts off from all others.
func callPartition(s *script, c *call) (starlark.Value, error) {
	var (
		of hosts
		w  when
	)
	if err := c.unpack("hosts", &of, "at", &w.at, "until?", &w.until); err != nil {
		return nil, err
	}
	return s.pair(c, of, w, fleet.Fault{Kind: fleet.Partition, Hosts: of}, fleet.Fault{Kind: fleet.Heal})
}

// callOneWay loses what hosts send to others.
func callOneWay(s *script, c *call) (starlark.Value, error) {
	var (
		of, to hosts
		w      when
	)
	if err := c.unpack("hosts", &of, "at", &w.at, "until?", &w.until, "to?", &to); err != nil {
		return nil, err
	}
	if err := s.known(to); err != nil {
		return nil, fmt.Errorf("one_way: %w", err)
	}
	return s.pair(c, of, w, fleet.Fault{Kind: fleet.OneWay, Hosts: of, Others: to}, fleet.Fault{Kind: fleet.Heal})
}

// callSlow multiplies the rates of hosts by a factor.
func callSlow(s *script, c *call) (starlark.Value, error) {
	var (
		of     hosts
		w      when
		factor starlark.Value
	)
	if err := c.unpack("hosts", &of, "factor", &factor, "at?", &w.at, "until?", &w.until); err != nil {
		return nil, err
	}
	f, ok := starlark.AsFloat(factor)
	if !ok || !(f >= 1e-6 && f <= 1e6) {
		return nil, fmt.Errorf("slow: a factor of %s, want 0.1 for a tenth of the rate", factor)
	}
	return s.pair(c, of, w, fleet.Fault{Kind: fleet.Slow, Hosts: of, Factor: f}, fleet.Fault{Kind: fleet.Slow, Hosts: of, Factor: 1})
}

// callClockJump sets the clocks of hosts forward.
func callClockJump(s *script, c *call) (starlark.Value, error) {
	var (
		of     hosts
		at, by span
	)
	if err := c.unpack("hosts", &of, "at", &at, "by", &by); err != nil {
		return nil, err
	}
	err := s.known(of)
	if err == nil {
		err = s.add(fleet.Fault{At: time.Duration(at), Kind: fleet.ClockJump, Hosts: of, For: time.Duration(by)})
	}
	if err != nil {
		return nil, fmt.Errorf("clock_jump: %w", err)
	}
	return starlark.None, nil
}

// callTrackerDown has the tracker refuse connections.
func callTrackerDown(s *script, c *call) (starlark.Value, error) {
	var w when
	if err := c.unpack("at", &w.at, "until?", &w.until); err != nil {
		return nil, err
	}
	return s.pair(c, nil, w, fleet.Fault{Kind: fleet.TrackerDown}, fleet.Fault{Kind: fleet.TrackerUp})
}

// callTrackerForgets restarts the tracker with an empty memory.
func callTrackerForgets(s *script, c *call) (starlark.Value, error) {
	var at span
	if err := c.unpack("at", &at); err != nil {
		return nil, err
	}
	if err := s.add(fleet.Fault{At: time.Duration(at), Kind: fleet.TrackerLost}); err != nil {
		return nil, fmt.Errorf("tracker_forgets: %w", err)
	}
	return starlark.None, nil
}
