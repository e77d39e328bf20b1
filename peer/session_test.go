package peer

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"starling/metainfo"
	"starling/p2p"
	"starling/piece"
	"starling/piece/store"
)

// limit ends a test that hangs; nothing waits for it otherwise.
const limit = 30 * time.Second

// content is a torrent and its bytes, for tests over real sockets.
type testContent struct {
	meta *metainfo.Torrent
	data []byte
}

func newContent(t testing.TB, name string, size int, pieceLength int64) *testContent {
	t.Helper()
	c := &testContent{data: make([]byte, size)}
	rand.NewChaCha8([32]byte{byte(len(name)), name[0]}).Read(c.data)
	src := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(src, c.data, 0o644); err != nil {
		t.Fatal(err)
	}
	b := metainfo.Builder{
		Name: name, PieceLength: pieceLength,
		Files: []metainfo.BuildFile{{Length: int64(size), Open: func() (io.ReadCloser, error) { return os.Open(src) }}},
	}
	var err error
	if c.meta, err = b.Build(context.Background()); err != nil {
		t.Fatal(err)
	}
	return c
}
