package piece

// AddSeed counts a remote that has every piece, in O(1).
func (p *Picker) AddSeed() { p.seeds++ }

// RemoveSeed takes back a remote that has every piece, in O(1): one counted by
// AddSeed, or one counted by AddRemote that has become full by HAVEs.
func (p *Picker) RemoveSeed() { p.seeds-- }

// AddRemote counts a remote that has the pieces of bf, each at the cost of an
// AddHave. Each piece that it gets later is an AddHave.
func (p *Picker) AddRemote(bf *Bitfield) { p.count(bf, 1) }

// RemoveRemote takes back a remote that has the pieces of bf, which must be
// those of its AddRemote and all its AddHaves since.
func (p *Picker) RemoveRemote(bf *Bitfield) { p.count(bf, -1) }

// AddHave counts one more remote that has piece i: a HAVE that was new. It
// costs O(1) and allocates nothing once the number of remotes has been seen.
func (p *Picker) AddHave(i int) {
	if p.pos[i] > none {
		p.shelves[p.prio[i]].raise(int32(i))
	}
	p.avail[i]++
}

// RemoveHave counts one remote fewer that has piece i, as when a remote says
// that it no longer has it (BEP 54) or rejects a request for it (BEP 6). A
// remote counted when it had every piece must first be taken back, and counted
// anew without piece i.
func (p *Picker) RemoveHave(i int) {
	if p.pos[i] > none {
		p.shelves[p.prio[i]].lower(int32(i))
	}
	p.avail[i]--
}

func (p *Picker) count(bf *Bitfield, by int32) {
	if bf.All() {
		p.seeds += by
		return
	}
	for i := range bf.Ones() {
		if by > 0 {
			p.AddHave(i)
		} else {
			p.RemoveHave(i)
		}
	}
}

// Availability is how many remotes have piece i; we are not counted.
func (p *Picker) Availability(i int) int { return int(p.avail[i] + p.seeds) }

// Rarest is the availability of the rarest piece that has blocks to ask for,
// and -1 where there is none.
func (p *Picker) Rarest() int { return p.rarest(p.open) }

// MinAvailability is the availability of the rarest piece that is wanted and
// not verified, and -1 where there is none. While it is 0 the download cannot
// end.
func (p *Picker) MinAvailability() int { return p.rarest(p.partials) }

// rarest is the least availability of a wanted piece that is on a shelf or in
// begun, or -1.
func (p *Picker) rarest(begun []*partial) int {
	least := int32(-1)
	take := func(k int32) {
		if least < 0 || k < least {
			least = k
		}
	}
	for _, s := range p.shelves {
		if s != nil && len(s.order) > 0 {
			take(p.avail[s.order[0]] + p.seeds)
		}
	}
	for _, q := range begun {
		if p.prio[q.piece] > 0 {
			take(p.avail[q.piece] + p.seeds)
		}
	}
	return int(least)
}

// Missing lists, in ascending order, the wanted pieces that neither we nor any
// remote has. It costs O(pieces not verified).
func (p *Picker) Missing() []int {
	if p.MinAvailability() != 0 {
		return nil
	}
	var m []int
	for i := range p.lack.Ones() {
		if p.Availability(i) == 0 {
			m = append(m, i)
		}
	}
	return m
}

// DistributedCopies is how many copies of the torrent the remotes hold: the
// least availability of any piece, plus the share of pieces that have more. It
// costs O(pieces) and is meant for a status line.
func (p *Picker) DistributedCopies() float64 {
	if len(p.avail) == 0 {
		return 0
	}
	least, more := p.avail[0], 0
	for _, k := range p.avail {
		least = min(least, k)
	}
	for _, k := range p.avail {
		if k > least {
			more++
		}
	}
	return float64(least+p.seeds) + float64(more)/float64(len(p.avail))
}
