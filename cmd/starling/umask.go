package main

import (
	"os"
	"sync"
	"syscall"
)

// umask reads the process's file mode mask. The system can only tell it by
// setting another, so it is read once.
var umask = sync.OnceValue(func() os.FileMode {
	m := syscall.Umask(0o077)
	syscall.Umask(m)
	return os.FileMode(m)
})
