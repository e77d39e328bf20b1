package store

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"starling/internal/descriptors"
	"starling/metainfo/merkle"
)

// Bounds and sizes.
const (
	// Of the process's descriptors one in openFilesShare, and not more than
	// defaultOpenFiles.
	defaultOpenFiles = 64
	openFilesShare   = 8
	// Beyond so many dirty files one syncfs is cheaper than many fsyncs.
	maxFsyncs = 64
	// ioBuffer is what one worker reads at a time: it fits a core's second
	// level cache, so that a byte is hashed before it leaves.
	ioBuffer = 256 << 10

	stateName  = ".starling"
	partSuffix = ".part"
	maxName    = 255 // bytes of a path component, everywhere
)

// openFiles is the default of Config.MaxOpenFiles.
func openFiles() int {
	return min(defaultOpenFiles, max(1, descriptors.Limit()/openFilesShare))
}

// File is one file of a torrent.
type File struct {
	// Path is relative to Config.Dir, with slashes, and begins with the
	// torrent's name: "name" or "name/dir/file".
	Path   string
	Length int64
	Wanted bool
	// Pad is padding (BEP 47): bytes that are zero and on no disk. Path and
	// Wanted are not looked at.
	Pad bool
	// Exec lets whoever may read the published file run it.
	Exec bool
	// Symlink, if not nil, makes the file, which has no bytes, a symbolic
	// link to these components below the torrent's directory.
	Symlink []string
	// Root is the root of the file's merkle tree, unless it is empty, and
	// Layer those of its pieces, if it is longer than one: BEP 52. Only
	// with Config.V2. Layer is not copied.
	Root  merkle.Hash
	Layer []byte
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
	// V2 says that the files have merkle trees and begin at pieces
	// (BitTorrent v2). With Hashes too it is a hybrid, where Pad files fill
	// the pieces, and a piece must agree with both sides. Without, it is of
	// v2 alone: there is nothing between the files, and no SHA-1 is asked
	// for.
	V2 bool
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
	// MaxOpenFiles bounds the cached descriptors; 0 means 64, or fewer where the
	// process may have few.
	MaxOpenFiles int
	// Logger hears what is odd but harmless; nil means nobody.
	Logger *slog.Logger

	// disk, if set, stands between the Store and the system in tests.
	disk disk
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
