// Package wire is the vocabulary of the swarm: the types of the messages that
// peers exchange, and how their heads look as bytes (docs/wire.md).
//
// Package peer speaks in these messages and in no other. How they look on a
// connection is its codec's business: tcp.Native sends them as they are, and
// package peer/bt as BEP 3 has it. So this package depends on neither.
//
// It is pure: parsing takes no memory that the other side could make large, and
// checks all numbers against the torrent's geometry.
package wire
