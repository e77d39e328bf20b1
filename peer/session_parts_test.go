package peer

import (
	"sync"
	"testing"
	"time"

	"starling/metainfo"
	"starling/p2p"
	"starling/peer/wire"
)

// TestPartsOverTCP: of a content of one piece somebody who knows only a leecher gets
// blocks before that leecher has the piece.
func TestPartsOverTCP(t *testing.T) {
	for _, format := range []metainfo.Format{metainfo.V2, metainfo.Hybrid} {
		t.Run(format.String(), func(t *testing.T) {
			p := newPayloadOf(t, format, "content", 4<<20, 4<<20)
			var mu sync.Mutex
			var heard []p2p.Type
			last := testSession(t, 3, func(c *Config) {
				c.Tap = func(r p2p.TapRecord) {
					if r.Dir == p2p.Received && (r.Type == wire.PART || r.Type == wire.PIEC || r.Type == wire.HAVE) {
						mu.Lock()
						heard = append(heard, r.Type)
						mu.Unlock()
					}
				}
			})
			seed := testSession(t, 1, func(c *Config) { c.UpLimit = 1 << 20 })
			middle := testSession(t, 2, nil)
			from, through := p.seed(t, seed), p.leech(t, middle)
			to := p.leech(t, last, middle.Addr().String())
			for deadline := time.Now().Add(patience); through.Stats().Remotes == 0; time.Sleep(time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatal("they do not meet")
				}
			}
			if err := through.AddPeers([]string{seed.Addr().String()}); err != nil {
				t.Fatal(err)
			}
			// The seed is slow until the last one has something.
			for to.Stats().ReceivedPayload == 0 && through.Stats().BytesDone == 0 {
				time.Sleep(time.Millisecond)
			}
			if err := from.SetLimits(0, 0); err != nil {
				t.Fatal(err)
			}
			p.wait(t, through)
			p.wait(t, to)
			mu.Lock()
			defer mu.Unlock()
			pieces, early := 0, 0
			for _, typ := range heard {
				if typ == wire.HAVE {
					break
				}
				if typ == wire.PIEC {
					early++
				}
			}
			for _, typ := range heard {
				count(&pieces, typ == wire.PIEC)
			}
			if early == 0 || heard[0] != wire.PART {
				t.Errorf("%d of %d blocks came before the piece was whole; first came %v", early, pieces, heard[0])
			}
			if n := to.Stats().WastedCorrupt + from.Stats().WastedCorrupt + through.Stats().WastedCorrupt; n > 0 {
				t.Errorf("%d bytes were thrown away", n)
			}
		})
	}
}

// TestLeavesKept: the hashes of blocks that are kept have a bound, and the oldest go
// first.
func TestLeavesKept(t *testing.T) {
	h := &hashTrees{leaves: map[int][]byte{}}
	for i := range 5 {
		h.keep(i, make([]byte, maxLeaves/4))
		h.keep(i, nil) // known already
	}
	if h.kept(0) != nil || h.kept(1) == nil || h.kept(4) == nil || h.bytes != maxLeaves || len(h.order) != len(h.leaves) {
		t.Errorf("%d of %d kept, %d bytes", len(h.leaves), len(h.order), h.bytes)
	}
	h.keep(9, make([]byte, maxLeaves+1))
	if len(h.leaves) != 1 || h.kept(9) == nil {
		t.Errorf("%d kept beside one that is too large", len(h.leaves))
	}
	if (*hashTrees)(nil).kept(0) != nil {
		t.Error("a torrent of v1 has leaves")
	}
}
