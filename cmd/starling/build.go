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
	format    metainfo.Format
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
	files := filesOf(tree)
	if len(files) == 0 {
		return nil, nil, fail(what, errors.New("there is no file to share")).withCode(exitNotFound)
	}
	b, err := metainfo.NewBuilderOf(r.format, tree.Name, files, r.pieceSize)
	if err != nil {
		return nil, nil, fail(what, err)
	}
	b.Private = r.private
	if err := a.hashTree(ctx, b, tree); err != nil {
		return nil, nil, interruptedOr(ctx, what, err)
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

// filesOf lists what was found for a torrent.
func filesOf(tree *store.Tree) []metainfo.File {
	var files []metainfo.File
	for _, f := range tree.Files {
		files = append(files, metainfo.File{Path: below(tree.Name, f.Path), Length: f.Length, Exec: f.Exec})
	}
	for _, l := range tree.Links {
		files = append(files, metainfo.File{Path: below(tree.Name, l.Path), Symlink: l.Target})
	}
	return files
}

// hashTree gives the builder the hashes of its pieces. The files are read once,
// whatever the format. The builder and the tree have the files in one order.
func (a *app) hashTree(ctx context.Context, b *metainfo.Builder, tree *store.Tree) error {
	progress, done := a.progressOf("hashing", tree.Name, tree.Total)
	defer done()
	in := b.Info()
	if !in.HasV2() {
		hashes, err := store.HashPieces(ctx, tree, in.PieceLength, 0, progress)
		if err != nil {
			return err
		}
		for i := range in.NumPieces() {
			b.SetPiece(i, metainfo.Hash(hashes[i*sha1.Size:(i+1)*sha1.Size]))
		}
		return nil
	}
	pieces, err := store.HashAligned(ctx, tree, in.PieceLength, in.HasV1(), 0, progress)
	if err != nil {
		return err
	}
	for i := range pieces {
		b.SetPieceRoot(i, pieces[i].Root)
		if in.HasV1() {
			b.SetPiece(i, pieces[i].SHA1)
		}
	}
	return nil
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
		files[i] = store.File{
			Path: in.FilePath(i), Length: f.Length, Wanted: wanted == nil || wanted(i),
			Pad: f.Pad, Exec: f.Exec, Symlink: f.Symlink,
		}
	}
	return files
}

// openStore opens a torrent's data in dir.
func (a *app) openStore(t *metainfo.Torrent, dir string, cfg store.Config) (*store.Store, error) {
	cfg.Dir, cfg.Name, cfg.InfoHash = dir, t.Info.Name, t.WireHash()
	cfg.PieceLength, cfg.Hashes, cfg.Logger = t.Info.PieceLength, t.Info.Pieces, a.log
	if cfg.Files == nil {
		cfg.Files = storeFiles(&t.Info, nil)
	}
	// A hybrid's piece layers may not have come yet; the SHA-1s then do.
	if cfg.V2 = t.Info.HasV2() && (!t.Info.HasV1() || t.MissingLayers() == nil); cfg.V2 {
		for i := range t.Info.Files {
			f := &t.Info.Files[i]
			cfg.Files[i].Root = f.PiecesRoot
			if f.Length > t.Info.PieceLength {
				cfg.Files[i].Layer = t.PieceLayers[f.PiecesRoot]
			}
		}
	}
	return store.Open(cfg)
}

// verified returns the pieces that are right on the disk: what the resume file
// says if it can be trusted, else what a check finds.
func (a *app) verified(ctx context.Context, t *metainfo.Torrent, s *store.Store) ([]byte, error) {
	if have, trusted := s.Resumed(); trusted {
		return have, nil
	}
	progress, done := a.progressOf("checking", t.Info.Name, t.Info.ContentLength())
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
