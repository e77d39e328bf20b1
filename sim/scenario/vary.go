package scenario

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.starlark.net/starlark"

	"starling/sim/fleet"
)

// maxSeedHosts bounds the seeds that a variation may ask for.
const maxSeedHosts = 1_000

// Dimensions are what Vary can change.
func Dimensions() []string { return []string{"picker", "policy", "piece", "peers", "slots", "seeds"} }

// Vary changes one property of a Spec that any scenario has: the picker, the
// choke policy, the size of a piece, the most peers that one is connected to,
// the slots that each has, or the number of seeds. More seeds are like the first
// one. The Spec shares no memory with what it was before.
func Vary(s *fleet.Spec, dimension, value string) error {
	err := vary(s, dimension, value)
	if err != nil {
		return fmt.Errorf("%s %q: %w", dimension, value, err)
	}
	return s.Validate()
}

func vary(s *fleet.Spec, dimension, value string) (err error) {
	switch dimension {
	case "picker":
		s.Peer.Strategy, err = readStrategy(value)
	case "policy":
		s.Peer.Policy, err = value, checkPolicy(value)
	case "piece":
		s.PieceLength, err = pieceLength(starlark.String(value), s.Size)
	case "peers":
		s.Peer.MaxRemotes, err = readCount(value, 1, MaxHosts)
		// A tracker hands out as many addresses as one may connect to.
		s.Peer.NumWant = max(s.Peer.NumWant, min(s.Peer.MaxRemotes, 200))
	case "slots":
		s.Peer.Choke.Slots, err = readCount(value, 1, MaxHosts)
		if err == nil {
			err = s.Peer.Choke.Validate()
		}
	case "seeds":
		var n int
		if n, err = readCount(value, 1, maxSeedHosts); err == nil {
			err = varySeeds(s, n)
		}
	default:
		err = fmt.Errorf("no such dimension, want one of %s", strings.Join(Dimensions(), ", "))
	}
	return err
}

func readCount(text string, least, most int) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		return 0, fmt.Errorf("want a whole number within %d and %d", least, most)
	}
	return n, nil
}

// varySeeds leaves the first n seeds, or adds some that are like the first.
func varySeeds(s *fleet.Spec, n int) error {
	var first *fleet.HostSpec
	kept := make([]fleet.HostSpec, 0, len(s.Hosts)+n)
	taken := map[string]bool{}
	seeds := 0
	for i := range s.Hosts {
		h := &s.Hosts[i]
		taken[h.Name] = true
		if h.Role == fleet.Seed {
			if first == nil {
				first = h
			}
			if seeds == n {
				if mentioned(s, h.Name) {
					return fmt.Errorf("the scenario needs %s", h.Name)
				}
				continue
			}
			seeds++
		}
		kept = append(kept, *h)
	}
	if first == nil {
		return fmt.Errorf("the scenario has no seed to add others like it")
	}
	for number := 2; seeds < n; number++ {
		another := *first
		another.Name = first.Name + "-" + strconv.Itoa(number)
		if !taken[another.Name] {
			kept = append(kept, another)
			seeds++
		}
	}
	s.Hosts = kept
	return nil
}

// mentioned says whether a fault or a message is about a host.
func mentioned(s *fleet.Spec, name string) bool {
	return slices.ContainsFunc(s.Faults, func(f fleet.Fault) bool {
		return slices.Contains(f.Hosts, name) || slices.Contains(f.Others, name)
	}) || slices.ContainsFunc(s.Sends, func(x fleet.Send) bool { return x.From == name || x.To == name })
}
