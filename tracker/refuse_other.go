//go:build !linux

package tracker

import (
	"errors"
	"net"
	"syscall"
)

// refuseNew cannot be done here: who connects at the moment that the listener is
// closed may be reset.
func refuseNew(*net.TCPListener) error { return errors.ErrUnsupported }

// waiting is not known here: what has come when a deadline is over is lost.
func waiting(syscall.Conn) bool { return false }
