package report

import (
	"fmt"
	"strings"
	"time"

	"starling/sim/fleet"
)

// headline is the answer in one sentence.
func headline(r *fleet.Result) string {
	all := &r.All
	var b strings.Builder
	switch {
	case all.Hosts == 0:
		return fmt.Sprintf("no leecher was to complete; the run ended after %s", span(r.Virtual))
	case all.Completed < all.Hosts:
		fmt.Fprintf(&b, "%s reached %s of %s; %s not complete when the run ended after %s", bytesText(r.Size),
			count(all.Completed), plural(all.Hosts, "host"), were(all.Hosts-all.Completed), span(r.Virtual))
	default:
		fmt.Fprintf(&b, "%s reached %s in %s", bytesText(r.Size), plural(all.Hosts, "host"), span(all.Last))
		if all.Ratio > 0 {
			fmt.Fprintf(&b, ", %s of the lower bound", ratioText(all.Ratio))
		}
	}
	fmt.Fprintf(&b, "; %s sent %.2f copies", seedsText(r), r.SeedCopies)
	return b.String()
}

func were(n int) string {
	if n == 1 {
		return "1 was"
	}
	return count(n) + " were"
}

// seedsText is "the seed", or how many seeds there are.
func seedsText(r *fleet.Result) string {
	n := 0
	for i := range r.Hosts {
		if r.Hosts[i].Role == fleet.Seed {
			n++
		}
	}
	if n <= 1 {
		return "the seed"
	}
	return "the " + plural(n, "seed")
}

// seedShare is how much of all payload came from the seeds.
func seedShare(r *fleet.Result) string {
	if len(r.Samples) == 0 {
		return ""
	}
	end := &r.Samples[len(r.Samples)-1]
	if end.UpBytes <= 0 {
		return ""
	}
	return fmt.Sprintf(", %s of all that was sent", percent(float64(end.SeedBytes)/float64(end.UpBytes)))
}

// violationText is what broke, when and where.
func violationText(v *fleet.Violation) string {
	where := ""
	if v.Host != "" {
		where = ", " + v.Host
	}
	return fmt.Sprintf("%s at %s%s: %s", v.Invariant, span(v.At), where, v.Detail)
}

// boundText says what a bound's name stands for.
func boundText(name string) string {
	switch name {
	case "seed":
		return "the seed's uplink sends every byte at least once"
	case "downlink":
		return "a host's downlink takes in the content after it arrived"
	case "uplinks":
		return "all uplinks together send a copy for each host"
	case "pieces":
		return "hosts pass on whole pieces, and copies double at most each round"
	case "rack":
		return "a rack's link carries the content for those behind it"
	case "arrival":
		return "the last host to arrive still has to fetch all"
	}
	return clean(name)
}

// limitText says what a Result's LimitedBy stands for.
func limitText(name string) string {
	switch name {
	case "seed":
		return "the seed's uplink"
	case "uplinks":
		return "the uplinks"
	case "downlinks":
		return "the downlinks"
	case "racks":
		return "the racks' links"
	case "choke":
		return "choking"
	case "tail":
		return "the tail"
	case "arrivals":
		return "late arrivals"
	case "":
		return "nothing that stands out"
	}
	return clean(name)
}

// settings says what ran: policy, picker, pieces, neighbours.
func settings(r *fleet.Result) string {
	parts := []string{plural(r.Pieces, "piece") + " of " + bytesText(r.PieceLength)}
	if r.Strategy != "" {
		parts = append(parts, orderText(r.Strategy))
	}
	if r.Policy != "" {
		parts = append(parts, clean(r.Policy)+" choking")
	}
	if r.MaxRemotes > 0 {
		parts = append(parts, "at most "+plural(r.MaxRemotes, "remote"))
	}
	return strings.Join(parts, ", ")
}

// orderText says in which order pieces are fetched.
func orderText(strategy string) string {
	switch strategy {
	case "rarest":
		return "rarest first"
	case "random":
		return "in random order"
	case "sequential":
		return "in order"
	}
	return clean(strategy)
}

// staggered says whether a host arrived after the beginning.
func staggered(r *fleet.Result) bool {
	for i := range r.Hosts {
		if h := &r.Hosts[i]; h.Role == fleet.Leecher && h.Arrived > 0 {
			return true
		}
	}
	return false
}

// speed says how much faster than real time the run was.
func speed(r *fleet.Result) string {
	if r.Wall < time.Millisecond || r.Virtual <= 0 {
		return ""
	}
	times := r.Virtual.Seconds() / r.Wall.Seconds()
	switch {
	case times >= 10:
		return fmt.Sprintf(" (%s times real time)", count(int(times)))
	case times >= 0.995:
		return fmt.Sprintf(" (%.1f times real time)", times)
	}
	return fmt.Sprintf(" (%.2f times real time)", times)
}
