package view

import "time"

// Source tells what the pages show. Its methods are called by many requests at
// once. A hash is the 40 lower-case hex digits of the page's path; ok is false for
// a swarm that is not known. Shares are in [0, 1], rates in payload bytes a second,
// sizes in bytes.
type Source interface {
	// Swarms returns swarms from offset on, at most limit, in the order in which
	// the page lists them, and how many there are.
	Swarms(offset, limit int) (list []Swarm, total int)
	Swarm(hash string) (s Swarm, ok bool)
	// Status groups the hosts by a label, or by "host": each alone.
	Status(hash, by string) (s Status, ok bool)
	// Hosts returns the hosts that q asks for, and how many it would without limit.
	Hosts(hash string, q HostQuery) (list []Host, total int, ok bool)
	// Edges returns who feeds whom, the strongest first, at most limit.
	Edges(hash string, limit int) (list []Edge, ok bool)
	Availability(hash string) (a Availability, ok bool)
}

// Swarm is one torrent's swarm.
type Swarm struct {
	Hash     string // 40 hex digits
	Name     string // empty where the tracker has no torrent file
	Size     int64  // 0: not known
	Seeders  int
	Leechers int
	Hosts    int     // those that take part in the rollout, seeds among them
	Done     int     // hosts that have all of it
	Mean     float64 // share had, on average over the hosts
	Down, Up float64
	// Rarest is on how many hosts the rarest part of the content is.
	Rarest float64
}

// Status is a swarm's progress, by groups of hosts.
type Status struct {
	By         string
	Labels     []string // the labels that hosts of this swarm have, by name
	Hosts      int
	Done       int
	Mean       float64
	Groups     []Group
	Stragglers []Straggler // the slowest first
}

// Group is the hosts that share a value of a label.
type Group struct {
	Name    string
	Hosts   int
	Done    int
	Mean    float64
	Slowest Straggler // without a node where all are done
	Left    time.Duration
}

// Straggler is a host that is late, and why.
type Straggler struct {
	Node string
	Done float64
	Down float64
	Why  string        // one of the keys of Reasons
	Left time.Duration // negative: not known
}

// HostQuery asks for a page of hosts.
type HostQuery struct {
	Sort          string // done (the slowest first), node or down (the fastest first)
	Offset, Limit int
	Label, Value  string // only hosts with this label; Label is empty: all
}

// Host is one peer of a swarm as the tracker knows it.
type Host struct {
	Node   string // empty where it told none
	Addr   string
	Labels []Label // by name
	Client string
	State  string // checking, downloading, seeding, stalled, error; empty: not told
	Size   int64
	Done   float64
	Down   float64
	Up     float64
	Why    string
	Left   time.Duration // negative: not known
	Seen   time.Duration // since its last announce
}

// Label is a label that the operator gave a host.
type Label struct{ Name, Value string }

// Edge is a flow between two hosts, each by its node or else its address.
type Edge struct {
	From, To string
	Rate     float64
}

// Availability says how often each part of the content is there.
type Availability struct {
	Copies []float64 // of equal parts, in their order
	Seeds  int
}
