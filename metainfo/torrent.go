package metainfo

import (
	"slices"
	"sort"
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
	// sorted, so that Marshal can write them again.
	Extra []Field

	// Info is the decoded form of InfoBytes.
	Info      Info
	InfoBytes []byte
	// InfoHash is the SHA-1 of InfoBytes, zero if there is no v1 side.
	// InfoHashV2 is their SHA-256, zero if there is no v2 side. See WireHash.
	InfoHash   Hash
	InfoHashV2 HashV2
	// PieceLayers has, under the PiecesRoot of each file longer than a
	// piece, the roots of its pieces, 32 bytes each (BEP 52). They have been
	// held against the root. In a torrent from ParseInfo they are missing
	// until SetPieceLayer; see MissingLayers.
	PieceLayers map[[32]byte][]byte
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
//
// It is v1, v2 or hybrid, which is both. Where there is a v2 side each file
// that is not empty begins at a piece. A hybrid fills the gaps before with
// padding files. A torrent of v2 only leaves them: no byte of them exists, and
// the last piece of each file may be short; see PieceSize.
type Info struct {
	// MetaVersion is 1, or 2 where there is a v2 side (BEP 52).
	MetaVersion int
	// Name is the file's name, or with Multi the directory's.
	Name string
	// PieceLength is in bytes: a power of two.
	PieceLength int64
	// Pieces is the SHA-1 of each piece, 20 bytes a piece; nil if there is
	// no v1 side.
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
	// the content: the sum of the lengths before it, and of the gaps where
	// there is no v1 side.
	Length, Offset int64
	// Pad says that the file is only padding (BEP 47): zero bytes that fill
	// a piece up. It is not to be stored; pads of one length may share a
	// path.
	Pad bool
	// Exec and Hidden are what the author's system said of the file.
	Exec, Hidden bool
	// Symlink, if not nil, says that the file is a symbolic link to the path
	// of these components below the torrent's Name, whatever directory the
	// link is in. They have passed CheckFiles, which does not say that there
	// is something. A link has no content.
	Symlink []string
	// PiecesRoot is the root of the merkle tree of the file's blocks; zero
	// if the file is empty or there is no v2 side.
	PiecesRoot [32]byte
}

// HasV1 reports whether the pieces have SHA-1 hashes: the torrent is v1 or
// hybrid.
func (in *Info) HasV1() bool { return in.Pieces != nil }

// HasV2 reports whether the files have merkle roots: the torrent is v2 or
// hybrid.
func (in *Info) HasV2() bool { return in.MetaVersion == 2 }

// NumPieces returns how many pieces there are; at least 1.
func (in *Info) NumPieces() int {
	if total := in.TotalLength(); total > 0 {
		return int((total-1)/in.PieceLength + 1)
	}
	return 0
}

// PieceSize returns how many bytes piece i has.
func (in *Info) PieceSize(i int) int64 {
	begin, end := int64(i)*in.PieceLength, in.TotalLength()
	if !in.HasV1() {
		f := &in.Files[in.PieceFile(i)]
		end = f.Offset + f.Length
	}
	return min(in.PieceLength, end-begin)
}

// PieceDataSize returns how many bytes of piece i are content and not padding of
// a hybrid.
func (in *Info) PieceDataSize(i int) int64 {
	n := in.PieceSize(i)
	if in.HasV2() {
		f := &in.Files[in.PieceFile(i)]
		n = min(n, f.Offset+f.Length-int64(i)*in.PieceLength)
	}
	return n
}

// PieceFile returns the file that the first byte of piece i belongs to.
func (in *Info) PieceFile(i int) int {
	begin := int64(i) * in.PieceLength
	// Of the files that begin at one place only the last is not empty.
	return sort.Search(len(in.Files), func(k int) bool { return in.Files[k].Offset > begin }) - 1
}

// PieceHash returns the SHA-1 that piece i must have. There must be a v1 side.
func (in *Info) PieceHash(i int) Hash {
	const n = len(Hash{})
	return Hash(in.Pieces[i*n : (i+1)*n])
}

// TotalLength returns the length of the content in bytes, padding and gaps
// included; at least 1.
func (in *Info) TotalLength() int64 {
	if len(in.Files) == 0 {
		return 0
	}
	last := &in.Files[len(in.Files)-1]
	return last.Offset + last.Length
}

// ContentLength returns how many bytes the files have, without padding; at
// least 1.
func (in *Info) ContentLength() int64 {
	var n int64
	for i := range in.Files {
		if f := &in.Files[i]; !f.Pad {
			n += f.Length
		}
	}
	return n
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
		V2:       t.InfoHashV2,
		Name:     t.Info.Name,
		Trackers: slices.Concat(t.Trackers()...),
		WebSeeds: slices.Clone(t.URLList),
	}
}

// WireHash returns the name of the torrent in handshakes and for trackers: the
// v1 infohash, or the shortened one of v2 where there is no v1 side.
func (t *Torrent) WireHash() Hash { return wireHash(t.InfoHash, t.InfoHashV2) }

func wireHash(v1 Hash, v2 HashV2) Hash {
	if v1 == (Hash{}) {
		return v2.Short()
	}
	return v1
}
