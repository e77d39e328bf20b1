// Package magnet fetches the info dictionary of a torrent of which only the
// infohash is known, from the peers of its swarm (BEP 9).
//
// A Fetcher is a protocol on a p2p.Node: it dials the peers it is told of, says
// that it has nothing, and asks those that have the dictionary for its parts of
// 16 KiB. What came is judged as a whole, by the infohash. Where it is wrong, who
// lied is not known if several gave parts of it: from then on one peer at a time is
// asked for all of it, and whoever alone gave a wrong one is asked no more. Where
// peers say several lengths, what most of them say is tried.
//
// Of a v2 torrent it then fetches the hashes of the pieces, which the dictionary does
// not hold (BEP 52). Each answer is judged alone. A hybrid's can do without after a
// while: its peers may know nothing of v2.
//
// Fetch runs a Fetcher on sockets until it is done or its context ends. It speaks
// BEP 3 to everybody, ours as well: it needs one small thing of many peers and
// none of what our own wire is better at.
//
// It does not find trackers, parse the dictionary, or keep its connections for the
// download that follows: the addresses it has learned are in its result.
package magnet
