// Package piece decides which bytes to ask for next, and from whom.
//
// A torrent is a row of pieces, the unit of hash and of HAVE; a piece is a row
// of 16 KiB blocks, the unit of request. [Geometry] is that division,
// [Bitfield] a set of pieces in the layout of the wire, and [Picker] what one
// peer knows of a torrent: which pieces it has, how many remotes have each,
// and which blocks are asked for or received. The package is pure: no clock,
// no lock, no goroutine, no input or output; chance comes from the generator
// that the caller hands over, so the same calls give the same picks.
//
// One owner (the torrent's engine) drives a Picker in this way:
//
//	connected    AddSeed or AddRemote, then AddHave for each HAVE
//	may ask      Pick, then Requested once the request is queued
//	block comes  Received; when the piece is complete the engine hashes it and
//	             says Verified or Corrupt
//	no answer    Unrequested: rejected, choked, timed out or gone
//	gone         RemoveSeed or RemoveRemote
//
// Picking changes nothing (but the generator) and marking is a separate call,
// so a pick that cannot be sent is simply dropped.
//
// # Pieces of BitTorrent v2
//
// In a torrent of v2 alone the pieces are those of one file after another, and
// the last of each file may be short ([Aligned]). Offsets are still multiples of
// the piece length: between a file's end and the next piece lies a gap of bytes
// that do not exist. So nothing but PieceSize knows of it, and PieceSize looks
// into a table of 4 bytes a piece; a search among the files would cost a pick
// one twentieth. v1 and hybrid torrents, whose gaps are files of zeros, need no
// table for it.
//
// A block of v2 can be verified alone, and passed on before its piece is whole: a
// remote may so have a [Part] of a piece, of which availability knows nothing. An Ask
// may name some; they come after all that the remote has whole.
//
// # Padding
//
// What a piece ends with may be padding (BEP 47). Its blocks are known to be zeros:
// in a torrent that is [Geometry.Padded] they count as received from the start.
//
// # How a pick is fast
//
// Every wanted piece that is not yet begun lies on a shelf, one shelf a
// priority. A shelf is an array in order of availability, in random order
// where the availability is equal, with the end of each run of equals noted
// beside it. A HAVE moves one piece over one such end, so the order is kept by
// two swaps and never by sorting. A pick walks a few steps from the rarest end;
// where the remote has none of those it falls back on a scan of the remote's
// bitfield and the shelf's, 64 pieces a step. Seeds are one number added to
// every availability, so a seed that joins costs O(1).
//
// State by block exists only for pieces that are begun and not yet verified.
//
// # What it does not do
//
// It does not time requests out, measure remotes, size pipelines, hash or
// store; it does not know who was asked, only how many. The numbers it keeps
// are as true as its owner's calls. Storage is package piece/store.
package piece
