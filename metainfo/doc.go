// Package metainfo reads, checks, builds and writes what describes a torrent:
// .torrent files (BEP 3), bare info dictionaries as peers hand them on (BEP 9),
// and magnet links (BEP 9, BEP 53).
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
// The infohash is the SHA-1 of the info dictionary's bytes as they came.
// Torrent.InfoBytes keeps them and Marshal writes them back unchanged, so keys
// that this package does not know survive, those of BitTorrent v2 among them.
// It reads the v1 side of a hybrid torrent and refuses v2-only ones.
//
// CleanPath, CheckComponent and CheckFiles are the one place where names from
// outside are judged: the parser, the builder and magnet links all pass through
// them. The storage adds os.Root behind; see piece/store.
//
// A Builder makes a torrent from a list of files and the hashes of its pieces.
// The package is pure: it opens no file and starts no goroutine. Walking a
// directory and hashing it in parallel belong to the caller.
package metainfo
