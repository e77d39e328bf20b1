// Package tracker is the tracker: a server that tells the peers of a swarm about
// one another (BEP 3, 7, 21, 23, 24, 31, 48), and the client that asks one.
//
// # Server
//
// Server answers on two listeners. The public one has /announce and /scrape, the
// torrent files under /torrents/, and a JSON interface under /api/v1/. The admin
// one adds /metrics and /debug/pprof, and should not leave the host. Make one with
// New, register torrents with Torrents, and run it with Serve.
//
// The swarms themselves are package swarm's, which is pure; here they are spread
// over shards, each a store and a lock. A lock is held for one request and is a
// leaf.
//
// gorilla/mux routes every endpoint. In front of it stands a loop (front.go) that
// recognises the plain announce or scrape a client sends ten thousand times a
// second and answers it without net/http: no allocation, two system calls. All
// else, and anything about a request that is in the least unusual, it hands with
// the connection to net/http, which stays the one judge of what HTTP is. It is
// worth its code: see BenchmarkHTTP, or docs/benchmarks.md.
//
// An address is always the socket's. "ip=" and X-Forwarded-For are ignored, so
// that a request cannot put a victim into other peers' lists.
//
// Local is the same tracker without sockets, clock and locks, for a simulation: one
// store, driven by whoever calls it. What reads a query, answers it and appends the
// reply is the Server's own code (answer.go).
//
// # Client
//
// Client announces to the tiers of one torrent (BEP 12). It keeps no schedule and
// starts no goroutine: the caller decides when to announce next, from
// Response.Interval, or from Backoff after an error. It speaks HTTP, or what
// ClientConfig.Get brings instead.
//
// # What it does not do
//
// It moves no content, opens no connection to a peer, and does not check that a
// peer can be reached.
package tracker
