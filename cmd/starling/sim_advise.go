package main

import (
	"context"
	"errors"
	"fmt"
	"math/bits"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"starling/choke"
	"starling/cmd/starling/internal/config"
	"starling/internal/units"
	"starling/metainfo"
	"starling/sim/fleet"
	simreport "starling/sim/report"
)

const (
	// adviceWork bounds one run that advice is made from, in pieces times
	// leechers: two or three seconds.
	adviceWork = 50_000
	// fewestLeechers and mostLeechers are how many such a run has, if so many
	// were asked for.
	fewestLeechers, mostLeechers = 24, 200
	// fewestPieces and mostPieces bound what is tried. With fewer the start
	// takes too large a part (1 + log2(N)/M file times at best); more are worth
	// little.
	fewestPieces, mostPieces = 64, 4096
	// simPiece is the largest piece of such a run: one request.
	simPiece = 256 << 10
	// maxAdviceTime bounds how long the content may take over one link.
	maxAdviceTime = 365 * 24 * time.Hour
)

// simAsk is what advice is asked for.
type simAsk struct {
	size             units.Bytes
	hosts            int
	up, down, seedUp units.Rate
}

var adviceFlags = []string{"size", "hosts", "up", "down", "seed-up"}

func (k *simAsk) flags(fs *pflag.FlagSet) {
	k.up, k.down = 1_250_000_000, 1_250_000_000
	fs.Var(&k.size, "size", "advice: content of `SIZE`")
	fs.IntVar(&k.hosts, "hosts", 0, "advice: for `N` leechers")
	fs.Var(&k.up, "up", "advice: the uplink of each, `RATE`")
	fs.Var(&k.down, "down", "advice: the downlink of each, `RATE`")
	fs.Lookup("up").DefValue, fs.Lookup("down").DefValue = "10gbit", "10gbit"
	fs.Var(&k.seedUp, "seed-up", "advice: the uplink of the seed, `RATE` (0: that of a leecher)")
}

// wanted says whether the command line asks for advice.
func (k *simAsk) wanted(cmd *cobra.Command) bool {
	for _, name := range adviceFlags {
		if cmd.Flags().Changed(name) {
			return true
		}
	}
	return false
}

func (k *simAsk) validate() error {
	switch {
	case k.size < 1:
		return errors.New("--size is missing")
	case k.hosts < 1 || k.hosts > 1_000_000:
		return fmt.Errorf("--hosts %d is not in 1..1000000", k.hosts)
	case k.up == 0 || k.down == 0:
		return errors.New("--up and --down are rates above 0")
	case k.size > 1<<50:
		return fmt.Errorf("--size %s is more than 1PiB", k.size)
	case float64(k.size)/float64(min(k.up, k.down, k.seedRate())) > maxAdviceTime.Seconds():
		return fmt.Errorf("%s at such rates takes more than %v", k.size, maxAdviceTime)
	}
	return nil
}

// seedRate is the seed's uplink.
func (k *simAsk) seedRate() units.Rate {
	if k.seedUp == 0 {
		return k.up
	}
	return k.seedUp
}

// bound is the lower bound of the last completion with pieces of a size: what
// the seed's uplink, a downlink, and all uplinks together allow, and with equal
// uplinks the rounds that the last piece needs (Mundinger et al. 2008).
func (k *simAsk) bound(piece int64) time.Duration {
	size, n := float64(k.size), float64(k.hosts)
	up, down, seed := float64(k.up), float64(k.down), float64(k.seedRate())
	t := max(size/seed, size/down, n*size/(seed+n*up))
	if seed >= up {
		t = max(t, (size+float64(bits.Len(uint(k.hosts))-1)*float64(piece))/seed)
	}
	return time.Duration(t * float64(time.Second))
}

// pieces are the piece sizes worth a try, the largest first.
func (k *simAsk) pieces() []int64 {
	var out []int64
	for p := int64(64 << 20); p >= 16<<10; p >>= 1 {
		if n := (int64(k.size)-1)/p + 1; n >= fewestPieces && n <= mostPieces {
			out = append(out, p)
		}
	}
	switch {
	case len(out) > 0:
	case int64(k.size) > mostPieces*(64<<20):
		out = []int64{64 << 20}
	default:
		out = []int64{16 << 10}
	}
	return out
}

// trial is a run to make.
type trial struct {
	piece    int64 // bytes, of the whole
	count    int64 // pieces; fewer than the whole has, to compare neighbours
	leechers int
	peers    int
	policy   string
}

// spec is the run of a trial. Where pieces are larger than one request, content
// and rates are divided by the same number: all times stay what they are, and
// fewer messages tell them.
func (k *simAsk) spec(t trial, rngSeed uint64) *fleet.Spec {
	scale := max(1, t.piece/simPiece)
	s := fleet.Default()
	s.Name, s.RNGSeed, s.Unchecked = "advice", rngSeed, true
	s.PieceLength = t.piece / scale
	s.Size = min(int64(k.size)/scale, t.count*s.PieceLength)
	s.Size = max(s.Size, 1)
	s.Peer.Policy, s.Peer.MaxRemotes = t.policy, t.peers
	by := float64(scale)
	h := fleet.HostSpec{
		Name: "seed", Role: fleet.Seed, Up: float64(k.seedRate()) / by, Down: float64(k.down) / by, Disk: 1e9 / by, Hash: 1e9 / by,
	}
	s.Hosts = append(s.Hosts, h)
	h.Role, h.Up = fleet.Leecher, float64(k.up)/by
	for i := range t.leechers {
		h.Name = "leecher-" + itoa(i+1)
		s.Hosts = append(s.Hosts, h)
	}
	s.Deadline = time.Hour + 20*k.bound(t.piece)
	return &s
}

// advise recommends settings in one line.
func (s *simCommand) advise(ctx context.Context) error {
	k := &s.advice
	if err := k.validate(); err != nil {
		return usage("starling sim", "%w", err)
	}
	peers, err := s.bestPeers(ctx)
	if err != nil {
		return interruptedOr(ctx, "sim", err)
	}
	var todo []trial
	sizes := k.pieces()
	most := (int64(k.size)-1)/sizes[len(sizes)-1] + 1
	leechers := min(k.hosts, int(max(fewestLeechers, min(mostLeechers, adviceWork/most))))
	for _, policy := range []string{choke.Cooperative, choke.TitForTat} {
		for _, p := range sizes {
			todo = append(todo, trial{piece: p, count: mostPieces, leechers: leechers, peers: peers, policy: policy})
		}
	}
	results, err := s.try(ctx, todo)
	if err != nil {
		return interruptedOr(ctx, "sim", err)
	}
	usual := config.Default().Leech.Wire
	trials := make([]simreport.Trial, len(todo))
	for i, t := range todo {
		trials[i] = simreport.Trial{
			PieceSize: t.piece, MaxPeers: t.peers, Choke: t.policy, Bound: k.bound(t.piece), Result: results[i],
			Default: t.piece == metainfo.AutoPieceLength(int64(k.size)) && t.peers == usual.MaxPeers && t.policy == usual.Choke,
		}
	}
	line, err := simreport.AdviceLine(simreport.Ask{Size: int64(k.size), Hosts: k.hosts}, trials)
	if err != nil {
		return fail("sim", err)
	}
	return s.a.result(newAdviceDoc(line, trials), line+"\n")
}

// bestPeers is the least number of neighbours that does about as well as more.
func (s *simCommand) bestPeers(ctx context.Context) (int, error) {
	k := &s.advice
	counts := []int{50}
	if k.hosts > 16 {
		counts = []int{16, 30, 50, 80}
	}
	sizes := k.pieces()
	var todo []trial
	for _, n := range counts {
		todo = append(todo, trial{
			piece: sizes[len(sizes)/2], count: adviceWork / mostLeechers, leechers: min(k.hosts, mostLeechers), peers: n, policy: choke.Cooperative,
		})
	}
	if len(counts) == 1 {
		return counts[0], nil
	}
	results, err := s.try(ctx, todo)
	if err != nil {
		return 0, err
	}
	best := 0.0
	for _, r := range results {
		if x := r.All.Ratio; r.All.Last >= 0 && (best == 0 || x < best) {
			best = x
		}
	}
	for i, r := range results {
		// Within 1 % the smaller number costs each host less.
		if r.All.Last >= 0 && r.All.Ratio <= 1.01*best {
			return counts[i], nil
		}
	}
	return 0, errors.New("no run completed")
}

// try makes runs, and returns their results in order.
func (s *simCommand) try(ctx context.Context, todo []trial) ([]*fleet.Result, error) {
	var out []*fleet.Result
	err := inOrder(len(todo), func(i int) compared {
		r, err := guarded(ctx, s.advice.spec(todo[i], s.rngSeed))
		return compared{result: r, err: err}
	}, func(i int, c compared) error {
		if c.err == nil {
			t := todo[i]
			s.a.rep.Say("tried     %s  pieces of %s  %d neighbours: %.3f of the bound, %d leechers",
				t.policy, units.FormatExact(t.piece), t.peers, c.result.All.Ratio, t.leechers)
			out = append(out, c.result)
		}
		return c.err
	})
	return out, err
}

// adviceDoc is advice as JSON.
type adviceDoc struct {
	V      int        `json:"v"`
	Type   string     `json:"type"`
	Advice string     `json:"advice"`
	Trials []trialDoc `json:"trials"`
}

type trialDoc struct {
	PieceSize int64   `json:"piece_bytes"`
	MaxPeers  int     `json:"max_peers"`
	Choke     string  `json:"choke"`
	Leechers  int     `json:"leechers"`
	Ratio     float64 `json:"ratio"` // to the run's own bound
	BoundS    float64 `json:"bound_s"`
}

func newAdviceDoc(line string, trials []simreport.Trial) adviceDoc {
	d := adviceDoc{V: 1, Type: "sim_advice", Advice: line}
	for _, t := range trials {
		d.Trials = append(d.Trials, trialDoc{
			PieceSize: t.PieceSize, MaxPeers: t.MaxPeers, Choke: t.Choke, Leechers: t.Result.All.Hosts,
			Ratio: t.Result.All.Ratio, BoundS: t.Bound.Seconds(),
		})
	}
	return d
}
