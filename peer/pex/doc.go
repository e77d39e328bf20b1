// Package pex is the peer exchange of BEP 11: how a ut_pex message looks, what to
// tell one remote next, and when a remote tells too much.
//
// # Model
//
// A Message is the difference between two sets of addresses: peers that were
// added and peers that were dropped. Parse and Append are its two forms. The rest
// is per connection, and takes the time as an argument:
//
//   - State is what a remote has been told. It is given the peers that are
//     connected now and returns the difference that is to be sent, if one is due.
//   - Judge counts what the remote sends.
//
// # What is sent
//
// At most one message a minute, each at most MaxPeers added and MaxPeers dropped,
// both families together; the first may have MaxFirst added. What does not fit
// waits for the next one. A peer that goes and returns within a minute is not
// mentioned. No address is in a message twice, flags are always there (libtorrent
// passes over addresses without), fields without an address are left out, and no
// message is empty.
//
// Only peers that are connected are told: the BEP lets those with under 25 live
// peers also name some of the past, which this package does not. An address that
// means nothing to the remote is not told: its own, one without a port, IPv6 link
// local ones, and loopback ones except over loopback.
//
// # What is accepted
//
// Parse wants canonical bencode, lists that are a multiple of one address long, at
// most maxEntries addresses, and as many flags as addresses where there are any
// (rtorrent sends none). It is lenient where real clients err and the error harms
// nobody: no field at all, an address twice, one both added and dropped (then it
// counts as added), one that nobody can have. Unknown keys are for extensions.
//
// Judge takes the mainstream's bounds and not the BEP's: libtorrent sends up to
// 100 added and any number dropped. A message less than 45 s after the one
// before is tolerated three times in a row, because a stalled connection delivers
// two together; each 45 s of patience win one back.
//
// # Who calls it
//
// Package peer, for each remote with ut_pex. It must not do so for a private
// torrent (BEP 27): neither send nor announce the extension nor use what comes.
// What is learned is a hint from a stranger and counts less than a tracker's.
//
// The package is pure, dials nobody and does not know which peers there are.
package pex
