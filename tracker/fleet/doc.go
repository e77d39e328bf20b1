// Package fleet is the tracker's view of a rollout: what hosts say of themselves with
// their announces, and what follows from it: how far each rack is, who will be last,
// and why. It is a pure state machine: a caller hands it the time and one report, or
// asks for a View; it owns no clock, lock, socket or goroutine.
//
// # Model
//
// A Store maps an infohash to the hosts that reported of it, a dense slice with an
// index by address. A report replaces the one before, and allocates only if the
// host's name or labels have changed. A host goes when it says so or is silent for
// Config.TTL; one that had all, however it went, stays for Config.KeepLeft, as Left:
// a rollout is not less done because its hosts stop seeding. A host of the same name
// and address that comes back takes the place of one that left.
//
// AppendSnapshot and Restore carry over a restart what nobody would say again: who has
// all, by what name. The others report again by themselves.
//
// Store.View copies a swarm's hosts out. All that is computed from them (Status,
// Hosts, Edges, Availability) is computed on the copy, so that a caller with a lock
// need not hold it meanwhile. Peers that tell nothing are in a View too, by what
// their announces say: the caller adds them with View.Add. Hosts, groups and flows come
// in the order that matters, and where that is the same in that of CompareNames.
//
// # Bounds
//
// Config.MaxHosts bounds the reports, Config.MaxBytes the bytes of names and labels,
// Config.MaxPerHost those of one public address. Beyond them those that left longest ago
// give way, then a report is refused; who had one before keeps it. Every is how often
// hosts should report, so that all of them together are no more than Config.Rate a
// second.
//
// # What it does not do
//
// It believes what a host says of itself; only the address is the caller's. It
// parses no query, and tells nobody anything: package tracker does.
package fleet
