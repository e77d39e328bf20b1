package store

import (
	"io"
	"os"
	"runtime/debug"

	"golang.org/x/sys/unix"
)

// mapped shows fn n bytes at off of f without copying them out of the page
// cache, which is a fifth of the cost of hashing them. The pages are read in
// before, in a system call, so that a slow disk holds up no other goroutine and
// a bad one is an error.
//
// done is false if this cannot be had, and f is to be read instead. If the file
// shrinks while fn looks, the system raises SIGBUS, and fn ends there with an
// io.ErrUnexpectedEOF.
func mapped(f *os.File, off, n int64, fn func(b []byte)) (done bool, err error) {
	skip := off % int64(os.Getpagesize())
	m, err := unix.Mmap(int(f.Fd()), off-skip, int(n+skip), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return false, nil
	}
	defer unix.Munmap(m)
	if unix.Madvise(m, unix.MADV_POPULATE_READ) != nil {
		return false, nil
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			if _, fault := r.(interface{ Addr() uintptr }); !fault {
				panic(r)
			}
			done, err = true, io.ErrUnexpectedEOF
		}
	}()
	fn(m[skip:])
	return true, nil
}
