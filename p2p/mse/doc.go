// Package mse is message stream encryption (MSE, also PE): the handshake that
// other BitTorrent clients put before BEP 3's to hide what a connection is.
//
// # What it is worth
//
// It is obfuscation, not secrecy. It keeps a device that matches patterns from
// seeing "BitTorrent protocol" in a stream, and some clients speak nothing else;
// these are the reasons to have it. It does not keep anybody from reading the
// stream who tries:
//
//   - Nobody is authenticated. Whoever sits in the middle and knows the infohash
//     makes one handshake with each side and reads everything. The infohash is
//     the only secret of the two, and trackers, peer exchange and DHT tell it.
//   - Nothing is checked for integrity: a bit that is flipped on the way arrives
//     flipped. The hashes of the pieces find that, the messages do not.
//   - RC4 is broken, and so are 768-bit Diffie-Hellman groups for those with the
//     means. The exponentiation here takes a time that depends on the key.
//
// Inside a network one trusts it buys nothing and costs CPU for every byte and
// sendfile with it, so the framework's own wire never uses it.
//
// # Model
//
//	dialer (Client)                                   listener (Server)
//	Ya, PadA                                 ───────▶
//	                                         ◀─────── Yb, PadB
//	H(req1,S), H(req2,SKEY)^H(req3,S),
//	ENC(VC, provide, len, PadC, len), ENC(IA) ──────▶
//	                                         ◀─────── ENC(VC, select, len, PadD)
//	then the payload, as RC4 or plain, both ways
//
// S is the shared secret, SKEY a torrent's infohash (of a v2 torrent its first
// 20 bytes), VC eight zero bytes and IA the initial payload, which is RC4 even
// where plaintext is selected for what follows. No length is told of PadA and
// PadB: the listener looks for H(req1,S) and the dialer for ENC(VC).
//
// The listener learns which torrent is meant from a hash, so that the infohash
// itself does not pass: the caller keeps an index from IndexKey to infohash, and
// Server asks it once.
//
// # Bounds
//
// A pad has at most 512 bytes; what follows 512 bytes without the mark is no
// handshake. One buffer of a constant size serves a handshake: an IA that is
// longer is deciphered as it is read. Nothing is allocated by what the other
// side claims. Time is bounded by the deadlines that the caller has set on the
// connection, and must be: a handshake costs two exponentiations, a fraction of
// a millisecond, for 96 bytes of anybody.
//
// # Who calls it
//
// The acceptor of a session, after Sniff, and a dialer whose policy asks for it.
// Falling back from one wire to the other needs a new connection, so it is the
// dialer's business. A caller compares the infohash of the BEP 3 handshake that
// follows with Conn.SKEY: nothing else ties the two.
//
// # What it does not do
//
// It sets no deadline, closes no connection, and knows no message: IA is bytes.
// It refuses to run where FIPS 140-3 is enforced: RC4 and SHA-1 are forbidden
// there.
//
// Source: the specification in the Vuze wiki ("Message Stream Encryption"), and
// where it is silent what libtorrent, aria2 and Transmission do.
package mse
