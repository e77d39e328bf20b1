package tcp

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
)

// maxSendfile bounds one sendfile(2), which does not return before it is done
// or the socket is full.
const maxSendfile = 1 << 20

// fileSender sends from files with sendfile(2). It works with offsets of its
// own and leaves the file's alone, so a file may be on several connections.
//
// Its fields are the arguments and results of step, which is made once: a
// closure for each call would be an allocation for each message.
type fileSender struct {
	w    *writer
	raw  syscall.RawConn
	step func(fd uintptr) bool

	head   []byte // to send before the file, or nil
	src    int
	off, n int64
	err    error
}

// newFileSender returns nil for a connection that is not a TCP socket.
func newFileSender(w *writer) *fileSender {
	c, ok := w.conn.(*net.TCPConn)
	if !ok {
		return nil
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return nil
	}
	s := &fileSender{w: w, raw: raw}
	s.step = s.sendStep
	return s
}

// sendMore sends p and tells the kernel that more follows at once, so that the
// two share a packet.
func (s *fileSender) sendMore(p []byte) error {
	s.head, s.n = p, 0
	return s.run()
}

// send sends n bytes of f from off and returns how many went out.
// errors.ErrUnsupported means that this file cannot be sent like that.
func (s *fileSender) send(f *os.File, off, n int64) (int64, error) {
	s.src, s.off, s.n = int(f.Fd()), off, n
	err := s.run()
	return n - s.n, err
}

func (s *fileSender) run() error {
	for {
		s.err = nil
		if err := s.raw.Write(s.step); err != nil {
			if err := s.w.retry(err); err != nil {
				return err
			}
			continue
		}
		return s.err
	}
}

// sendStep writes until all is sent or the socket is full; true ends the wait.
func (s *fileSender) sendStep(fd uintptr) bool {
	for len(s.head) > 0 || s.n > 0 {
		n, err := s.syscall(int(fd))
		switch {
		case err == syscall.EINTR:
		case err == syscall.EAGAIN:
			return false
		case err != nil:
			s.err = sendError(err)
			return true
		case n == 0:
			s.err = io.ErrUnexpectedEOF
			return true
		default:
			s.w.sent.Add(uint64(n))
		}
	}
	return true
}

func (s *fileSender) syscall(fd int) (int, error) {
	if len(s.head) > 0 {
		n, err := syscall.SendmsgN(fd, s.head, nil, nil, syscall.MSG_MORE|syscall.MSG_NOSIGNAL)
		if n > 0 {
			s.head = s.head[n:]
		}
		return n, err
	}
	n, err := syscall.Sendfile(fd, s.src, &s.off, int(min(s.n, maxSendfile)))
	if n > 0 {
		s.n -= int64(n)
	}
	return n, err
}

// sendError tells a socket's failure, which is the other end's doing, from a
// file's.
func sendError(err error) error {
	switch {
	case errors.Is(err, syscall.EINVAL), errors.Is(err, syscall.ENOSYS):
		return errors.ErrUnsupported
	case errors.Is(err, syscall.EPIPE), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.ETIMEDOUT):
		return &net.OpError{Op: "sendfile", Net: "tcp", Err: os.NewSyscallError("sendfile", err)}
	}
	return os.NewSyscallError("sendfile", err)
}
