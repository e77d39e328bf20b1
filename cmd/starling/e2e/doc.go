// Package e2e tries the starling binary as its users have it: trackers, seeds and
// leechers as processes on loopback, killed, stopped, starved of disk and fed with
// garbage while they move real files.
//
// # Model
//
// TestMain builds the binary once, without the race detector. A proc is one child:
// its JSON lines (events, readings, the summary), its exit code, what it weighs.
// Trials look only at what a script could see: those lines, /metrics,
// /debug/pprof, /proc, and the files that arrive.
//
// Each trial ends the processes that it began, by their ids, and the kernel kills
// what a dead test process leaves. Nothing listens but on 127.0.0.1, at free ports,
// or in network namespaces that the trial has made and removes.
//
// # Sizes
//
// The normal form takes two minutes, most of it waiting, on two cores. -short leaves
// out what takes more than some seconds. STARLING_TRIALS=full has the counts and
// sizes of the acceptance list (fifty kills, all of GOROOT) and takes minutes;
// with -v each trial logs what it measured.
//
// # Torrents of others
//
// What mktorrent, transmission-create and libtorrent make is inspected by us, by
// libtorrent and by transmission-show, and what we make is loaded and checked by
// them. These trials need the Debian packages that they name; without one they skip,
// under CI they fail.
//
// # What it does not do
//
// It judges no protocol: packages peer and tracker do, in virtual time. It measures
// no speed but that of the shaped swarm, to hold the simulator against it. Trials
// need Linux; those that mount a disk or make a network need root too, and skip
// with the reason without it.
package e2e
