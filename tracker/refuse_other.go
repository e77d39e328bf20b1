//go:build !linux

package tracker

import (
	"errors"
	"net"
)

// refuseNew cannot be done here: who connects at the moment that the listener is
// closed may be reset.
func refuseNew(*net.TCPListener) error { return errors.ErrUnsupported }
