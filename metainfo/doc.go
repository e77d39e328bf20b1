// Package metainfo reads, checks, builds and writes what describes a torrent:
// .torrent files (BEP 3, BEP 52), bare info dictionaries as peers hand them on
// (BEP 9), and magnet links (BEP 9, BEP 53).
//
// A Torrent is a value that is fully checked when Parse returns it: the piece
// hashes match the lengths, sums do not overflow, every count is inside its
// limit, and every file's path may be joined to a directory without leaving it.
// Code behind it need not check again. What does not pass is refused with an
// *Error; nothing is repaired, because two hosts that repair differently would
// write different files under one infohash. The one leniency is for hints that
// no file depends on: URLs and nodes that cannot be used, or are too many, are
// left out.
//
// A torrent is v1, v2 or hybrid. v1 hashes pieces of the files laid end to end
// with SHA-1; v2 hashes each file with SHA-256 in a tree of its own, which package
// merkle computes, and begins it at a piece; a hybrid has both, and padding files
// where v2 leaves gaps. Info describes all three in one way, a list of files with
// their offsets in one run of pieces. The two sides of a hybrid must say the same
// of every file, or it is refused. A torrent of v2 alone never touches SHA-1, and
// where SHA-1 is forbidden (GODEBUG=fips140=only) the others are an error.
//
// The infohashes are the SHA-1 and the SHA-256 of the info dictionary's bytes as
// they came. Torrent.InfoBytes keeps them and Marshal writes them back unchanged,
// so keys that this package does not know survive. The piece layers of v2 are
// outside of these bytes: Parse wants all that are needed, a bare info dictionary
// lacks them until they come from peers (MissingLayers, SetPieceLayer).
//
// BEP 47's attributes are read in both forms. A symbolic link is a file without
// content whose target passes the rules of any path: it cannot leave the torrent,
// and nothing can lie below it.
//
// CleanPath, CheckComponent and CheckFiles are the one place where names from
// outside are judged: the parser, the builder and magnet links all pass through
// them. The storage adds os.Root behind; see piece/store.
//
// A Builder makes a torrent of any format from a list of files and the hashes of
// its pieces.
// The package is pure: it opens no file and starts no goroutine. Walking a
// directory and hashing it in parallel belong to the caller.
package metainfo
