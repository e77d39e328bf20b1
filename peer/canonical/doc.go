// Package canonical ranks the possible connections of a swarm as BEP 40 has it:
// both ends of a connection come to the same number from their two addresses
// alone, and a third party cannot choose it. If each peer that is full prefers
// the connections with higher numbers, the swarm tends towards one random graph
// that all its peers agree on, with a small diameter, and nobody can push a
// peer's connections aside from one network.
//
// # The rule
//
// The priority is the CRC32-C over the two addresses, masked, the smaller one
// first. A mask keeps every bit of the bytes up to and including the first in
// which the addresses differ, but of at least 2 bytes of IPv4 and 6 of IPv6, and
// the bits 0x55 of each byte after those: so peers in one network cannot try
// many addresses, and peers in one rack still differ. Where the addresses are
// equal the CRC is over the two ports, two bytes each, the smaller one first.
//
// # Where clients differ
//
// BEP 40 sorts the addresses after masking them, and so does this package. Some
// clients, libtorrent among them, sort before. The number is the same, for the
// byte that decides the order is never masked. In IPv6 libtorrent keeps one byte
// more than the BEP where the first difference is behind the fifth byte. We do as
// the BEP says: with such a client in such a network (one site, mostly) the two
// ends rank their connection differently, which makes the graph a little less
// canonical and breaks nothing.
//
// # Who calls it
//
// Package peer: when it has no place for another connection, and when it chooses
// which address to dial. It is pure. It keeps no list and drops no connection.
package canonical
