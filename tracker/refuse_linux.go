package tracker

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// refuseNew has the system leave out who asks for a connection from now on, so that a
// listener can be closed with nobody in its queue: who is in it when it is closed has
// connected, has perhaps sent his request, and would be reset. Who is left out asks
// again after a second, and is then refused before he has sent anything.
func refuseNew(ln *net.TCPListener) error {
	raw, err := ln.SyscallConn()
	if err != nil {
		return err
	}
	// A packet begins with its TCP header, whose flags are at 13: SYN is 2, and a
	// request for a connection has it without ACK, 16.
	program := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_B | unix.BPF_ABS, K: 13},
		{Code: unix.BPF_ALU | unix.BPF_AND | unix.BPF_K, K: 2 | 16},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: 2, Jt: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: 1 << 18}, // all of it
		{Code: unix.BPF_RET | unix.BPF_K, K: 0},
	}
	var failed error
	err = raw.Control(func(fd uintptr) {
		failed = unix.SetsockoptSockFprog(int(fd), unix.SOL_SOCKET, unix.SO_ATTACH_FILTER,
			&unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]})
	})
	if err != nil {
		return err
	}
	return failed
}

// waiting says whether something has come that nobody has taken: a connection in a
// listener's queue, bytes or the end on a connection. A deadline that is over does not
// tell: on a busy machine it may be over before anybody has looked.
func waiting(c syscall.Conn) bool {
	raw, err := c.SyscallConn()
	if err != nil {
		return false
	}
	come := false
	err = raw.Control(func(fd uintptr) {
		look := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		n, err := unix.Poll(look, 0)
		come = err == nil && n > 0 && look[0].Revents&unix.POLLIN != 0
	})
	return err == nil && come
}
