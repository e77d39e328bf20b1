package tracker

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"starling/metainfo"
)

// Torrents is the registry of the torrent files that a tracker serves: those that
// were added, and those in its folder. A name is unique; an infohash may have
// several. A hybrid torrent has a swarm for each of its two infohashes. It is safe
// for concurrent use.
type Torrents struct {
	shards *shards
	mu     sync.Mutex // a leaf, except for shards' locks
	byName map[string]*torrent
	// primaries has, for the second infohash of each hybrid, the first.
	primaries map[metainfo.Hash]metainfo.Hash
	bad       map[string]badFile
}

type torrent struct {
	name   string        // at the tracker
	title  string        // what it calls itself
	hash   metainfo.Hash // by which it is listed, and under which peers announce,
	short  metainfo.Hash // under this one too if it is not zero
	v2     metainfo.HashV2
	size   int64
	pieces int
	raw    []byte // nil: it is in the folder
	path   string
	dir    string
	file   fileID
	since  time.Time
}

// fileID tells whether a file has changed.
type fileID struct {
	size  int64
	mtime time.Time
}

// badFile is a file of the folder that is not served, to be reported once.
type badFile struct {
	file fileID // zero: it is to be tried again
	why  string
}

func newTorrents(s *shards) *Torrents {
	return &Torrents{
		shards: s, byName: make(map[string]*torrent), primaries: make(map[metainfo.Hash]metainfo.Hash), bad: make(map[string]badFile),
	}
}

// ErrNameTaken says that another torrent has the name.
var ErrNameTaken = errors.New("torrent name is taken")

// Add registers a torrent file's bytes, which it keeps, under a name: the file is
// then at /torrents/NAME.torrent. Adding the same torrent again changes nothing.
func (t *Torrents) Add(name string, raw []byte) error {
	if err := checkName(name); err != nil {
		return err
	}
	e, err := parseTorrent(name, raw)
	if err != nil {
		return err
	}
	e.raw = raw
	t.mu.Lock()
	defer t.mu.Unlock()
	if old := t.byName[name]; old != nil {
		if old.hash == e.hash {
			return nil
		}
		return fmt.Errorf("%q: %w", name, ErrNameTaken)
	}
	return t.put(e)
}

// Remove takes a torrent out; its swarm lasts until its peers have expired.
func (t *Torrents) Remove(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.drop(name)
}

// TorrentURLPath is the path at which a torrent of that name is served.
func TorrentURLPath(name string) string { return "/torrents/" + url.PathEscape(name) + ".torrent" }

// checkName refuses what is no file name. Names come from the operator, and go
// into URLs and JSON; they never become a path.
func checkName(name string) error {
	if name == "" || len(name) > 255 || name == "." || name == ".." || strings.ContainsAny(name, "/\\\x00") {
		return fmt.Errorf("%q cannot name a torrent", name)
	}
	return nil
}

func parseTorrent(name string, raw []byte) (*torrent, error) {
	m, err := metainfo.Parse(raw)
	if err != nil {
		return nil, err
	}
	e := &torrent{
		name: name, title: m.Info.Name, hash: m.WireHash(), v2: m.InfoHashV2, size: m.Info.ContentLength(), pieces: m.Info.NumPieces(), since: time.Now(),
	}
	if e.v2 != (metainfo.HashV2{}) && e.v2.Short() != e.hash {
		e.short = e.v2.Short()
	}
	return e, nil
}

// hashes are the infohashes under which its peers announce.
func (e *torrent) hashes() []metainfo.Hash {
	if e.short == (metainfo.Hash{}) {
		return []metainfo.Hash{e.hash}
	}
	return []metainfo.Hash{e.hash, e.short}
}

// put needs mu.
func (t *Torrents) put(e *torrent) error {
	t.byName[e.name] = e
	if e.short != (metainfo.Hash{}) {
		t.primaries[e.short] = e.hash
	}
	for _, h := range e.hashes() {
		if err := t.shards.register(h); err != nil {
			t.drop(e.name)
			return err
		}
	}
	return nil
}

// drop needs mu.
func (t *Torrents) drop(name string) {
	e := t.byName[name]
	if e == nil {
		return
	}
	delete(t.byName, name)
	for _, h := range e.hashes() {
		if !t.needs(h) {
			t.shards.unregister(h)
			delete(t.primaries, h)
		}
	}
}

// needs says whether a torrent has that infohash. It needs mu.
func (t *Torrents) needs(h metainfo.Hash) bool {
	for _, e := range t.byName {
		if e.hash == h || e.short == h {
			return true
		}
	}
	return false
}

// scan brings the registry up to date with the folder. A file that is no torrent
// is logged once and left out.
func (t *Torrents) scan(dir string, log *slog.Logger) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return err
	}
	there := make(map[string]bool)
	for _, entry := range entries {
		name, ok := strings.CutSuffix(entry.Name(), ".torrent")
		if !ok || checkName(name) != nil {
			continue
		}
		// Of a link, what it points at: the files of a ConfigMap are links within
		// their folder. One that leads out of it is refused.
		info, err := root.Stat(entry.Name())
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		there[name] = true
		id := fileID{info.Size(), info.ModTime()}
		if t.knows(name, dir, id) {
			continue
		}
		if err := t.take(root, dir, entry.Name(), name, id); err != nil {
			log.Warn("torrent file left out", "file", entry.Name(), "err", err)
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for name, e := range t.byName {
		if e.raw == nil && !there[name] {
			t.drop(name)
		}
	}
	for name := range t.bad {
		if !there[name] {
			delete(t.bad, name)
		}
	}
	return nil
}

// knows says whether a file needs no reading: it has been read as it is, or
// another torrent was added under its name.
func (t *Torrents) knows(name, dir string, id fileID) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if e := t.byName[name]; e != nil && (e.raw != nil || e.file == id && e.dir == dir) {
		return true
	}
	bad, ok := t.bad[name]
	return ok && bad.file == id
}

// take reads one file of the folder into the registry, in place of an older
// version of it. An error is returned when it is new.
func (t *Torrents) take(root *os.Root, dir, path, name string, id fileID) error {
	raw, err := readTorrent(root, path)
	var e *torrent
	if err == nil {
		e, err = parseTorrent(name, raw)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if old := t.byName[name]; old != nil && old.raw != nil {
		return nil // it was added meanwhile
	}
	t.drop(name)
	if err == nil {
		e.path, e.dir, e.file = path, dir, id
		err = t.put(e)
	}
	if err == nil {
		delete(t.bad, name)
		return nil
	}
	bad := badFile{file: id, why: err.Error()}
	if errors.Is(err, fs.ErrPermission) {
		bad.file = fileID{} // what mends that changes neither size nor time
	}
	if t.bad[name] == bad {
		return nil
	}
	t.bad[name] = bad
	return err
}

func readTorrent(root *os.Root, path string) ([]byte, error) {
	f, err := root.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, metainfo.MaxSize+1))
	if err == nil && len(raw) > metainfo.MaxSize {
		err = fmt.Errorf("more than %d bytes", metainfo.MaxSize)
	}
	return raw, err
}

// get returns a torrent file's bytes and the time it became known.
func (t *Torrents) get(name string) ([]byte, time.Time, error) {
	t.mu.Lock()
	e := t.byName[name]
	t.mu.Unlock()
	if e == nil {
		return nil, time.Time{}, fs.ErrNotExist
	}
	if e.raw != nil {
		return e.raw, e.since, nil
	}
	root, err := os.OpenRoot(e.dir)
	if err != nil {
		return nil, time.Time{}, err
	}
	defer root.Close()
	raw, err := readTorrent(root, e.path)
	return raw, e.since, err
}
