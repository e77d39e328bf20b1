// Package bt is BitTorrent's own wire as a codec: BEP 3, with the fast extension
// (BEP 6), the extension protocol (BEP 10) and the hashes of v2 (BEP 52).
//
// # The model
//
// A Codec stands between one connection and package peer, which speaks the
// messages of package wire whoever is at the other end. The handshake becomes
// HELO, an extended handshake INFO, each message its counterpart. What the other
// side cannot understand is dropped on the way out; what we cannot use (port,
// allowed fast, an advice of BEP 6 to ask for a piece) on the way in.
//
// Where BEP 3 leaves out what our engine relies on, the codec says it: a remote
// without the fast extension that sent no bitfield has none (HNON), and one that
// comes later is HAVEs. That such a remote does not answer what it will not serve
// is in its HELO (wire.CapSilent).
//
// # Two of ours
//
// Who dials does not know who is at the other end, so every dial begins with the
// handshake of BEP 3. Its reserved bytes say that we are starling, what HELO
// would have said besides: an ordinary client passes over them, and one of ours
// answers with HELO in frames of package p2p. From there both go on in frames, no
// round trip later than if they had known.
//
//	reserved  0     'S'
//	          1     the capabilities of HELO, the lower byte
//	          2..3  the port that the dialer listens on
//	          4     0
//	          5..7  as BEP 10 and BEP 6 have it
//
// # What it does not do
//
// It reads no socket by itself, knows no torrent and keeps no state of a swarm:
// what is true of a piece is for the engine to say, and pieces out of range are
// refused there. It does not encrypt (package p2p/mse does).
package bt
