package scenario

import (
	"fmt"
	"time"

	"go.starlark.net/starlark"

	"starling/p2p"
	"starling/sim/fleet"
)

// maxData bounds the data of a message that a script sends, in bytes.
const maxData = 4 << 10

// callSend has a host send a request to another.
func callSend(s *script, c *call) (starlark.Value, error) {
	var (
		from, to, kind, data string
		at                   span
	)
	if err := c.unpack("sender", &from, "to", &to, "type", &kind, "at", &at, "data?", &data); err != nil {
		return nil, err
	}
	switch {
	case len(kind) != 4:
		return nil, fmt.Errorf("send: a type %q, want 4 bytes such as NAME", kind)
	case len(data) > maxData:
		return nil, fmt.Errorf("send: %d bytes of data, want at most %d", len(data), maxData)
	case len(s.out.Spec.Sends) == MaxSends:
		return nil, fmt.Errorf("send: more than %d messages", MaxSends)
	}
	if err := s.known(hosts{from, to}); err != nil {
		return nil, fmt.Errorf("send: %w", err)
	}
	s.out.Spec.Sends = append(s.out.Spec.Sends, fleet.Send{At: time.Duration(at), From: from, To: to, Type: p2p.T(kind), Data: data})
	return starlark.None, nil
}
