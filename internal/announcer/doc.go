// Package announcer ties the two ends of an announce that know nothing of each
// other: package peer, which has an Announcer of one method, and package tracker,
// whose Client asks trackers. The commands use it over HTTP, the simulator over a
// tracker.Local.
//
// It decides nothing: when to announce is the engine's matter, whom to ask the
// client's.
package announcer
