//go:build unix

package descriptors

import (
	"math"
	"syscall"
)

// limit is the limit that is in force.
func limit() uint64 {
	var r syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &r); err != nil {
		return math.MaxUint64
	}
	return uint64(r.Cur)
}
