package store

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"path"
	"path/filepath"
	"strings"
	"unicode/utf8"
)

// Bounds and sizes.
const (
	defaultOpenFiles = 64
	// Beyond so many dirty files one syncfs is cheaper than many fsyncs.
	maxFsyncs = 64
	// ioBuffer is what one worker reads at a time: it fits a core's second
	// level cache, so that a byte is hashed before it leaves.
	ioBuffer = 256 << 10

	stateName  = ".starling"
	partSuffix = ".part"
	maxName    = 255 // bytes of a path component, everywhere
)

// File is one file of a torrent.
type File struct {
	// Path is relative to Config.Dir, with slashes, and begins with the
	// torrent's name: "name" or "name/dir/file".
	Path   string
	Length int64
	Wanted bool
}

// Config says what Open opens.
type Config struct {
	// Dir is the download directory. Unless ReadOnly it is made if missing.
	Dir string
	// Name is the torrent's name: the file or directory in Dir.
	Name        string
	InfoHash    [20]byte
	Files       []File
	PieceLength int64
	// Hashes are the pieces' SHA-1s, 20 bytes each. It is not copied.
	Hashes []byte
	// ReadOnly serves existing data, the published or else the part file,
	// and never writes data. Wanted is then ignored. The state directory is
	// used if it can be made.
	ReadOnly bool
	// NoState, with ReadOnly, leaves the state directory alone too.
	NoState bool
	// Overwrite lets Finish replace what is at the final path.
	Overwrite bool
	// Repair takes what is at the final path for this torrent's data even
	// if it is not whole. After Check, Clear takes it back to the part path.
	Repair bool
	// MaxOpenFiles bounds the cached descriptors; 0 means 64.
	MaxOpenFiles int
	// Logger hears what is odd but harmless; nil means nobody.
	Logger *slog.Logger

	// disk, if set, stands between the Store and the system in tests.
	disk disk
}

// layoutOf checks cfg and returns its geometry.
func layoutOf(cfg *Config) (*layout, error) {
	switch {
	case !validName(cfg.Name):
		return nil, fmt.Errorf("torrent name %q is not a file name", cfg.Name)
	case cfg.PieceLength <= 0:
		return nil, fmt.Errorf("piece length %d", cfg.PieceLength)
	case len(cfg.Files) == 0:
		return nil, errors.New("torrent has no files")
	case cfg.NoState && !cfg.ReadOnly:
		return nil, errors.New("a store that writes needs its state directory")
	}
	l := &layout{
		pieceLen: cfg.PieceLength,
		files:    make([]fileInfo, len(cfg.Files)),
		single:   len(cfg.Files) == 1 && cfg.Files[0].Path == cfg.Name,
	}
	seen := make(map[string]struct{}, len(cfg.Files))
	for i, f := range cfg.Files {
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
		if f.Length < 0 || f.Length > math.MaxInt64-l.total {
			return nil, fmt.Errorf("%s: length %d", f.Path, f.Length)
		}
		l.files[i] = fileInfo{path: rel, off: l.total, length: f.Length, inPlace: f.Wanted || cfg.ReadOnly}
		l.total += f.Length
	}
	pieces := l.total / l.pieceLen
	if l.total%l.pieceLen > 0 {
		pieces++
	}
	if pieces > math.MaxInt32 || int64(len(cfg.Hashes)) != 20*pieces {
		return nil, fmt.Errorf("%d bytes of piece hashes for %d pieces", len(cfg.Hashes), pieces)
	}
	l.pieces = int(pieces)
	return l, nil
}

func validName(s string) bool {
	return s != "" && s != "." && s != ".." && s != stateName &&
		len(s) <= maxName && !strings.ContainsAny(s, "/\x00") && filepath.IsLocal(s)
}

// partName is where the work on a torrent lies, beside its final path.
func partName(name string, infoHash [20]byte) string {
	if len(name)+len(partSuffix) <= maxName {
		return name + partSuffix
	}
	suffix := fmt.Sprintf(".%x%s", infoHash[:4], partSuffix)
	cut := maxName - len(suffix)
	for cut > 0 && !utf8.RuneStart(name[cut]) {
		cut--
	}
	return name[:cut] + suffix
}
