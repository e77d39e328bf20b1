// Package merkle is the hash trees of BitTorrent v2 (BEP 52), which let 16 KiB
// be verified alone.
//
// Each file has a tree of its own. Its leaves, layer 0, are the SHA-256 of the
// file's blocks, of which the last is hashed at its true length. Their number is
// brought to a power of two with leaves of 32 zero bytes; each node above is the
// SHA-256 of its two children. The root is in the info dictionary. One layer,
// that of which a hash covers a piece, is in the .torrent file; any other hash is
// asked of peers, who send with a run of hashes those of the nodes beside the
// way to the root: the proof.
//
// Layers are counted from the leaves, nodes in a layer from the left. A run of
// hashes is a []byte of Size bytes each, as files and messages have it. What is
// wholly past the end of the file is not stored: Pad knows it.
//
//   - Root folds a layer, Hasher the bytes of a file or a piece.
//   - Request is what a peer asks, with its bounds; Tree answers from what is
//     known of a file, and takes what it is sent once it is proven.
//
// The package is pure and keeps to the standard library; it uses no hash but
// SHA-256. metainfo checks torrents with it, storage verifies pieces, and peers
// exchange hashes.
package merkle
