package main

import (
	"context"
	"crypto/sha1"
	"errors"
	"path/filepath"
	"strconv"
	"strings"

	"starling/cmd/starling/internal/report"
	"starling/metainfo"
	"starling/piece/store"
)

// recipe says how to make a torrent of a path.
type recipe struct {
	pieceSize int64 // bytes; 0: chosen by the size
	private   bool
	comment   string
	trackers  []string
	webSeeds  []string
	exclude   []string
	created   int64 // Unix seconds; 0: not said
}

// makeTorrent hashes a file or a directory. The same content and recipe make the
// same bytes.
func (a *app) makeTorrent(ctx context.Context, path string, r recipe) (*metainfo.Torrent, *store.Tree, error) {
	what := "hash " + path
	tree, err := store.Scan(ctx, path, r.exclude)
	if err != nil {
		return nil, nil, fail(what, err)
	}
	for _, s := range tree.Skipped {
		a.rep.Say("skipped   %s  %s", report.Escape(s.Path), s.Reason)
	}
	files := make([]metainfo.File, len(tree.Files))
	for i, f := range tree.Files {
		files[i] = metainfo.File{Path: below(tree.Name, f.Path), Length: f.Length}
	}
	if len(files) == 0 {
		return nil, nil, fail(what, errors.New("there is no file to share")).withCode(exitNotFound)
	}
	b, err := metainfo.NewBuilder(tree.Name, files, r.pieceSize)
	if err != nil {
		return nil, nil, fail(what, err)
	}
	b.Private = r.private
	progress, done := a.progressOf("hashing", tree.Name, tree.Total)
	hashes, err := store.HashPieces(ctx, tree, b.Info().PieceLength, 0, progress)
	done()
	if err != nil {
		return nil, nil, interruptedOr(ctx, what, err)
	}
	for i := range b.Info().NumPieces() {
		b.SetPiece(i, metainfo.Hash(hashes[i*sha1.Size:(i+1)*sha1.Size]))
	}
	t, err := b.Torrent()
	if err != nil {
		return nil, nil, fail(what, err)
	}
	t.CreatedBy, t.Comment, t.CreationDate, t.URLList = "starling", r.comment, r.created, r.webSeeds
	if len(r.trackers) > 0 {
		t.Announce = r.trackers[0]
	}
	if len(r.trackers) > 1 {
		// A tier each: they are tried in the order they were given (BEP 12).
		for _, u := range r.trackers {
			t.AnnounceList = append(t.AnnounceList, []string{u})
		}
	}
	return t, tree, nil
}

// below turns a path that begins with the torrent's name into the components
// below it; nil for a torrent of a single file.
func below(name, path string) []string {
	rel, ok := strings.CutPrefix(path, name+"/")
	if !ok {
		return nil
	}
	return strings.Split(rel, "/")
}

// progressOf returns a function that shows how far a hash of total bytes is,
// and one to call at its end.
func (a *app) progressOf(state, name string, total int64) (progress func(done int64), end func()) {
	began := a.now()
	s := report.Status{Name: name, State: state, BytesTotal: total}
	progress = func(done int64) {
		st := s
		st.BytesDone = done
		if spent := a.now().Sub(began).Seconds(); spent > 0 {
			st.DownBPS = int64(float64(done) / spent)
		}
		if st.DownBPS > 0 {
			left := (total - done) / st.DownBPS
			st.ETA = &left
		}
		a.rep.Status(st, false)
	}
	return progress, func() { a.rep.Drop(s) }
}

// interruptedOr tells the end by a signal from a failure.
func interruptedOr(ctx context.Context, what string, err error) error {
	if s := stopped(ctx); s != nil {
		return &failure{code: s.code(), what: what, err: s, retry: true}
	}
	return fail(what, err)
}

// storeFiles lists a torrent's files for a store; wanted nil means all.
func storeFiles(in *metainfo.Info, wanted func(i int) bool) []store.File {
	files := make([]store.File, len(in.Files))
	for i, f := range in.Files {
		files[i] = store.File{Path: in.FilePath(i), Length: f.Length, Wanted: wanted == nil || wanted(i)}
	}
	return files
}

// openStore opens a torrent's data in dir.
func (a *app) openStore(t *metainfo.Torrent, dir string, cfg store.Config) (*store.Store, error) {
	cfg.Dir, cfg.Name, cfg.InfoHash = dir, t.Info.Name, t.InfoHash
	cfg.PieceLength, cfg.Hashes, cfg.Logger = t.Info.PieceLength, t.Info.Pieces, a.log
	if cfg.Files == nil {
		cfg.Files = storeFiles(&t.Info, nil)
	}
	return store.Open(cfg)
}

// verified returns the pieces that are right on the disk: what the resume file
// says if it can be trusted, else what a check finds.
func (a *app) verified(ctx context.Context, t *metainfo.Torrent, s *store.Store) ([]byte, error) {
	if have, trusted := s.Resumed(); trusted {
		return have, nil
	}
	progress, done := a.progressOf("checking", t.Info.Name, t.Info.TotalLength())
	defer done()
	a.metrics.Checking(1)
	defer a.metrics.Checking(-1)
	return s.Check(ctx, progress)
}

// sourceDate is the creation date of a reproducible build, in Unix seconds.
func (a *app) sourceDate() (int64, error) {
	text := a.getenv("SOURCE_DATE_EPOCH")
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0, errors.New("SOURCE_DATE_EPOCH is not a number of seconds")
	}
	return n, nil
}

// contentPath is where a torrent's content is, or will be, below dir.
func contentPath(dir string, t *metainfo.Torrent) string { return filepath.Join(dir, t.Info.Name) }
