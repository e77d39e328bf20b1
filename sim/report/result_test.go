package report

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"starling/sim/fleet"
)

// made is what a made-up Result is to look like.
type made struct {
	name      string
	groups    map[string]int // leechers
	arrive    time.Duration  // between one and the next
	slow      map[string]float64
	missing   int // leechers of the last group that never completed
	ratio     float64
	violation bool
}

func crowd() made {
	return made{name: "flash-crowd", groups: map[string]int{"all": 100}, ratio: 1.04}
}

func mixed() made {
	return made{
		name: "rollout", groups: map[string]int{"fast": 60, "slow": 20, "cafe wifi": 8}, arrive: 150 * time.Millisecond,
		slow: map[string]float64{"slow": 1.6, "cafe wifi": 2.1}, ratio: 1.31,
	}
}

const (
	madePieces = 512
	madePiece  = 256 << 10
	madeRate   = 125e6 / 8 // bytes a second, of each uplink
)

// result makes up the Result of a swarm that spreads its content as swarms do:
// slowly at first, at full speed in the middle, with a few hosts left at the
// end. Equal arguments make equal Results.
func (m made) result() *fleet.Result {
	rng := rand.New(rand.NewPCG(7, 11))
	r := &fleet.Result{
		Name: m.name, RNGSeed: 7, TraceHash: "5b2c0f6a90d1e47c",
		Wall: 4200 * time.Millisecond, Events: 1203400, Messages: map[string]uint64{"PIEC": 51200, "HAVE": 480000},
		Size: madePieces * madePiece, PieceLength: madePiece, Pieces: madePieces,
		Policy: "cooperative", Strategy: "rarest", MaxRemotes: 50, SeedCopies: 1.02, Utilisation: 0.93,
		LimitedBy: "tail", Why: "the last 3 hosts waited 2.1s for pieces that only 2 remotes had unchoked them for",
		Notes: []string{"who unchoked whom is about the first 64 of 101 hosts"},
	}
	bound := float64(r.Size) / madeRate * 1.02
	r.Hosts = []fleet.HostResult{{Name: "seed", Group: "seed", Role: fleet.Seed, Pieces: r.Pieces, Sent: int64(1.02 * float64(r.Size)), Done: -1, FirstByte: -1}}
	names := make([]string, 0, len(m.groups))
	for name := range m.groups {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		for range m.groups[name] {
			n := len(r.Hosts) - 1
			late := rng.Float64() * rng.Float64() * rng.Float64()
			took := bound * max(m.slow[name], 1) * (1 + (m.ratio-1)*late)
			arrived := time.Duration(n) * m.arrive
			r.Hosts = append(r.Hosts, fleet.HostResult{
				Name: fmt.Sprintf("%s-%03d", name, n), Group: name, Rack: fmt.Sprintf("r%d", n%4), Expected: true,
				Arrived: arrived, FirstByte: arrived + time.Second/10, Done: arrived + time.Duration(took*1e9).Round(time.Millisecond),
				Pieces: r.Pieces, Received: r.Size, Sent: int64(float64(r.Size) * (0.8 + 0.4*rng.Float64())), Remotes: 40,
			})
		}
	}
	for i := range m.missing {
		h := &r.Hosts[len(r.Hosts)-1-i]
		h.Done, h.Pieces = -1, r.Pieces/2
	}
	m.sum(r, names, time.Duration(bound*1e9).Round(time.Millisecond))
	m.samples(r)
	m.matrices(r, rng)
	if m.violation {
		r.Violations = []fleet.Violation{{At: 3 * time.Second, Invariant: "choked", Host: "all-004", Detail: "sent piece 17 to all-009 while it was choked"}}
	}
	return r
}

func (m made) sum(r *fleet.Result, names []string, bound time.Duration) {
	sum := func(name string, bound time.Duration) fleet.GroupResult {
		g := fleet.GroupResult{Name: name, Bound: bound, BoundName: "pieces"}
		var took []time.Duration
		for i := range r.Hosts {
			h := &r.Hosts[i]
			if h.Role != fleet.Leecher || name != "all" && h.Group != name {
				continue
			}
			g.Hosts++
			if h.Done >= 0 {
				g.Completed++
				took = append(took, h.Took())
				g.Last = max(g.Last, h.Done)
			}
		}
		slices.Sort(took)
		at := func(share float64) time.Duration {
			if len(took) == 0 {
				return -1
			}
			return took[min(int(share*float64(len(took))), len(took)-1)]
		}
		g.P50, g.P90, g.P99, g.P999 = at(0.5), at(0.9), at(0.99), at(0.999)
		r.Virtual = max(r.Virtual, g.Last+time.Second)
		if g.Completed < g.Hosts {
			g.Last = -1
		} else {
			g.Ratio = g.Last.Seconds() / bound.Seconds()
		}
		return g
	}
	r.All = sum("all", bound)
	for _, name := range names {
		r.Groups = append(r.Groups, sum(name, time.Duration(float64(bound)*max(m.slow[name], 1)).Round(time.Millisecond)))
	}
}

func (m made) samples(r *fleet.Result) {
	const samples = 60
	for k := range samples + 1 {
		at := r.Virtual * time.Duration(k) / samples
		s := fleet.Sample{At: at, Copies: make([]float32, 128)}
		var held float64
		for i := range r.Hosts {
			h := &r.Hosts[i]
			if h.Role != fleet.Leecher {
				continue
			}
			end := h.Done
			if end < 0 {
				end = 2 * r.Virtual
			}
			share := min(max(float64(at-h.Arrived)/float64(end-h.Arrived), 0), 1)
			share = min(share*share*(3-2*share)*1.02, 1)
			held += share
			for p := range s.Copies {
				// The host's order of pieces is its own.
				if float64((p*37+i*61)%128)/128 < share {
					s.Copies[p]++
				}
			}
			if h.Done >= 0 && h.Done <= at {
				s.Done++
			}
		}
		s.Progress = held / float64(len(r.Hosts)-1)
		s.UpBytes = int64(held * float64(r.Size))
		s.SeedBytes = int64(min(at.Seconds()/r.Virtual.Seconds()*1.3, 1) * 1.02 * float64(r.Size))
		s.Rarest = int(slices.Min(s.Copies))
		s.Unchoked, s.Interested = 4*s.Done, 9*s.Done
		r.Samples = append(r.Samples, s)
	}
}

func (m made) matrices(r *fleet.Result, rng *rand.Rand) {
	n := min(len(r.Hosts), 64)
	r.Served, r.Unchoked = make([][]int64, n), make([][]time.Duration, n)
	for i := range n {
		r.Served[i], r.Unchoked[i] = make([]int64, n), make([]time.Duration, n)
		for j := 1; j < n; j++ {
			if i != j && rng.IntN(3) > 0 {
				open := rng.Float64() * rng.Float64()
				r.Unchoked[i][j] = time.Duration(open * float64(r.Virtual))
				r.Served[i][j] = int64(open * float64(r.Size) / 9)
			}
		}
	}
}
