package piece

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// world is a Picker, its model, and the remotes that both know.
type world struct {
	rng     *rand.Rand
	p       *Picker
	m       *model
	remotes []*worldRemote
}

type worldRemote struct {
	have *Bitfield
	out  []Run
	seed bool // counted by AddSeed
}

func newWorld(seed uint64) *world {
	rng := rand.New(rand.NewPCG(seed, 99))
	n := 1 + rng.IntN(40)
	length := int64(BlockSize) << rng.IntN(4)
	g := Geometry{TotalLength: int64(n)*length - rng.Int64N(length), PieceLength: length}
	if seed%3 == 0 {
		var files []int64
		for range n {
			files = append(files, 1+rng.Int64N(2*length))
		}
		var err error
		if g, err = Aligned(length, slices.Values(files)); err != nil {
			panic(err)
		}
	}
	if seed%3 == 1 {
		g = g.Padded(func(yield func(int64, int64) bool) {
			for at := rng.Int64N(length); at < g.TotalLength; at += 1 + rng.Int64N(3*length) {
				n := (length - at%length) % length
				if at+n > g.TotalLength || rng.IntN(4) == 0 {
					n = min(n/2, g.TotalLength-at) // ends within the piece, and is asked for
				}
				if !yield(at, n) {
					return
				}
			}
		})
	}
	w := &world{rng: rng, p: NewPicker(g, nil, rand.New(rand.NewPCG(seed, 1))), m: newModel(g)}
	w.p.SetStrategy(Strategy(rng.IntN(3)))
	w.m.strategy = w.p.strategy
	return w
}

func (w *world) join() {
	if len(w.remotes) >= 8 {
		return
	}
	r := &worldRemote{have: randomBits(w.rng, w.m.geo.NumPieces(), w.rng.Float64())}
	if w.rng.IntN(6) == 0 {
		r.have.SetAll()
	}
	if r.have.All() && w.rng.IntN(2) == 0 {
		r.seed = true
		w.p.AddSeed()
	} else {
		w.p.AddRemote(r.have)
	}
	for i := range r.have.Ones() {
		w.m.avail[i]++
	}
	w.remotes = append(w.remotes, r)
}

func (w *world) leave() {
	k := w.rng.IntN(len(w.remotes))
	r := w.remotes[k]
	w.remotes = slices.Delete(w.remotes, k, k+1)
	for len(r.out) > 0 {
		w.unrequest(r, 0)
	}
	if r.have.All() && w.rng.IntN(2) == 0 {
		w.p.RemoveSeed()
	} else {
		w.p.RemoveRemote(r.have)
	}
	for i := range r.have.Ones() {
		w.m.avail[i]--
	}
}

func (w *world) unrequest(r *worldRemote, k int) {
	run := r.out[k]
	r.out = slices.Delete(r.out, k, k+1)
	w.p.Unrequested(run)
	w.m.each(run, func(c int) int {
		if c > 0 {
			c--
		}
		return c
	})
}

// haves changes one bit of a remote.
func (w *world) haves(r *worldRemote) {
	i := w.rng.IntN(w.m.geo.NumPieces())
	if r.have.Set(i) {
		w.p.AddHave(i)
		w.m.avail[i]++
	} else if !r.seed && !r.have.All() && w.rng.IntN(4) == 0 {
		r.have.Clear(i)
		w.p.RemoveHave(i)
		w.m.avail[i]--
	}
}

// pick compares a Pick with the model's and marks it in both.
func (w *world) pick(r *worldRemote) error {
	a := Ask{Have: r.have, Seed: r.have.All(), MaxLength: BlockSize * (1 + w.rng.IntN(8)), Outstanding: r.out}
	a.Endgame = w.rng.IntN(2) == 0
	a.Alone = w.rng.IntN(4) == 0
	a.Own = w.rng.Perm(w.m.geo.NumPieces())[:w.rng.IntN(1+w.m.geo.NumPieces())]
	for range w.rng.IntN(3) {
		if i := w.rng.IntN(w.m.geo.NumPieces()); !slices.Contains(a.Suggested, i) {
			a.Suggested = append(a.Suggested, i)
		}
	}
	for range w.rng.IntN(3) {
		i := w.rng.IntN(w.m.geo.NumPieces())
		n := w.m.geo.NumBlocks(i)
		if w.rng.IntN(8) == 0 {
			n++ // of another torrent: it is passed over
		}
		a.Parts = append(a.Parts, Part{i, randomBits(w.rng, n, w.rng.Float64())})
	}
	run, ok := w.p.Pick(&a)
	picks := w.m.picks(&a)
	part, inPart := w.m.part(&a)
	least := MaxRequesters
	if a.Endgame && !a.Alone && w.m.endgame() {
		least = w.m.busy(&a)
	}
	if ok != (len(picks) > 0 || inPart || least < MaxRequesters) {
		return fmt.Errorf("pick is %v, %v; the model has %v, %d requesters", run, ok, picks, least)
	}
	if !ok {
		return nil
	}
	if !w.m.geo.Contains(run) || run.Length > a.MaxLength {
		return fmt.Errorf("pick %v of at most %d bytes", run, a.MaxLength)
	}
	if len(picks) > 0 {
		if !slices.Contains(picks, run.Piece) || run != w.m.run(run.Piece, a.limit()) {
			return fmt.Errorf("pick %v, the model has pieces %v", run, picks)
		}
	} else if inPart {
		if run != part {
			return fmt.Errorf("pick %v, the model has %v of a part", run, part)
		}
	} else {
		from, to := run.blocks()
		for b := from; b < to; b++ {
			if w.m.blocks[run.Piece][b] != least || covers(r.out, run.Piece, b) || !a.has(run.Piece) {
				return fmt.Errorf("endgame pick %v, want %d requesters", run, least)
			}
		}
	}
	if w.rng.IntN(8) == 0 {
		return nil // picked and not sent
	}
	w.p.Requested(run)
	w.m.each(run, func(c int) int {
		if c != got {
			c++
		}
		return c
	})
	r.out = append(r.out, run)
	return nil
}

func (w *world) receive(r *worldRemote, k int) error {
	run := r.out[k]
	r.out = slices.Delete(r.out, k, k+1)
	wantFresh := false
	w.m.each(run, func(c int) int { wantFresh = wantFresh || c != got; return got })
	i := run.Piece
	wantComplete := wantFresh && !slices.ContainsFunc(w.m.blocks[i], func(c int) bool { return c != got })
	complete, fresh := w.p.Received(run)
	if fresh != wantFresh || complete != wantComplete {
		return fmt.Errorf("received %v: complete %v, fresh %v", run, complete, fresh)
	}
	if !complete {
		return nil
	}
	switch w.rng.IntN(6) {
	case 0:
		w.p.Corrupt(i)
		w.m.forget(i)
	case 1:
		w.p.Unreceived(run)
		w.m.each(run, func(int) int { return 0 })
	case 2: // stays unverified for a while
	default:
		w.p.Verified(i)
		w.m.have[i] = true
		w.m.forget(i)
	}
	return nil
}

// piece does something to one piece, whatever its state.
func (w *world) piece(i int) {
	switch w.rng.IntN(7) {
	case 0, 1:
		prio := w.rng.IntN(4)
		w.p.SetPriority(i, uint8(prio))
		w.m.prio[i] = prio
	case 2:
		w.p.Lost(i)
		w.m.have[i] = false
	case 3:
		w.p.Verified(i)
		w.m.have[i] = true
		w.m.forget(i)
	case 4:
		w.p.Corrupt(i)
		w.m.forget(i)
	case 5:
		w.p.Reserve(i)
		w.m.reserved[i] = w.m.begun(i)
	case 6:
		w.p.Unreserve(i)
		w.m.reserved[i] = false
	}
}

func (w *world) step() error {
	op := w.rng.IntN(20)
	if op == 0 || len(w.remotes) == 0 {
		w.join()
		return nil
	}
	r := w.remotes[w.rng.IntN(len(w.remotes))]
	switch {
	case op == 1:
		w.leave()
	case op < 5:
		w.haves(r)
	case op < 12:
		return w.pick(r)
	case op < 17 && len(r.out) > 0:
		return w.receive(r, w.rng.IntN(len(r.out)))
	case op == 17 && len(r.out) > 0:
		w.unrequest(r, w.rng.IntN(len(r.out)))
	case op == 18:
		w.piece(w.rng.IntN(w.m.geo.NumPieces()))
	}
	return nil
}

func TestPickerAgainstModel(t *testing.T) {
	for seed := range uint64(60) {
		w := newWorld(seed)
		for step := range 500 {
			err := w.step()
			if err == nil {
				err = w.p.Invariant()
			}
			if err == nil {
				err = w.m.compare(w.p)
			}
			if err != nil {
				t.Fatalf("rng seed %d, step %d: %v", seed, step, err)
			}
		}
	}
}
