// Package benc is the project's guard around bencode (BEP 3), the encoding of
// torrent files, tracker replies and extension messages.
//
// Bencode from the network is hostile until proven otherwise: a length prefix
// can promise a gigabyte, nesting can exhaust the stack, a key can come twice
// and mean two things to two readers. So every reader here begins with Scan,
// one pass without recursion or allocation that accepts exactly the canonical
// encodings inside the caller's Limits. What has been scanned may then be read
// in two ways:
//
//   - Raw, Dict, List, Int and Bytes walk the encoded bytes in place. Nothing
//     is copied, so a hash can be taken over the exact bytes of a value and a
//     40 MiB string costs nothing to reach. metainfo reads this way.
//   - Decode fills a struct with zeebo/bencode, for the small messages where
//     a declared type says more than a loop.
//
// The Append functions write replies by hand, without reflection; a caller
// writes the dictionary's letters itself and keeps the keys sorted.
//
// The package does no input or output, keeps no state and knows no message.
// Its callers are metainfo, tracker, and of the peers peer/wire, peer/bt and peer/pex.
package benc
