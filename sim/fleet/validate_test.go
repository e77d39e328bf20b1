package fleet

import (
	"math"
	"strings"
	"testing"
	"time"

	"starling/p2p"
	"starling/piece"
)

// TestValidate: each thing that cannot be is refused with an error that names it.
func TestValidate(t *testing.T) {
	fault := func(x Fault) func(*Spec) { return func(s *Spec) { s.Faults = append(s.Faults, x) } }
	host := func(change func(*HostSpec)) func(*Spec) { return func(s *Spec) { change(&s.Hosts[1]) } }
	one := []string{"leecher-0"}
	for want, change := range map[string]func(*Spec){
		"the content has 0 bytes, want at least 1":                 func(s *Spec) { s.Size = 0 },
		"a piece length of 8192, want a power of two":              func(s *Spec) { s.PieceLength = 8192 },
		"a piece length of 98304, want a power of two":             func(s *Spec) { s.PieceLength = 96 << 10 },
		"a piece length of 134217728, want a power of two":         func(s *Spec) { s.PieceLength = 128 << 20 },
		"pieces, want at most 2097152; make them longer":           func(s *Spec) { s.Size, s.PieceLength = 1<<40, 16<<10 },
		"want at most 1073741824 together":                         func(s *Spec) { s.Size, s.Hosts = 1<<35, make([]HostSpec, 20000) },
		"no policy \"nice\"":                                       func(s *Spec) { s.Peer.Policy = "nice" },
		"choke: 0 slots, want 1 to":                                func(s *Spec) { s.Peer.Choke.Slots = 0 },
		"no picking strategy 3":                                    func(s *Spec) { s.Peer.Strategy = piece.Sequential + 1 },
		"0 remotes at most, want 1 to 16384":                       func(s *Spec) { s.Peer.MaxRemotes = 0 },
		"-1 peers wanted of the tracker":                           func(s *Spec) { s.Peer.NumWant = -1 },
		"peers seed for 96360h0m0s":                                func(s *Spec) { s.Peer.SeedFor = 11 * 365 * 24 * time.Hour },
		"the deadline is 0s":                                       func(s *Spec) { s.Deadline = 0 },
		"the deadline is 96360h0m0s":                               func(s *Spec) { s.Deadline = 11 * 365 * 24 * time.Hour },
		"the linger is -1s":                                        func(s *Spec) { s.Linger = -time.Second },
		"the probe interval is -1s":                                func(s *Spec) { s.Probe = -time.Second },
		"the network's latency is 5s":                              func(s *Spec) { s.Net.Latency = 5 * time.Second },
		"the uplinks' queue is -1ns":                               func(s *Spec) { s.Net.Queue = -1 },
		"a quantum of -1 bytes":                                    func(s *Spec) { s.Net.Quantum = -1 },
		"the tracker's round trip is 2m0s":                         func(s *Spec) { s.Tracker.RTT = 2 * time.Minute },
		"tracker intervals: want 1s <= young (0s) <= interval":     func(s *Spec) { s.Tracker.Interval = 0 },
		"tracker min interval: 2m0s is not in":                     func(s *Spec) { s.Tracker.MinInterval = 2 * time.Minute },
		"rack \"\": want a name of 1 to 64 bytes":                  func(s *Spec) { s.Racks = []RackSpec{{}} },
		"two racks are named \"a\"":                                func(s *Spec) { s.Racks = []RackSpec{{Name: "a"}, {Name: "a"}} },
		"rack a: its uplink is -1 bytes a second":                  func(s *Spec) { s.Racks = []RackSpec{{Name: "a", Up: -1}} },
		"2001 racks, want at most 2000":                            func(s *Spec) { s.Racks = make([]RackSpec, 2001) },
		"0 hosts, want 1 to 20000":                                 func(s *Spec) { s.Hosts = nil },
		"20001 hosts, want 1 to 20000":                             func(s *Spec) { s.Hosts = make([]HostSpec, 20001) },
		"host \"\": want 1 to 64 letters":                          host(func(h *HostSpec) { h.Name = "" }),
		"host \"a b\": want 1 to 64 letters":                       host(func(h *HostSpec) { h.Name = "a b" }),
		"two hosts are named seed":                                 host(func(h *HostSpec) { h.Name = "seed" }),
		"leecher-0: there is no rack \"r\"":                        host(func(h *HostSpec) { h.Rack = "r" }),
		"leecher-0: its uplink is 0.5 bytes a second":              host(func(h *HostSpec) { h.Up = 0.5 }),
		"leecher-0: its downlink is NaN bytes":                     host(func(h *HostSpec) { h.Down = math.NaN() }),
		"leecher-0: its disk is +Inf bytes":                        host(func(h *HostSpec) { h.Disk = math.Inf(1) }),
		"leecher-0: its hashing is -2 bytes":                       host(func(h *HostSpec) { h.Hash = -2 }),
		"leecher-0: its latency is -1ns":                           host(func(h *HostSpec) { h.Latency = -1 }),
		"leecher-0 arrives at -1s, want within the run's deadline": host(func(h *HostSpec) { h.Arrive = -time.Second }),
		"leecher-0 arrives at 2h0m0s, want within the run's":       host(func(h *HostSpec) { h.Arrive = 2 * time.Hour }),
		"leecher-0: a loss of 1.5, want 0 to 1":                    host(func(h *HostSpec) { h.Loss = 1.5 }),
		"leecher-0: it has a share of NaN":                         host(func(h *HostSpec) { h.Has = math.NaN() }),
		"leecher-0: it corrupts a share of -1":                     host(func(h *HostSpec) { h.Corrupts = -1 }),
		"leecher-0: there is no role 3":                            host(func(h *HostSpec) { h.Role = Node + 1 }),
		"leecher-0: a group's name of 65 bytes":                    host(func(h *HostSpec) { h.Group = strings.Repeat("g", 65) }),
		"leecher-0: only a host of role Node runs":                 host(func(h *HostSpec) { h.Protocol = "p" }),
		"leecher-0: there is no protocol \"p\"":                    host(func(h *HostSpec) { h.Role, h.Protocol = Node, "p" }),
		"leecher-0: choke: no policy \"nice\"":                     host(func(h *HostSpec) { h.Policy = "nice" }),
		"fault 1, fire: there is no such kind":                     fault(Fault{Kind: "fire"}),
		"fault 1, crash: it names no host":                         fault(Fault{Kind: Crash}),
		"fault 1, crash: there is no host \"x\"":                   fault(Fault{Kind: Crash, Hosts: []string{"x"}}),
		"fault 1, heal: it is of no host, and names seed":          fault(Fault{Kind: Heal, Hosts: []string{"seed"}}),
		"fault 1, oneway: there is no host \"y\"":                  fault(Fault{Kind: OneWay, Hosts: one, Others: []string{"y"}}),
		"fault 1, crash: it takes no other hosts, and names y":     fault(Fault{Kind: Crash, Hosts: one, Others: []string{"y"}}),
		"fault 1, leave: it is at 2h0m0s, want within":             fault(Fault{Kind: Leave, Hosts: one, At: 2 * time.Hour}),
		"fault 1, tracker-up: it is at -1s, want within":           fault(Fault{Kind: TrackerUp, At: -time.Second}),
		"fault 1, stall: it lasts 0s":                              fault(Fault{Kind: Stall, Hosts: one}),
		"fault 1, freeze: it lasts -1s":                            fault(Fault{Kind: Freeze, Hosts: one, For: -time.Second}),
		"fault 1, diskfull: it lasts 0s":                           fault(Fault{Kind: DiskFull, Hosts: one}),
		"fault 1, clock: it lasts 96360h0m0s":                      fault(Fault{Kind: ClockJump, Hosts: one, For: 11 * 365 * 24 * time.Hour}),
		"fault 1, slow: a factor of 0":                             fault(Fault{Kind: Slow, Hosts: one}),
		"fault 1, slow: a factor of NaN":                           fault(Fault{Kind: Slow, Hosts: one, Factor: math.NaN()}),
		"leecher-0: its link then is 0.25 bytes a second":          fault(Fault{Kind: Slow, Hosts: one, Factor: 1e-7}),
		"10001 faults, want at most 10000":                         func(s *Spec) { s.Faults = make([]Fault, 10001) },
		"the clocks jump by more than ten years together": func(s *Spec) {
			for range 2 {
				s.Faults = append(s.Faults, Fault{Kind: ClockJump, Hosts: one, For: 6 * 365 * 24 * time.Hour})
			}
		},
		"message 1: there is no host \"x\"": func(s *Spec) { s.Sends = []Send{{From: "seed", To: "x", Type: p2p.NAME}} },
		"message 1: it has no type":         func(s *Spec) { s.Sends = []Send{{From: "seed", To: "seed"}} },
		"message 1 is sent at 2h0m0s":       func(s *Spec) { s.Sends = []Send{{From: "seed", To: "seed", Type: p2p.NAME, At: 2 * time.Hour}} },
		"10001 messages to send":            func(s *Spec) { s.Sends = make([]Send, 10001) },
	} {
		s := crowd(2, 4)
		if err := s.Validate(); err != nil {
			t.Fatal(err)
		}
		change(&s)
		err := s.Validate()
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("got %v\nwant %s", err, want)
		}
		if r, err := Run(t.Context(), &s, Options{}); err == nil || r != nil {
			t.Errorf("%s: Run runs it", want)
		}
	}
}
