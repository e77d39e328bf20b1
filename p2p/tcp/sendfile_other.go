//go:build !linux

package tcp

import "os"

// fileSender is for systems where this package knows a way to send from files;
// elsewhere there is none, and files go by way of memory.
type fileSender struct{}

func newFileSender(*writer) *fileSender { return nil }

func (*fileSender) sendMore([]byte) error { panic("tcp: no file sender") }

func (*fileSender) send(*os.File, int64, int64) (int64, error) { panic("tcp: no file sender") }
