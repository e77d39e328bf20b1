// Package webseed fetches a torrent's pieces from ordinary web servers (BEP 19).
//
// # Model
//
// A web seed is a peer that lives in this process. It speaks the native wire of
// docs/wire.md over a connection in memory, whose other end the torrent's host
// adopts like one that was accepted. So the engine, its picker, its windows and
// its bans need to know next to nothing of it: it says HELO and HALL, unchokes
// whoever is interested, answers each REQU with PIEC or REJE, and never asks for
// anything itself.
//
//	Group   the web seeds of one torrent; at most four of them at a time
//	seed    one URL: tried, connected, given up for a while or for good
//	link    its connection in memory: frames, and who of the lanes fetches what
//	lane    one HTTP connection, with one response under way
//
// # Stretches
//
// An answer by HTTP is cheap if it is long. So a link guides the engine (SUGG)
// along stretches of consecutive pieces, one for each lane, and a lane keeps one
// response open for as long as what is asked of it is next in that. Which
// stretch, the engine says (Swarm): one of those that the fewest peers have. A
// suggestion is made just before it is needed, for what peers have got meanwhile
// need not come from here. When there is nothing to suggest, the engine may ask
// for what it likes, as in the endgame.
//
// # Who calls it
//
// Package peer, for a torrent that has web seeds. The Group calls back from its own
// goroutines: Config.Look runs a function on the torrent's loop, and that
// is the only place where a Swarm may be used.
//
// # What it does not do
//
// It verifies nothing: the engine does, and bans the name of a URL like any
// address, upon which the URL is dropped. It writes no files, serves nobody, and
// does not speak BEP 17.
package webseed
