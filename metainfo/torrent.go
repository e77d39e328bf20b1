package metainfo

import (
	"slices"
	"strings"
)

// Torrent is what a .torrent file says. It is not changed after it was made,
// except for the outer fields (those before Info) by who builds one.
type Torrent struct {
	// Announce is the tracker's URL, "" if there is none.
	Announce string
	// AnnounceList is the tiers of BEP 12; see Trackers.
	AnnounceList [][]string
	// URLList is the web seeds of BEP 19.
	URLList []string
	// Nodes is the DHT nodes of a trackerless torrent (BEP 5).
	Nodes []Node
	// Comment and CreatedBy are free text of the author, any bytes at all:
	// to be escaped before a terminal sees them.
	Comment, CreatedBy string
	// CreationDate is in seconds of Unix time, 0 if not given.
	CreationDate int64
	// Extra holds the top-level keys that this package does not interpret,
	// sorted, so that Marshal can write them again. BitTorrent v2's "piece
	// layers" are here.
	Extra []Field

	// Info is the decoded form of InfoBytes, and InfoHash their SHA-1.
	Info      Info
	InfoBytes []byte
	InfoHash  Hash
}

// Field is a key of a dictionary with its bencoded value.
type Field struct {
	Key   string
	Value []byte
}

// Node is a DHT node's address. Host is an IP address or a name.
type Node struct {
	Host string
	Port uint16
}

// Info describes the content: files laid end to end, cut into pieces of one
// length of which the last may be shorter.
type Info struct {
	// Name is the file's name, or with Multi the directory's.
	Name string
	// PieceLength is in bytes: a power of two.
	PieceLength int64
	// Pieces is the SHA-1 of each piece, 20 bytes a piece.
	Pieces []byte
	// Private forbids to find peers but through the tracker (BEP 27).
	Private bool
	// Multi says that the files are in a directory called Name. Without it
	// there is one file, called Name, whose Path is nil.
	Multi bool
	// Files is the files in the order of their content; never empty.
	Files []File
}

// File is one file of a torrent.
type File struct {
	// Path is the components of the path below the torrent's Name; nil for
	// a torrent of a single file.
	Path []string
	// Length is in bytes and may be 0. Offset is where the file begins in
	// the content: the sum of the lengths before it.
	Length, Offset int64
	// Pad says that the file is only padding (BEP 47): zero bytes that fill
	// a piece up. It is not to be stored; pads of one length may share a
	// path.
	Pad bool
}

// NumPieces returns how many pieces there are; at least 1.
func (in *Info) NumPieces() int { return len(in.Pieces) / len(Hash{}) }

// PieceHash returns the SHA-1 that piece i must have.
func (in *Info) PieceHash(i int) Hash {
	const n = len(Hash{})
	return Hash(in.Pieces[i*n : (i+1)*n])
}

// TotalLength returns the length of the content in bytes, padding included; at
// least 1.
func (in *Info) TotalLength() int64 {
	if len(in.Files) == 0 {
		return 0
	}
	last := &in.Files[len(in.Files)-1]
	return last.Offset + last.Length
}

// FilePath returns the path of file i relative to the download directory, with
// slashes: "name", or "name/dir/file". It has passed CheckFiles.
func (in *Info) FilePath(i int) string {
	return joinPath(in.Name, in.Files[i].Path)
}

func joinPath(name string, below []string) string {
	if len(below) == 0 {
		return name
	}
	return name + "/" + strings.Join(below, "/")
}

// Trackers returns the tiers of trackers to announce to, each URL once. An
// announce-list overrides announce (BEP 12).
func (t *Torrent) Trackers() [][]string {
	var tiers [][]string
	var seen []string // a few dozen at most
	for _, tier := range t.AnnounceList {
		var urls []string
		for _, u := range tier {
			if !slices.Contains(seen, u) {
				seen = append(seen, u)
				urls = append(urls, u)
			}
		}
		if len(urls) > 0 {
			tiers = append(tiers, urls)
		}
	}
	if len(tiers) == 0 && t.Announce != "" {
		return [][]string{{t.Announce}}
	}
	return tiers
}

// Magnet returns the link that names the torrent and its trackers.
func (t *Torrent) Magnet() *Magnet {
	return &Magnet{
		InfoHash: t.InfoHash,
		Name:     t.Info.Name,
		Trackers: slices.Concat(t.Trackers()...),
		WebSeeds: slices.Clone(t.URLList),
	}
}
