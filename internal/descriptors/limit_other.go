//go:build !unix

package descriptors

import "math"

// limit is not known: sockets are not numbered among files here.
func limit() uint64 { return math.MaxUint64 }
