package peer

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"starling/metainfo"
	"starling/piece"
	"starling/piece/store"
)

// patience ends a test that hangs; nothing waits for it otherwise.
const patience = 30 * time.Second

// payload is a torrent of one file and its bytes.
type payload struct {
	meta *metainfo.Torrent
	data []byte
	dir  string // holds the file
}

func newPayload(t testing.TB, name string, size, pieceLength int64) *payload {
	t.Helper()
	return newPayloadOf(t, metainfo.V1, name, size, pieceLength)
}

func newPayloadOf(t testing.TB, format metainfo.Format, name string, size, pieceLength int64) *payload {
	t.Helper()
	p := &payload{data: make([]byte, size), dir: t.TempDir()}
	rand.NewChaCha8([32]byte([]byte(fmt.Sprintf("%-32s", name)))).Read(p.data)
	if err := os.WriteFile(filepath.Join(p.dir, name), p.data, 0o644); err != nil {
		t.Fatal(err)
	}
	b, err := metainfo.NewBuilderOf(format, name, []metainfo.File{{Length: size}}, pieceLength)
	if err == nil {
		err = b.HashReader(bytes.NewReader(p.data))
	}
	if err == nil {
		p.meta, err = b.Torrent()
	}
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// open opens a store on a directory and says what is in it.
func (p *payload) open(t testing.TB, dir string, readOnly bool) (*store.Store, *piece.Bitfield) {
	t.Helper()
	in := &p.meta.Info
	file := store.File{Path: in.Name, Length: in.Files[0].Length, Wanted: true, Root: in.Files[0].PiecesRoot}
	file.Layer = p.meta.PieceLayers[file.Root]
	s, err := store.Open(store.Config{
		Dir: dir, Name: in.Name, InfoHash: p.meta.WireHash(), PieceLength: in.PieceLength, Hashes: in.Pieces, V2: in.HasV2(),
		Files: []store.File{file}, ReadOnly: readOnly, NoState: readOnly,
	})
	if err != nil {
		t.Fatal(err)
	}
	bits, trusted := s.Resumed()
	if !trusted {
		if bits, err = s.Check(context.Background(), nil); err != nil {
			t.Fatal(err)
		}
	}
	have, err := piece.BitfieldFromBytes(bits, in.NumPieces())
	if err != nil {
		t.Fatal(err)
	}
	return s, have
}

// testSession listens on the loopback interface until the test ends.
func testSession(t testing.TB, id byte, mod func(*Config)) *Session {
	t.Helper()
	cfg := DefaultConfig()
	cfg.Listen, cfg.PeerID, cfg.Seed = "127.0.0.1:0", [20]byte{id}, uint64(id)
	if mod != nil {
		mod(&cfg)
	}
	s, err := Listen(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeSession(t, s) })
	return s
}

func closeSession(t testing.TB, s *Session) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := s.Close(ctx); err != nil {
		t.Error(err)
	}
}

// seed and leech add a torrent to a session; the store is closed with the test.
func (p *payload) seed(t testing.TB, s *Session) *Torrent {
	t.Helper()
	return p.add(t, s, p.dir, true, nil)
}

func (p *payload) leech(t testing.TB, s *Session, from ...string) *Torrent {
	t.Helper()
	return p.add(t, s, t.TempDir(), false, from)
}

func (p *payload) add(t testing.TB, s *Session, dir string, readOnly bool, peers []string) *Torrent {
	t.Helper()
	st, have := p.open(t, dir, readOnly)
	tor, err := s.Add(TorrentConfig{Meta: p.meta, Store: st, Have: have, Peers: peers})
	if err != nil {
		st.Close()
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := tor.Stop(ctx); err != nil {
			t.Error(err)
		}
		st.Close()
	})
	return tor
}

// wait waits for a torrent to be complete and compares its file.
func (p *payload) wait(t testing.TB, tor *Torrent) {
	t.Helper()
	select {
	case <-tor.Completed():
	case <-time.After(patience):
		t.Fatalf("not complete: %+v", tor.Stats())
	}
	got, err := os.ReadFile(tor.store.Path())
	if err != nil || !bytes.Equal(got, p.data) {
		t.Fatalf("the copy is wrong (%d bytes, %v)", len(got), err)
	}
}

// TestSessions: two sessions of several torrents each, every torrent behind the
// same port; what is counted is what was moved.
func TestSessions(t *testing.T) {
	seeds, leeches := testSession(t, 1, nil), testSession(t, 2, nil)
	var ps []*payload
	var from, to []*Torrent
	for i, size := range []int64{1, 3<<20 + 5, 256 << 10, 2 << 20} {
		p := newPayload(t, fmt.Sprintf("content-%d", i), size, 256<<10)
		ps = append(ps, p)
		from = append(from, p.seed(t, seeds))
	}
	for _, p := range ps {
		to = append(to, p.leech(t, leeches, seeds.Addr().String()))
	}
	for i, p := range ps {
		p.wait(t, to[i])
		got, sent := to[i].Stats(), from[i].Stats()
		if size := uint64(len(p.data)); got.ReceivedPayload != size || sent.SentPayload != size {
			t.Errorf("%d bytes: %d received, %d sent", size, got.ReceivedPayload, sent.SentPayload)
		}
		if as := to[i].Accounts(); len(as) != 1 || as[0].PeerID != ([20]byte{1}) || as[0].Received != uint64(len(p.data)) {
			t.Errorf("accounts %+v", as)
		}
	}
	if _, err := seeds.Add(TorrentConfig{Meta: ps[0].meta, Store: from[0].store, Have: piece.NewBitfield(1)}); err == nil {
		t.Error("one torrent is in the session twice")
	}
}

// TestConfigValidate: a configuration that cannot work is refused.
func TestConfigValidate(t *testing.T) {
	for name, spoil := range map[string]func(*Config){
		"policy":      func(c *Config) { c.Policy = "kind" },
		"slots":       func(c *Config) { c.Choke.Slots = 0 },
		"up limit":    func(c *Config) { c.UpLimit = -1 },
		"down limit":  func(c *Config) { c.DownLimit = -1 },
		"connections": func(c *Config) { c.MaxConnsPerTorrent = 0 },
		"numwant":     func(c *Config) { c.NumWant = -1 },
	} {
		c := DefaultConfig()
		spoil(&c)
		if c.Validate() == nil {
			t.Errorf("a wrong %s is accepted", name)
		}
		if s, err := Listen(c); err == nil {
			closeSession(t, s)
			t.Errorf("a session with a wrong %s", name)
		}
	}
}
