package store

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"starling/metainfo/merkle"
)

// layoutOf checks cfg and returns its geometry.
func layoutOf(cfg *Config) (*layout, error) {
	switch {
	case !validName(cfg.Name):
		return nil, fmt.Errorf("torrent name %q is not a file name", cfg.Name)
	case cfg.PieceLength <= 0:
		return nil, fmt.Errorf("piece length %d", cfg.PieceLength)
	case cfg.V2 && (cfg.PieceLength < merkle.BlockSize || cfg.PieceLength&(cfg.PieceLength-1) != 0):
		return nil, fmt.Errorf("piece length %d of v2 is not a power of two from %d", cfg.PieceLength, merkle.BlockSize)
	case len(cfg.Files) == 0:
		return nil, errors.New("torrent has no files")
	case cfg.NoState && !cfg.ReadOnly:
		return nil, errors.New("a store that writes needs its state directory")
	}
	l := &layout{
		pieceLen: cfg.PieceLength,
		files:    make([]fileInfo, len(cfg.Files)),
		single:   len(cfg.Files) == 1 && cfg.Files[0].Path == cfg.Name,
		v1:       !cfg.V2 || cfg.Hashes != nil,
		v2:       cfg.V2,
	}
	seen := make(map[string]struct{}, len(cfg.Files))
	for i := range cfg.Files {
		f := &cfg.Files[i]
		if err := l.addBytes(i, f); err != nil {
			return nil, err
		}
		l.files[i].inPlace = !f.Pad && (f.Wanted || cfg.ReadOnly)
		if f.Pad {
			continue
		}
		rel, ok := f.Path, l.single
		if !l.single {
			rel, ok = strings.CutPrefix(f.Path, cfg.Name+"/")
		}
		if !ok || !filepath.IsLocal(rel) || path.Clean(rel) != rel || rel == "." || strings.IndexByte(rel, 0) >= 0 {
			return nil, fmt.Errorf("file path %q is not below %q", f.Path, cfg.Name)
		}
		if _, dup := seen[rel]; dup {
			return nil, fmt.Errorf("file path %q appears twice", f.Path)
		}
		seen[rel] = struct{}{}
		l.files[i].path, l.files[i].exec = rel, f.Exec
	}
	pieces := l.total / l.pieceLen
	if l.total%l.pieceLen > 0 {
		pieces++
	}
	if pieces > math.MaxInt32 || l.v1 && int64(len(cfg.Hashes)) != 20*pieces {
		return nil, fmt.Errorf("%d bytes of piece hashes for %d pieces", len(cfg.Hashes), pieces)
	}
	l.pieces = int(pieces)
	return l, l.addLinks(cfg)
}

// addBytes gives file i its place in the torrent's bytes, after the files before
// it, and what its pieces hash to.
func (l *layout) addBytes(i int, f *File) error {
	if f.Pad && !l.v1 {
		return fmt.Errorf("%s: padding in a torrent of v2 alone", f.Path)
	}
	gap := int64(0)
	if rest := l.total % l.pieceLen; l.v2 && f.Length > 0 && !f.Pad && rest > 0 {
		if l.v1 {
			return fmt.Errorf("%s does not begin at a piece, as it must in a hybrid", f.Path)
		}
		gap = l.pieceLen - rest
	}
	if f.Length < 0 || f.Length > math.MaxInt64-gap-l.total {
		return fmt.Errorf("%s: length %d", f.Path, f.Length)
	}
	l.files[i] = fileInfo{off: l.total + gap, length: f.Length, pad: f.Pad}
	l.total += gap + f.Length
	l.pads = l.pads || f.Pad
	if !l.v2 || f.Pad {
		return nil
	}
	layer := int64(0)
	if f.Length > l.pieceLen {
		layer = ((f.Length-1)/l.pieceLen + 1) * merkle.Size
	}
	if int64(len(f.Layer)) != layer {
		return fmt.Errorf("%s: %d bytes of piece layer for %d bytes in pieces of %d", f.Path, len(f.Layer), f.Length, l.pieceLen)
	}
	l.files[i].root, l.files[i].layer = f.Root, f.Layer
	return nil
}

// addLinks takes the symbolic links, none of which may lead outside or by way of
// another: whoever follows them stays below the torrent's directory.
func (l *layout) addLinks(cfg *Config) error {
	targets := make(map[string]string) // by path of the link, both below the name
	for i := range cfg.Files {
		f := &cfg.Files[i]
		if f.Symlink == nil || f.Pad {
			continue
		}
		if l.single || f.Length != 0 {
			return fmt.Errorf("%s: a symbolic link is in a directory and has no bytes", f.Path)
		}
		to := strings.Join(f.Symlink, "/")
		if !filepath.IsLocal(to) || path.Clean(to) != to || to == "." || strings.IndexByte(to, 0) >= 0 || slices.ContainsFunc(f.Symlink, isPath) {
			return fmt.Errorf("%s: symbolic link to %q, which is outside of the torrent", f.Path, to)
		}
		link := &l.files[i]
		targets[link.path] = to
		// The directories of both are real ones, so this needs no look at
		// the disk.
		rel, err := filepath.Rel(path.Dir(link.path), to)
		if err != nil {
			return fmt.Errorf("%s: symbolic link: %w", f.Path, err)
		}
		link.link = filepath.ToSlash(rel)
		l.links = true
	}
	if !l.links {
		return nil
	}
	for i := range l.files {
		p := l.files[i].path
		if l.files[i].link == "" {
			if via := throughLink(targets, p); via != "" {
				return fmt.Errorf("file path %q goes through the symbolic link %q", p, via)
			}
			continue
		}
		for _, way := range [...]string{p, targets[p]} {
			if via := throughLink(targets, way); via != "" {
				return fmt.Errorf("symbolic link %q to %q goes through the symbolic link %q", p, targets[p], via)
			}
		}
		if inCircle(targets, p) {
			return fmt.Errorf("symbolic link %q leads back to itself, or over more than %d others", p, maxChain)
		}
	}
	return nil
}

func isPath(component string) bool {
	return component == "" || strings.ContainsRune(component, '/') || strings.ContainsRune(component, filepath.Separator)
}

// throughLink returns a directory of path p that is a link, "" if none is.
func throughLink(links map[string]string, p string) string {
	for dir := path.Dir(p); dir != "." && dir != "/"; dir = path.Dir(dir) {
		if _, ok := links[dir]; ok {
			return dir
		}
	}
	return ""
}

// maxChain is how many links may lead from one to the next: as many as Linux
// follows.
const maxChain = 40

// inCircle reports whether the links from p on do not end.
func inCircle(links map[string]string, p string) bool {
	for range maxChain + 1 {
		to, ok := links[p]
		if !ok {
			return false
		}
		p = to
	}
	return true
}

// heightOfPiece is that of the merkle tree above a whole piece.
func (l *layout) heightOfPiece() int {
	return bits.TrailingZeros64(uint64(l.pieceLen / merkle.BlockSize))
}
