// Package peer is one peer of a swarm: it fetches the pieces of a torrent from
// other peers and serves them to others.
//
// # Two halves
//
// The Engine is a state machine. It owns no socket, clock, goroutine or file:
// it stands on a p2p.Node, hears of messages, timers and finished jobs from it,
// and answers by sending, dialing and starting jobs. What runs on a fleet and
// what runs in a simulation is this same code.
//
// The Session (the files session*.go and metrics*.go, the only ones here that
// may touch the outside) gives each torrent a tcp.Host with one loop goroutine,
// and shares one listening port, one pool of workers and one pool of buffers
// among them. The first message of a connection, HELO, says which torrent it is
// for.
//
// # The way of the data
//
//	remote ──HAVE──▶ piece.Picker ──run──▶ REQU ──▶ remote
//	remote ──PIEC (a pooled buffer)──▶ putJob: hash, write ──▶ HAVE to all
//	                                   putJob: block right ──▶ PART to some
//	remote ──REQU──▶ its queue ──Drained──▶ PIEC (a section of a file)
//
// Bytes never enter the engine: it passes payloads from the host to a job, and
// sections of files from Content to the host.
//
// # Rules
//
//   - Each request gets exactly one answer, PIEC or REJE (BEP 6); but for remotes
//     that say they do not answer what they will not serve (wire.CapSilent).
//   - A window bounds what is asked of one remote, and grows while answers are
//     quick; a budget bounds what is asked or in memory over all remotes. A slow
//     disk so slows the asking, not the memory.
//   - Whom to serve is a choke.Policy's to say; free slots are filled at once.
//   - News that changes nothing for a remote waits for other news, for a moment
//     (telling.go).
//   - Remotes that we dial have their place from the dial on. When all places are
//     taken, one who comes may have that of a remote that was of no use for long
//     (places.go).
//   - Control messages are never dropped: a remote that does not read them is
//     closed. PIECs wait in the engine's queues, where a choke or a cancel can
//     still reach them.
//   - A remote that is gone, silent or choking costs its requests only. Corrupt
//     pieces are held against whoever sent them; while it is not known who of
//     several did, each of them is asked for whole pieces only (blame.go).
//   - In a torrent of v2 with few pieces, blocks that are verified alone go on before
//     their piece is whole (parts.go).
//   - A seed suggests to each remote pieces that nobody else has or is getting
//     (spread.go), so that its uplink is spent on new pieces. From clients that
//     read no suggestions it may hide all but such pieces (superseed.go).
//   - A disk that refuses pauses the download, not the uploads, and is tried
//     again. Pieces that a failed fsync took are taken back from everybody and
//     fetched again, one at a time until one is durable (lost.go).
//   - What is complete is read again, slowly, and held against its hashes
//     (scrub.go): what was sent lately first, and before it is sent once more what a
//     remote asks for a second time. A piece that is wrong is taken back from
//     everybody and nobody is blamed; it is fetched again where the content may be
//     written to, and else not wanted.
//   - A tracker that asks is told how we do, and what keeps us from doing better
//     (report.go, why.go).
//   - Only bytes that were asked for count as given: neither a slot nor patience
//     is to be had for anything else.
//
// # Other clients
//
// The engine speaks the messages of package wire. Package bt makes them of
// BitTorrent's own wire and the other way round, so a remote of another make differs
// by what its HELO and INFO say of it: single blocks, longer queues, no answers, what
// it reads of PEEX, META and hashes (info.go, exchange.go, metadata.go, hashes.go).
// A hybrid torrent has two names and a swarm under each: trackers are told of both,
// and each remote is called by the one that it is known to use (names.go).
// Web seeds are remotes in this process that take no place (webseed.go), and magnet
// links are fetched by package magnet before there is an engine.
//
// # What it does not do
//
// It does not talk to trackers (an Announcer does), parse torrents, choose
// where files lie, or print anything.
package peer
