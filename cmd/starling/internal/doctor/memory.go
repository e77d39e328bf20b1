package doctor

import (
	"strconv"

	"starling/internal/units"
)

// Memory that must be available: a peer holds pieces in flight, a tracker its
// swarms.
const (
	memoryLeast  = 128 << 20
	memoryPlenty = 512 << 20
)

// memory is the host's, in bytes. group is the bound of the control group, 0 if it
// has none below the host's.
type memory struct {
	known                   bool
	total, available, group uint64
	goLimit                 bool // GOMEMLIMIT is set
}

func judgeMemory(m memory) Finding {
	const check, cure = "memory", "stop what else uses it, or lower --max-peers"
	have := units.FormatBytes(int64(m.available)) + " available of " + units.FormatBytes(int64(m.total))
	if m.group > 0 {
		have = units.FormatBytes(int64(m.available)) + " available of the " + units.FormatBytes(int64(m.group)) + " that the control group allows"
	}
	switch {
	case !m.known:
		return ok(check, "not known on this system")
	case m.available < memoryLeast:
		return problem(check, cure, "%s, too little", have)
	case m.available < memoryPlenty:
		return warning(check, cure, "%s", have)
	case m.group > 0 && !m.goLimit:
		limit := int64(m.group/10*9) >> 20
		return warning(check, "set GOMEMLIMIT="+strconv.FormatInt(limit, 10)+"MiB, nine tenths of it, so that memory is given back before the kernel kills the process", "%s", have)
	}
	return ok(check, "%s", have)
}
