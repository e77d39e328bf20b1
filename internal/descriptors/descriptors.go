package descriptors

import (
	"errors"
	"math"
	"sync"
	"syscall"
)

// A reserve is the limit divided by reserveShare, and at most maxReserve.
const (
	reserveShare = 4
	maxReserve   = 256
)

// ErrScarce says that the descriptors that are left are not for connections.
var ErrScarce = errors.New("the last descriptors are kept for files")

// Limit is how many descriptors the process may have; math.MaxInt if nobody knows.
// It is read once: the runtime raises it when the process starts, and then it stays.
var Limit = sync.OnceValue(func() int {
	if n := limit(); n < math.MaxInt {
		return int(n)
	}
	return math.MaxInt
})

// above is the first number of the reserve under a limit.
func above(limit int) int { return limit - min(limit/reserveShare, maxReserve) }

// Scarce says whether an open connection holds one of the last descriptors. A
// connection that is none of the system's holds none.
func Scarce(c any) bool {
	s, ok := c.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := s.SyscallConn()
	return err == nil && errors.Is(Spare("", "", raw), ErrScarce)
}

// Spare is the Control of a net.Dialer: it fails if the new socket is one of the last.
func Spare(_, _ string, c syscall.RawConn) error {
	var n uintptr
	if err := c.Control(func(fd uintptr) { n = fd }); err != nil {
		return err
	}
	if n < math.MaxInt && int(n) >= above(Limit()) {
		return ErrScarce
	}
	return nil
}
