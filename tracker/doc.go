// Package tracker is the tracker: a server that tells the peers of a swarm about
// one another (BEP 3, 7, 15, 21, 23, 24, 31, 41, 48), and the client that asks one.
//
// # Server
//
// Server answers on two listeners. The public one has /announce and /scrape, the
// torrent files under /torrents/, a JSON interface under /api/v1/, and the web page of
// package view. The admin one has /metrics and where the peers' metrics are, and the
// program may add profiles to it.
// Make one with New, register torrents with Torrents, and run it with Serve.
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
// AddUDP adds sockets for BEP 15. A few goroutines each read a packet, answer it
// from the same swarms and send the reply, with no allocation. Connection ids are
// cookies (udp_cookie.go): the tracker keeps nothing of a client, and sends nothing
// longer than a request to an address that has not shown one.
//
// An address is always the socket's. "ip=" and X-Forwarded-For are ignored, so
// that a request cannot put a victim into other peers' lists.
//
// Peers of ours report how they do with their announces (query_report.go). Package
// fleet keeps the reports, apart from the swarms; /api/v1/swarms and /api/v1/events show
// what follows from them (reports.go, api_fleet.go, events.go). Config.View turns it off.
//
// Local is the same tracker without sockets, clock and locks, for a simulation: one
// store, driven by whoever calls it. What reads a query, answers it and appends the
// reply is the Server's own code (answer.go).
//
// # Client
//
// Client announces to the tiers of one torrent (BEP 12), one tracker at a time (BEP
// 27), and scrapes. It keeps no schedule and starts no goroutine that outlives a
// call: the caller decides when to announce next, from Response.Interval, or from
// Backoff after an error. The client only keeps from asking a tracker that said when
// to come again (BEP 31) or that has been silent over UDP. It speaks HTTP and UDP,
// or what ClientConfig.Get brings instead.
//
// Over UDP an exchange is one connect request and one request; what to send when is
// udpExchange's to say, which is pure.
//
// # What it does not do
//
// It moves no content, opens no connection to a peer, and does not check that a
// peer can be reached.
package tracker
