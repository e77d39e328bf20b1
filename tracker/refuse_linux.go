package tracker

import (
	"net"

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
