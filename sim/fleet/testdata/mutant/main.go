// Mutant runs a small swarm under faults with one rng seed after the other, until
// a run violates an invariant. It is built with one line of the engine changed,
// to see whether the simulator finds out.
//
//	mutant FIRST COUNT
//
// It prints the first violation, with its seed, and exits 1; or nothing, and 0.
package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"time"

	"starling/sim/fleet"
)

func main() {
	first, err1 := strconv.ParseUint(os.Args[1], 10, 64)
	count, err2 := strconv.ParseUint(os.Args[2], 10, 64)
	if err1 != nil || err2 != nil {
		fmt.Fprintln(os.Stderr, "usage: mutant FIRST COUNT")
		os.Exit(2)
	}
	for seed := first; seed < first+count; seed++ {
		if v := run(seed); v != "" {
			fmt.Printf("seed %d: %s\n", seed, v)
			os.Exit(1)
		}
	}
}

// run returns the first violation of a run, if there is one. A panic of the
// engine counts: it is how it says that its own books are wrong.
func run(seed uint64) (found string) {
	defer func() {
		if p := recover(); p != nil {
			found = fmt.Sprintf("panic: %v", p)
		}
	}()
	s := storm(seed)
	r, err := fleet.Run(context.Background(), &s, fleet.Options{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	for _, v := range r.Violations {
		return fmt.Sprintf("%v %s: %s: %s", v.At, v.Host, v.Invariant, v.Detail)
	}
	return ""
}

// storm is eight leechers, two seeds and a peer that sends wrong bytes now and
// then, while one thing after the other goes wrong.
func storm(seed uint64) fleet.Spec {
	rng := rand.New(rand.NewPCG(seed, 5))
	s := fleet.Default()
	s.Name, s.RNGSeed = "storm", seed
	s.Size, s.PieceLength = 12<<20+12345, 512<<10
	s.Net.Latency = 2 * time.Millisecond
	s.Deadline, s.Linger = 10*time.Minute, time.Second
	s.Probe = 200 * time.Millisecond
	var leechers []string
	for i := range 2 {
		s.Hosts = append(s.Hosts, fleet.HostSpec{Name: fmt.Sprintf("seed-%d", i), Role: fleet.Seed, Up: 1e6, Down: 4e6})
	}
	for i := range 8 {
		name := fmt.Sprintf("leecher-%d", i)
		leechers = append(leechers, name)
		s.Hosts = append(s.Hosts, fleet.HostSpec{
			Name: name, Up: 1e6 * (1 + float64(i%3)), Down: 4e6,
			Arrive: time.Duration(rng.IntN(3000)) * time.Millisecond,
		})
	}
	s.Hosts = append(s.Hosts, fleet.HostSpec{Name: "liar", Up: 2e6, Down: 4e6, Has: 0.5, Corrupts: 0.3})

	at := func() time.Duration { return time.Duration(2000+rng.IntN(12000)) * time.Millisecond }
	some := func(n int) (names []string) {
		for _, i := range rng.Perm(len(leechers))[:n] {
			names = append(names, leechers[i])
		}
		return names
	}
	begin := at()
	crash := s.Hosts[2+rng.IntN(8)].Name
	s.Faults = append(s.Faults,
		fleet.Fault{At: begin, Kind: fleet.Crash, Hosts: []string{crash}},
		fleet.Fault{At: begin + 4*time.Second, Kind: fleet.Return, Hosts: []string{crash}},
		fleet.Fault{At: at(), Kind: fleet.DiskFull, Hosts: some(1), For: 3 * time.Second},
		fleet.Fault{At: at(), Kind: fleet.Stall, Hosts: some(2), For: 5 * time.Second},
		fleet.Fault{At: at(), Kind: fleet.Slow, Hosts: some(1), Factor: 0.2},
		fleet.Fault{At: at(), Kind: fleet.TrackerLost},
	)
	if rng.IntN(2) == 0 {
		begin = at()
		s.Faults = append(s.Faults,
			fleet.Fault{At: begin, Kind: fleet.Partition, Hosts: some(3)},
			fleet.Fault{At: begin + 6*time.Second, Kind: fleet.Heal},
		)
	}
	return s
}
