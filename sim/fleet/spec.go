package fleet

import (
	"time"

	"starling/choke"
	"starling/p2p"
	"starling/piece"
)

// Spec is all that a run depends on: the same Spec gives the same run, event by
// event, on every machine. Times are virtual and since the beginning of the
// run; rates are bytes of payload and messages a second.
type Spec struct {
	Name    string
	RNGSeed uint64

	// Size and PieceLength divide the content; the piece length is a power of
	// two of at least 16 KiB.
	Size, PieceLength int64
	// V2 gives the content the hash tree of BEP 52, by which blocks are verified
	// and passed on alone. Otherwise it is a torrent of v1.
	V2 bool

	Peer    PeerSpec
	Net     NetSpec
	Tracker TrackerSpec
	Racks   []RackSpec
	Hosts   []HostSpec
	Faults  []Fault
	Sends   []Send
	// Protocols are what hosts of role Node may run besides the standard
	// messages, by name.
	Protocols map[string]func(n *p2p.Node)

	// Deadline ends a run that has not ended by itself, which it does when
	// every leecher that is to complete has completed, no fault and no Send is
	// still to come and Linger has passed.
	Deadline time.Duration
	Linger   time.Duration
	// Probe is how often the engines' own books are checked and samples for
	// the plots are taken; 0 means a fiftieth of the bound.
	Probe time.Duration
	// Unchecked leaves out the checks that cost time (every engine's books,
	// the truth of every HAVE). For large runs and measurements.
	Unchecked bool
}

// PeerSpec configures every engine.
type PeerSpec struct {
	Policy     string // choke.TitForTat or choke.Cooperative
	Choke      choke.Config
	Strategy   piece.Strategy
	MaxRemotes int
	NumWant    int
	// SeedFor is how long a leecher stays after it has completed. Negative:
	// to the end of the run.
	SeedFor time.Duration
}

// NetSpec is what all paths have in common.
type NetSpec struct {
	// Latency is added to each path, one way, besides the two hosts' own.
	Latency time.Duration
	// Quantum is how many bytes one connection sends before the next one of
	// the same uplink has its turn; 0 derives it from the uplink's rate.
	Quantum int
	// Queue is how long the buffers before an uplink are, when they are full:
	// what is sent waits there while the uplink is busy, requests too.
	Queue time.Duration
}

// TrackerSpec configures the tracker.
type TrackerSpec struct {
	Interval, MinInterval time.Duration
	// RTT is how long an announce takes.
	RTT time.Duration
}

// RackSpec is a shared link that the hosts of a rack reach the others by. Hosts
// of one rack reach each other without it.
type RackSpec struct {
	Name     string
	Up, Down float64
}

// Role is what a host is.
type Role uint8

const (
	Leecher Role = iota
	Seed
	Node // a plain node of the framework; it takes no part in the torrent
)

// HostSpec is one host.
type HostSpec struct {
	Name  string // unique
	Group string // hosts of one group are reported together; "" is "all"
	Role  Role
	// Up and Down are the host's link; 0 is 10 Gbit/s.
	Up, Down float64
	Latency  time.Duration // one way, to the middle of the network
	// Loss is the share of packets that the host's link loses. A lost one
	// comes one round trip (at least 200 ms) late, and all behind it wait.
	Loss   float64
	Rack   string
	Arrive time.Duration
	// Disk and Hash are bytes a second: 0 is 1 GB/s each.
	Disk, Hash float64
	// Has is the share of the pieces, chosen at random, that a leecher
	// begins with.
	Has float64
	// Policy, if not "", overrides PeerSpec.Policy.
	Policy string
	// Protocol is what a Node runs, a key of Spec.Protocols; "" is only the
	// standard messages.
	Protocol string

	// FreeRides: it unchokes nobody.
	FreeRides bool
	// Corrupts is the share of its answers that are wrong.
	Corrupts float64
	// Lies: it claims to have every piece.
	Lies bool
}

// FaultKind names a Fault.
type FaultKind string

const (
	Crash       FaultKind = "crash"        // killed: its connections are reset, what was not synced is lost
	PowerLoss   FaultKind = "power"        // as Crash, but nobody is told: its connections go silent
	Return      FaultKind = "return"       // a crashed or departed host starts again with what is on its disk
	Leave       FaultKind = "leave"        // stops in order: tells the tracker, closes its connections
	Partition   FaultKind = "partition"    // Hosts and all others no longer reach each other
	OneWay      FaultKind = "oneway"       // nothing from Hosts reaches Others (all, if empty)
	Heal        FaultKind = "heal"         // ends every Partition and OneWay
	Slow        FaultKind = "slow"         // multiplies Hosts' rates by Factor; 1 restores them
	Stall       FaultKind = "stall"        // Hosts' links move nothing for For
	Freeze      FaultKind = "freeze"       // Hosts' processes do not run for For, as in a VM that is paused
	ClockJump   FaultKind = "clock"        // Hosts' clocks leap forward by For
	DiskFull    FaultKind = "diskfull"     // Hosts' disks refuse for For
	TrackerDown FaultKind = "tracker-down" // it refuses connections and keeps its memory
	TrackerUp   FaultKind = "tracker-up"
	TrackerLost FaultKind = "tracker-lost" // it restarts with an empty memory
)

// Fault is something that goes wrong, or right again, at a time.
type Fault struct {
	At     time.Duration
	Kind   FaultKind
	Hosts  []string
	Others []string
	Factor float64
	For    time.Duration
}

// Send has a host send a request over the framework, as p2p.Node's
// ConnectAndSend does; the answer is in Result.Replies.
type Send struct {
	At       time.Duration
	From, To string // names of hosts
	Type     p2p.Type
	Data     string
}
