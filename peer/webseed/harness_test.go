package webseed_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"starling/metainfo"
	"starling/peer"
	"starling/peer/webseed"
	"starling/piece"
	"starling/piece/store"
)

// patience ends a test that hangs; nothing waits for it otherwise.
const patience = 60 * time.Second

const (
	kib = 1 << 10
	mib = 1 << 20
)

func TestMain(m *testing.M) {
	webseed.Hurry()
	os.Exit(m.Run())
}

// content is a torrent and its files.
type content struct {
	meta  *metainfo.Torrent
	files map[string][]byte // by the path that a server has them at
	all   []byte            // end to end, padding included
}

// newContent makes a torrent of files; one without a path is a torrent of one file.
func newContent(t testing.TB, name string, pieceLength int64, files ...metainfo.File) *content {
	t.Helper()
	c := &content{files: map[string][]byte{}}
	b, err := metainfo.NewBuilder(name, files, pieceLength)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.NewChaCha8([32]byte([]byte(fmt.Sprintf("%-32s", name))))
	pads := map[string]bool{}
	for i := range files {
		pads[strings.Join(files[i].Path, "/")] = files[i].Pad
	}
	order := b.Info().Files
	for _, f := range order {
		data := make([]byte, f.Length)
		if path := strings.Join(f.Path, "/"); !pads[path] {
			rng.Read(data)
			c.files[strings.TrimSuffix("/"+name+"/"+path, "/")] = data
		}
		c.all = append(c.all, data...)
	}
	if err = b.HashReader(bytes.NewReader(c.all)); err == nil {
		c.meta, err = b.Torrent()
	}
	if err != nil {
		t.Fatal(err)
	}
	for i := range order {
		f := &c.meta.Info.Files[i]
		f.Pad = pads[strings.Join(f.Path, "/")]
	}
	return c
}

// single is a torrent of one file.
func single(t testing.TB, size, pieceLength int64) *content {
	return newContent(t, "file.bin", pieceLength, metainfo.File{Length: size})
}

// server is a web server that has a torrent's files, and counts.
type server struct {
	*httptest.Server
	c *content
	// before may answer a request itself, the nth from 0 on; nil: none.
	before func(n int, w http.ResponseWriter, r *http.Request) (done bool)
	// rate is how many bytes a second all answers together have; 0: no limit.
	rate int64

	mu       sync.Mutex
	requests []*http.Request
	sent     int64     // bytes of bodies
	free     time.Time // when the next byte may go out
}

func serve(t testing.TB, c *content, before func(n int, w http.ResponseWriter, r *http.Request) bool) *server {
	t.Helper()
	s := &server{c: c, before: before}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	n := len(s.requests)
	s.requests = append(s.requests, r)
	s.mu.Unlock()
	w = &counter{w, s}
	if s.before != nil && s.before(n, w, r) {
		return
	}
	b, ok := s.c.files[r.URL.Path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(b))
}

// counter counts the bytes of a body. It hides ReadFrom, so that all go through Write.
type counter struct {
	http.ResponseWriter
	s *server
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.ResponseWriter.Write(p)
	c.s.mu.Lock()
	c.s.sent += int64(n)
	var wait time.Duration
	if c.s.rate > 0 {
		if now := time.Now(); c.s.free.Before(now) {
			c.s.free = now
		}
		c.s.free = c.s.free.Add(time.Duration(n) * time.Second / time.Duration(c.s.rate))
		wait = time.Until(c.s.free)
	}
	c.s.mu.Unlock()
	time.Sleep(wait)
	return n, err
}

// count returns how many requests came, and how many bytes went out.
func (s *server) count() (requests int, sent int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.requests), s.sent
}

// leecher is a session that fetches a torrent.
type leecher struct {
	*peer.Torrent
	t       testing.TB
	session *peer.Session
	dir     string
	c       *content
	log     *logged
	events  chan peer.Event
}

// leech fetches a torrent from web seeds and peers.
func leech(t testing.TB, c *content, id byte, urls []string, peers ...string) *leecher {
	t.Helper()
	return leechWith(t, c, id, nil, urls, peers...)
}

func leechWith(t testing.TB, c *content, id byte, mod func(*peer.Config), urls []string, peers ...string) *leecher {
	t.Helper()
	l := &leecher{t: t, c: c, dir: t.TempDir(), log: &logged{}, events: make(chan peer.Event, 100)}
	cfg := peer.DefaultConfig()
	cfg.Listen, cfg.PeerID, cfg.Seed = "127.0.0.1:0", [20]byte{id}, uint64(id)
	cfg.Logger = slog.New(slog.NewTextHandler(l.log, nil))
	if mod != nil {
		mod(&cfg)
	}
	var err error
	if l.session, err = peer.Listen(cfg); err != nil {
		t.Fatal(err)
	}
	in := &c.meta.Info
	files := make([]store.File, len(in.Files))
	for i, f := range in.Files {
		files[i] = store.File{Path: in.FilePath(i), Length: f.Length, Wanted: !f.Pad}
	}
	st, err := store.Open(store.Config{
		Dir: l.dir, Name: in.Name, InfoHash: c.meta.InfoHash, PieceLength: in.PieceLength, Hashes: in.Pieces, Files: files,
	})
	if err != nil {
		t.Fatal(err)
	}
	l.Torrent, err = l.session.Add(peer.TorrentConfig{
		Meta: c.meta, Store: st, Have: piece.NewBitfield(in.NumPieces()), Peers: peers, WebSeeds: urls,
		OnEvent: func(e peer.Event) {
			select {
			case l.events <- e:
			default:
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := l.session.Close(ctx); err != nil {
			t.Error(err)
		}
		st.Close()
		if t.Failed() {
			t.Log(l.log.String())
		}
	})
	return l
}

// complete waits until all is there, and compares it.
func (l *leecher) complete() {
	l.t.Helper()
	select {
	case <-l.Completed():
	case <-time.After(patience):
		st := l.Stats()
		l.t.Fatalf("not complete: %+v, remotes %+v", st, l.Remotes())
	}
	for path, want := range l.c.files {
		got, err := os.ReadFile(filepath.Join(l.dir, filepath.FromSlash(path)))
		if err != nil || !bytes.Equal(got, want) {
			l.t.Fatalf("%s is not what it was: %v", path, err)
		}
	}
}

// await polls until a condition holds.
func (l *leecher) await(what string, is func() bool) {
	l.t.Helper()
	for late := time.After(patience); !is(); {
		select {
		case <-late:
			l.t.Fatalf("it did not come to pass: %s", what)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// logged is a log to look into.
type logged struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// said waits until the log has a line that matches.
func (l *leecher) said(pattern string) {
	l.t.Helper()
	re := regexp.MustCompile(pattern)
	l.await("the log says "+pattern, func() bool { return re.MatchString(l.log.String()) })
}

// heard waits for an event whose detail has a text in it.
func (l *leecher) heard(kind peer.EventKind, text string) {
	l.t.Helper()
	for late := time.After(patience); ; {
		select {
		case e := <-l.events:
			if e.Kind == kind && strings.Contains(e.Detail, text) {
				return
			}
		case <-late:
			l.t.Fatalf("no event %s with %q", kind, text)
		}
	}
}
