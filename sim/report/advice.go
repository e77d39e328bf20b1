package report

import (
	"errors"
	"fmt"
	"time"

	"starling/internal/units"
	"starling/sim/fleet"
)

// Ask is what advice is wanted for.
type Ask struct {
	Size  int64 // bytes
	Hosts int   // leechers
}

// Trial is a run that was made in order to advise, and the settings that it
// stands for. A run may be smaller than what was asked for (less content, fewer
// hosts); PieceSize and Bound are then those of the whole.
type Trial struct {
	// PieceSize, MaxPeers and Choke are what the advice would be; zero values
	// are taken from the Result.
	PieceSize int64
	MaxPeers  int
	Choke     string
	// Bound is the lower bound of the last completion for what was asked;
	// 0: the Result's own, which was then as large as what was asked.
	Bound time.Duration
	// Default says that these are the settings one gets without any flag.
	Default bool

	Result *fleet.Result
}

var errNoTrial = errors.New("advice: no run completed without breaking an invariant")

// AdviceLine is the recommendation in one line, such as
//
//	use --piece-size 1MiB, --max-peers 30, --choke cooperative: about 4m50s for 40 GiB to 3,000 hosts (1.05 of the bound), the seed sends 1.10 copies
//
// It is the trial of the shortest time. Among those within 1 % of it, the
// defaults come first, then the sooner, but one whose seed sends clearly less
// (0.05 copies) before both. Trials that did not complete, have no bound or
// broke an invariant are left out; it is an error if none is left.
func AdviceLine(ask Ask, trials []Trial) (string, error) {
	var best, usual *Trial
	for i := range trials {
		t := &trials[i]
		if !t.counts() {
			continue
		}
		if t.Default {
			usual = t
		}
		if best == nil || t.expected() < best.expected() {
			best = t
		}
	}
	if best == nil {
		return "", errNoTrial
	}
	soonest := best.expected()
	if usual != nil && usual.within(soonest) {
		best = usual
	}
	for i := range trials {
		if t := &trials[i]; t.counts() && t.within(soonest) && t.Result.SeedCopies <= best.Result.SeedCopies-fewCopies {
			best = t
		}
	}
	return best.line(ask, usual), nil
}

// counts says whether a trial can be advised.
func (t *Trial) counts() bool {
	all := &t.Result.All
	return all.Hosts > 0 && all.Completed == all.Hosts && all.Ratio > 0 && len(t.Result.Violations) == 0
}

// within says whether the trial ties with a time.
func (t *Trial) within(soonest time.Duration) bool {
	return 1-soonest.Seconds()/t.expected().Seconds() < tie
}

// expected is how long the trial's settings take for what was asked: what is
// asked for is as far from its bound as the run was from its own.
func (t *Trial) expected() time.Duration {
	if t.Bound <= 0 {
		return t.Result.All.Last
	}
	return time.Duration(t.Result.All.Ratio * float64(t.Bound))
}

func (t *Trial) line(ask Ask, usual *Trial) string {
	r := t.Result
	piece, peers, policy := t.PieceSize, t.MaxPeers, t.Choke
	if piece == 0 {
		piece = r.PieceLength
	}
	if peers == 0 {
		peers = r.MaxRemotes
	}
	if policy == "" {
		policy = r.Policy
	}
	s := fmt.Sprintf("use --piece-size %s, --max-peers %d, --choke %s: about %s for %s to %s (%s of the bound), the seed sends %.2f copies",
		units.Bytes(piece), peers, clean(policy), span(t.expected()), bytesText(ask.Size), plural(ask.Hosts, "host"),
		ratioText(r.All.Ratio), r.SeedCopies)
	switch {
	case usual == nil:
		return s
	case usual == t:
		return s + "; these are the defaults"
	case usual.within(t.expected()):
		return s + fmt.Sprintf("; the defaults are as fast and send %.2f", usual.Result.SeedCopies)
	}
	return s + fmt.Sprintf("; the defaults take %s", span(usual.expected()))
}
