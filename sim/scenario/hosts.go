package scenario

import (
	"fmt"
	"strconv"
	"time"

	"go.starlark.net/starlark"

	"starling/sim/fleet"
)

// maxName bounds the name of a host or a group, in bytes.
const maxName = 64

// traits are what a host is described by, for one host or for many.
type traits struct {
	group, rack, policy, protocol each[string]
	up, down, disk, hash          each[float64]
	latency, arrive               each[time.Duration]
	loss, corrupts, has           each[float64]
	freeRides, lies               each[bool]
}

func newTraits() *traits {
	t := &traits{}
	for _, e := range []*each[string]{&t.group, &t.rack, &t.policy, &t.protocol} {
		e.read = readString
	}
	for _, e := range []*each[float64]{&t.up, &t.down, &t.disk, &t.hash} {
		e.read = readRate
	}
	for _, e := range []*each[time.Duration]{&t.latency, &t.arrive} {
		e.read = readSpan
	}
	for _, e := range []*each[float64]{&t.loss, &t.corrupts, &t.has} {
		e.read = readShare
	}
	t.freeRides.read, t.lies.read = readBool, readBool
	return t
}

// link are the arguments that every host takes; own are those of its role.
func (t *traits) link(own ...any) []any {
	return append(own,
		"group?", &t.group, "up?", &t.up, "down?", &t.down, "latency?", &t.latency, "loss?", &t.loss,
		"rack?", &t.rack, "arrive?", &t.arrive)
}

// peer are the arguments of hosts that take part in the torrent.
func (t *traits) peer(own ...any) []any {
	return append(t.link(own...), "policy?", &t.policy, "disk?", &t.disk, "hash?", &t.hash)
}

// leecher are the arguments of leechers.
func (t *traits) leecher(own ...any) []any {
	return append(t.peer(own...), "has?", &t.has, "free_rides?", &t.freeRides, "corrupts?", &t.corrupts, "lies?", &t.lies)
}

func callSeed(s *script, c *call) (starlark.Value, error) {
	name, t := "seed", newTraits()
	if err := c.unpack(t.peer("name?", &name)...); err != nil {
		return nil, err
	}
	return s.one(c, t, name, fleet.Seed)
}

func callLeecher(s *script, c *call) (starlark.Value, error) {
	var name string
	t := newTraits()
	if err := c.unpack(t.leecher("name", &name)...); err != nil {
		return nil, err
	}
	return s.one(c, t, name, fleet.Leecher)
}

func callNode(s *script, c *call) (starlark.Value, error) {
	var name string
	t := newTraits()
	if err := c.unpack(append(t.link("name", &name), "protocol?", &t.protocol)...); err != nil {
		return nil, err
	}
	return s.one(c, t, name, fleet.Node)
}

// callLeechers adds n leechers, name-1 to name-n, and returns their names. A
// second call with the same name counts on.
func callLeechers(s *script, c *call) (starlark.Value, error) {
	var (
		n     int
		name  = "leecher"
		every span
		t     = newTraits()
	)
	if err := c.unpack(append(t.leecher("n", &n, "name?", &name), "every?", &every)...); err != nil {
		return nil, err
	}
	if n < 0 || n > MaxHosts {
		return nil, fmt.Errorf("leechers: %d of them, want 0 to %d", n, MaxHosts)
	}
	if every > 0 && n > int(maxTime/time.Duration(every)) {
		return nil, fmt.Errorf("leechers: the last one would arrive after more than ten years")
	}
	names := make([]starlark.Value, n)
	for i := range n {
		s.numbers[name]++
		h, err := s.host(c, t, i, name+"-"+strconv.Itoa(s.numbers[name]), name, fleet.Leecher)
		if err != nil {
			return nil, err
		}
		h.Arrive += time.Duration(i) * time.Duration(every)
		names[i] = starlark.String(h.Name)
	}
	return starlark.NewList(names), nil
}

// one adds a host and returns its name.
func (s *script) one(c *call, t *traits, name string, role fleet.Role) (starlark.Value, error) {
	h, err := s.host(c, t, 0, name, name, role)
	if err != nil {
		return nil, err
	}
	return starlark.String(h.Name), nil
}

// host adds host number i of a call. The Spec's host is returned, valid until the
// next one is added.
func (s *script) host(c *call, t *traits, i int, name, group string, role fleet.Role) (*fleet.HostSpec, error) {
	if _, taken := s.roles[name]; taken {
		return nil, fmt.Errorf("%s: there is already a host %s; give another name=", c.name, name)
	}
	if len(s.out.Spec.Hosts) == MaxHosts {
		return nil, fmt.Errorf("%s: more than %d hosts", c.name, MaxHosts)
	}
	h := fleet.HostSpec{Name: name, Group: group, Role: role}
	if err := t.fill(c, i, &h); err != nil {
		return nil, fmt.Errorf("%s: %s: %w", c.name, name, err)
	}
	switch {
	case name == "" || len(name) > maxName || len(h.Group) > maxName:
		return nil, fmt.Errorf("%s: a name has 1 to %d bytes", c.name, maxName)
	case h.Rack != "" && !s.racks[h.Rack]:
		return nil, fmt.Errorf("%s: %s: there is no rack %q; call rack() before", c.name, name, h.Rack)
	case h.Protocol != "" && s.opts.Protocols[h.Protocol] == nil:
		return nil, fmt.Errorf("%s: %s: there is no protocol %q", c.name, name, h.Protocol)
	}
	if h.Policy != "" {
		if err := checkPolicy(h.Policy); err != nil {
			return nil, fmt.Errorf("%s: %s: %w", c.name, name, err)
		}
	}
	s.roles[name] = role
	s.out.Spec.Hosts = append(s.out.Spec.Hosts, h)
	return &s.out.Spec.Hosts[len(s.out.Spec.Hosts)-1], nil
}

// fill sets what was given for host i.
func (t *traits) fill(c *call, i int, h *fleet.HostSpec) error {
	for _, f := range []func() error{
		put(c, i, &t.group, &h.Group), put(c, i, &t.rack, &h.Rack), put(c, i, &t.policy, &h.Policy),
		put(c, i, &t.protocol, &h.Protocol), put(c, i, &t.up, &h.Up), put(c, i, &t.down, &h.Down),
		put(c, i, &t.disk, &h.Disk), put(c, i, &t.hash, &h.Hash), put(c, i, &t.latency, &h.Latency),
		put(c, i, &t.arrive, &h.Arrive), put(c, i, &t.loss, &h.Loss), put(c, i, &t.corrupts, &h.Corrupts),
		put(c, i, &t.has, &h.Has), put(c, i, &t.freeRides, &h.FreeRides), put(c, i, &t.lies, &h.Lies),
	} {
		if err := f(); err != nil {
			return err
		}
	}
	return nil
}

// put sets one property, if it was given.
func put[T any](c *call, i int, e *each[T], to *T) func() error {
	return func() error {
		if !e.given {
			return nil
		}
		v, err := e.of(c, i)
		if err == nil {
			*to = v
		}
		return err
	}
}
