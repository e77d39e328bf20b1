package fleet

import (
	"net/netip"
	"slices"
)

// State is what a host is doing with the content.
type State uint8

// The states. Left is the tracker's word, for a host that completed and is gone;
// Silent is that of a peer that tells nothing.
const (
	Silent State = iota
	Checking
	Downloading
	Seeding
	Stalled
	Error
	Left
)

// States are the names of the states, as they stand in announces and answers.
var States = [...]string{"", "checking", "downloading", "seeding", "stalled", "error", "left"}

func (s State) String() string { return States[s] }

// ParseState reads a state that a host may say of itself; others are Silent.
func ParseState(b []byte) State {
	i := slices.IndexFunc(States[:Left], func(name string) bool { return name == string(b) })
	return State(max(i, 0))
}

// Why is why a host is not faster.
type Why uint8

// The reasons; docs/fleet.md says when a host gives which.
const (
	WhyNone Why = iota
	WhySeed
	WhyPeers
	WhyDisk
	WhyChoked
	WhyLink
	WhyTracker
	WhyLimit
)

// Whys are the names of the reasons, as they stand in announces and answers.
var Whys = [...]string{"none", "seed", "peers", "disk", "choked", "link", "tracker", "limit"}

func (w Why) String() string { return Whys[w] }

// ParseWhy reads a reason; an unknown one is WhyNone.
func ParseWhy(b []byte) Why {
	i := slices.IndexFunc(Whys[:], func(name string) bool { return name == string(b) })
	return Why(max(i, 0))
}

// Bounds of one report.
const (
	// MaxFrom is how many sources it names.
	MaxFrom = 8
	// MaxLabels is how many labels, MaxText how many bytes a name, a label's name
	// or its value has.
	MaxLabels = 8
	MaxText   = 128
	// Buckets is in how many parts the content is divided for availability.
	Buckets = 64
	// MaxRate is 64 TiB a second, which no host reaches; the rates of all hosts can
	// be added up.
	MaxRate = 1 << 46
)

// Source is a host that gives another bytes, BPS a second. An address that is not
// valid is a web seed's.
type Source struct {
	Addr netip.AddrPort
	BPS  int64
}

// Label is one label of a host.
type Label struct{ Name, Value string }

// Report is what a host says of itself. Its slices belong to the caller.
type Report struct {
	Hash, ID [20]byte
	// Addr is where the announce came from, and the port that the host listens on.
	Addr  netip.AddrPort
	State State
	Why   Why
	// Size is the bytes that it wants, Done those of them that it has; Down and Up
	// are bytes a second.
	Size, Done, Down, Up int64
	LeftS                int64 // seconds until it has all; -1 is unknown
	// Have is how much it has of each part of the content, in 255ths.
	Have [Buckets]byte
	From []Source // at most MaxFrom
	// Node and Labels are what the host is called: at most MaxLabels, of at most
	// MaxText bytes of text each.
	Node   []byte
	Labels []RawLabel
}

// RawLabel is a label as it came.
type RawLabel struct{ Name, Value []byte }

// complete says whether the host has all that it wants.
func (r *Report) complete() bool { return r.Done >= r.Size }

// valid says whether the numbers can be, and the lists are within their bounds.
func (r *Report) valid() bool {
	rate := func(n int64) bool { return n >= 0 && n <= MaxRate }
	for _, src := range r.From {
		if !rate(src.BPS) {
			return false
		}
	}
	return r.Size >= 0 && r.Done >= 0 && r.Done <= r.Size && rate(r.Down) && rate(r.Up) && len(r.From) <= MaxFrom && len(r.Labels) <= MaxLabels
}
