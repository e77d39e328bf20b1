//go:build !linux

package peer

import "testing"

// openFiles cannot tell here.
func openFiles(*testing.T) int { return 0 }
