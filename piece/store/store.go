package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Store is one torrent's storage. Its methods may be called from any number of
// goroutines.
type Store struct {
	cfg    Config
	lay    *layout
	part   string // the name of the work in progress, beside cfg.Name
	log    *slog.Logger
	disk   disk
	wanted bitset // pieces
	void   bitset // pieces that are padding and nothing else

	root    *os.Root // the download directory
	rootDir *os.File // the same, to rename in and to sync
	state   *state   // nil: none could be had (ReadOnly only)
	handles *handles

	// syncMu serialises what writes the resume file or moves the data.
	// It is taken before pathMu and mu.
	syncMu sync.Mutex
	// pathMu is held for writing while the data moves, for reading while
	// a file of it is being opened.
	pathMu sync.RWMutex
	place  place    // guarded by pathMu
	data   *os.Root // the torrent's directory, or what holds its one file; nil until made

	// mu is a leaf: nothing blocks under it but the condition.
	mu   sync.Mutex
	free sync.Cond // a hold has been given up
	have bitset    // verified
	safe bitset    // durable; a subset of have
	// weak are pieces that a failed fsync took from have: the system may
	// show bytes that are not on the disk.
	weak      map[int]struct{}
	rotten    map[int]struct{} // published pieces that were found wrong: mended in place
	mending   map[int]struct{} // published files that are written to for that
	holds     map[int]*hold
	idle      []*hold
	dirty     map[int]struct{}    // files written since the last sync
	dirtyDirs map[string]struct{} // directories with new entries, below data
	unsynced  int64               // bytes of pieces in have and not in safe
	since     time.Time           // when the first of them was verified
	writable  bool                // data may be written without further ado
	trusted   bool                // have is known to be right
	adopted   bool                // the final path holds data that Check has yet to judge
	ours      bool                // what is at the final path was put there by us
	leftover  bool                // the part path holds what a Finish has replaced
	stats     []fileStat          // not nil: nothing has been written since (sealed)
	stale     bool                // the resume file says less than safe
	broken    error               // the ErrInconsistent that was found
}

// place says which of the two names the data is under.
type place uint8

const (
	atPart place = iota
	atFinal
)

// Open takes the torrent's locks, looks at what is there and returns a Store.
// It writes no data. Errors are, among others, ErrLocked, ErrExists,
// *SpaceError (the wanted files cannot fit) and ErrPermission; a ReadOnly Store
// without any data is an fs.ErrNotExist.
func Open(cfg Config) (*Store, error) {
	lay, err := layoutOf(&cfg)
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	s := &Store{
		cfg: cfg, lay: lay, part: partName(cfg.Name, cfg.InfoHash),
		log: cfg.Logger, disk: cfg.disk, wanted: lay.wantedPieces(),
		weak: make(map[int]struct{}), holds: make(map[int]*hold),
		rotten: make(map[int]struct{}), mending: make(map[int]struct{}),
		dirty: make(map[int]struct{}), dirtyDirs: make(map[string]struct{}),
	}
	s.free.L = &s.mu
	s.void = s.paddingOnly()
	s.have, s.safe = s.void.clone(), s.void.clone()
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.disk == nil {
		s.disk = osDisk{}
	}
	limit := cfg.MaxOpenFiles
	if limit <= 0 {
		limit = openFiles()
	}
	s.handles = newHandles(limit, s.openFile)
	if cfg.ReadOnly {
		err = s.openReadOnly()
	} else {
		err = s.openWritable()
	}
	if err != nil {
		s.release()
		return nil, err
	}
	return s, nil
}

func (s *Store) openWritable() error {
	if err := os.MkdirAll(s.cfg.Dir, 0o755); err != nil {
		return s.fail("create", s.cfg.Dir, err)
	}
	if err := s.openDir(); err != nil {
		return err
	}
	st, err := openState(s.root, s.part, s.cfg.InfoHash, s.disk)
	if err != nil {
		return s.fail("open", filepath.Join(s.cfg.Dir, stateName), err)
	}
	s.state = st
	err = s.begin()
	if err != nil {
		st.discard(s.root)
	}
	return err
}

// begin decides what the data on disk is worth and writes that down before
// any data can follow.
func (s *Store) begin() error {
	old := s.loadResume()
	if err := s.locate(old); err != nil {
		return err
	}
	if err := s.checkSpace(); err != nil {
		return err
	}
	if err := s.probeLinks(); err != nil {
		return err
	}
	s.writable = s.trusted && s.place == atPart && s.stats == nil
	if s.trusted && old != nil && s.state.owned() {
		return nil // the files say all this already
	}
	if err := s.saveResume(); err != nil {
		return err
	}
	if err := s.state.own(); err != nil {
		return s.fail("write", s.state.owner.Name(), err)
	}
	return nil
}

func (s *Store) openReadOnly() error {
	if err := s.openDir(); err != nil {
		return err
	}
	if err := s.locateReadOnly(); err != nil {
		return err
	}
	if s.cfg.NoState || s.place != atFinal {
		return nil
	}
	st, err := openState(s.root, s.part, s.cfg.InfoHash, s.disk)
	if err != nil {
		s.log.Info("no resume state for this seed", "dir", s.cfg.Dir, "err", err)
		return nil
	}
	s.state = st
	if old := s.loadResume(); old != nil && s.sameWanted(old) && !old.unchecked &&
		old.stats != nil && s.statsMatch(old.stats) {
		s.trust(old)
		s.stats = old.stats
	}
	return nil
}

func (s *Store) openDir() (err error) {
	if s.root, err = os.OpenRoot(s.cfg.Dir); err != nil {
		return s.fail("open", s.cfg.Dir, err)
	}
	if s.rootDir, err = s.root.Open("."); err != nil {
		return s.fail("open", s.cfg.Dir, err)
	}
	return nil
}

// Resumed returns the verified pieces, piece 0 in the highest bit of the first
// byte, and whether that is all there is to know. If not, nothing is claimed
// and Check has to look.
func (s *Store) Resumed() (have []byte, trusted bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.have.clone(), s.trusted
}

// Path is where the data lies now: the final path, or the part file or
// directory.
func (s *Store) Path() string {
	s.pathMu.RLock()
	defer s.pathMu.RUnlock()
	return filepath.Join(s.cfg.Dir, s.placeName())
}

// placeName is the data's name in the download directory; pathMu is held.
func (s *Store) placeName() string {
	if s.place == atFinal {
		return s.cfg.Name
	}
	return s.part
}

// missingBytes is how much of the wanted pieces is still to be written.
func (s *Store) missingBytes() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	var n int64
	s.wanted.minus(s.have).each(func(i int) { n += s.lay.onDisk(i) })
	return n
}

// Close makes durable and records what it can, and gives up the locks and the
// descriptors. Sections that are being read stay readable to their end.
func (s *Store) Close() error {
	s.syncMu.Lock()
	_, err := s.syncLocked(context.Background())
	if err == nil {
		err = s.sealAgain()
	}
	s.syncMu.Unlock()
	s.release()
	return err
}

func (s *Store) release() {
	s.handles.drop(true)
	if s.state != nil {
		s.state.close()
	}
	s.pathMu.Lock()
	defer s.pathMu.Unlock()
	if s.data != nil && s.data != s.root {
		s.data.Close()
	}
	if s.rootDir != nil {
		s.rootDir.Close()
	}
	if s.root != nil {
		s.root.Close()
	}
}

// loadResume returns what the resume file says of this torrent, nil if nothing
// that can be believed.
func (s *Store) loadResume() *resume {
	r, err := s.state.load()
	switch {
	case err == nil && r.infoHash == s.cfg.InfoHash && r.pieceLen == s.lay.pieceLen &&
		r.total == s.lay.total && r.pieces == s.lay.pieces &&
		len(r.wanted) == len(newBits(len(s.lay.files))) &&
		(r.stats == nil || len(r.stats) == len(s.lay.files)):
		return r
	case err == nil:
		err = errors.New("resume file is of another torrent")
	case errors.Is(err, os.ErrNotExist):
		return nil
	}
	s.log.Warn("resume state not used, data will be checked", "name", s.cfg.Name, "err", err)
	return nil
}

// saveResume writes the resume file. syncMu is held, or nobody else has s yet.
func (s *Store) saveResume() error {
	if s.state == nil {
		return nil
	}
	s.mu.Lock()
	r := resume{
		infoHash: s.cfg.InfoHash, pieceLen: s.lay.pieceLen, total: s.lay.total, pieces: s.lay.pieces,
		have: s.safe.clone(), wanted: s.wantedFiles(), unchecked: !s.trusted || len(s.mending) > 0, stats: s.stats,
	}
	s.mu.Unlock()
	err := s.state.save(r.encode(len(s.lay.files)))
	s.mu.Lock()
	s.stale = err != nil
	s.mu.Unlock()
	if err != nil {
		return s.fail("write", filepath.Join(s.state.dir.Name(), resumeName), err)
	}
	return nil
}

// wantedFiles are the files that are in place, as the resume file has them.
func (s *Store) wantedFiles() bitset {
	b := newBits(len(s.lay.files))
	for i := range s.lay.files {
		if s.lay.files[i].inPlace {
			b.set(i)
		}
	}
	return b
}
