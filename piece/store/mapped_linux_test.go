package store

import (
	"bytes"
	"io"
	"os"
	"testing"
)

// A file that is cut while its bytes are being hashed is an error, no crash.
func TestMapped(t *testing.T) {
	f, err := os.Create(t.TempDir() + "/f")
	must(t, err)
	defer f.Close()
	data := bytes.Repeat([]byte("0123456789"), 20_000)
	_, err = f.Write(data)
	must(t, err)
	var got []byte
	done, err := mapped(f, 12345, 100_000, func(b []byte) { got = bytes.Clone(b) })
	if !done {
		t.Skip("nothing can be mapped here")
	}
	if err != nil || !bytes.Equal(got, data[12345:112345]) {
		t.Error(len(got), err)
	}
	done, err = mapped(f, 0, 100_000, func(b []byte) {
		must(t, f.Truncate(0))
		got = bytes.Clone(b)
		t.Error("read what is gone")
	})
	if !done || err != io.ErrUnexpectedEOF {
		t.Error(done, err)
	}
	if done, _ := mapped(f, 0, 100_000, func([]byte) { t.Error("read beyond the end") }); done {
		t.Error("mapped beyond the end")
	}
	defer func() {
		if recover() != "mine" {
			t.Error("another panic was swallowed")
		}
	}()
	must(t, f.Truncate(4096))
	mapped(f, 0, 4096, func([]byte) { panic("mine") })
}
