// Package interop tries starling against BitTorrent clients that others wrote:
// transmission, aria2, qbittorrent-nox, rtorrent and libtorrent, and against the
// tracker opentracker. It has tests only; `make interop` runs them and
// docs/interop.md says what came of it.
//
// # Model
//
// TestMain builds the starling binary and then runs the tests in a network
// namespace of their own, in which all of 10.77.0.0/16 is the loopback interface:
// so each client has an address of its own, as in a real swarm (transmission
// refuses 127.0.0.0/8, and several clients know one peer an address), none can
// disturb another or be disturbed, and nothing reaches the world outside.
//
// A site is one trial's part of those addresses, and its directory. A node is one
// program that runs there. A program says how a client is started; a client is
// what takes torrents and says how far it is, whatever its control protocol:
// JSON-RPC, WebUI, SCGI, or JSON lines. A cell is one entry of the matrix: who
// seeds, who leeches, and what of the protocol is tried. DHT, local discovery, PEX,
// uTP and port mapping are off unless the cell tries them.
//
// # Rules
//
// A cell asks for what its clients cannot do: it is then skipped, with the reason.
// Where the client's package is missing it is skipped too, but under CI, where
// .ci/run has installed it, that fails. Every wait is bounded; nothing is tried
// twice, but that qbittorrent is resumed after an error which is its own (maxResumes),
// and that a cell is skipped where another's program crashes (maxCrashes). Each trial
// ends the programs that it began by their ids, and the kernel kills what a dead test
// process leaves.
//
// The suite takes some minutes of two processors and runs only where
// STARLING_INTEROP=1 says so, as `make interop` does: beside other tests the
// clients' own timeouts would be tried, not the protocol.
//
// # What it does not do
//
// It judges no rule of the protocol: the tests of the codec do. It measures no
// speed.
package interop
