package piece

// Requested notes one more requester for the blocks of r. Blocks already
// received, and pieces already verified, are left alone.
func (p *Picker) Requested(r Run) {
	if !p.geo.Contains(r) || p.have.Has(r.Piece) {
		return
	}
	q := p.begin(r.Piece)
	for b, to := r.blocks(); b < to; b++ {
		if c := q.blocks[b]; c < received-1 {
			q.mark(b, c+1)
		}
	}
	p.settle(q)
}

// Unrequested notes one requester fewer for the blocks of r: the request was
// rejected, cancelled or timed out, we were choked, or the remote is gone. So
// a remote that vanishes costs its requests and nothing else. Blocks that have
// been received since are left alone.
func (p *Picker) Unrequested(r Run) {
	if !p.geo.Contains(r) {
		return
	}
	q := p.partial(r.Piece)
	if q == nil {
		return
	}
	for b, to := r.blocks(); b < to; b++ {
		if c := q.blocks[b]; c != received && c > 0 {
			q.mark(b, c-1)
		}
	}
	p.settle(q)
}

// Received notes that the bytes of r have come, whoever was asked, and ends
// all requests for them: an Unrequested for a block received changes nothing.
// fresh says that at least one block was new; if not, r is a duplicate.
// complete says that r was the last of its piece, which now waits for Verified
// or Corrupt; it is said once.
func (p *Picker) Received(r Run) (complete, fresh bool) {
	if !p.geo.Contains(r) || p.have.Has(r.Piece) {
		return false, false
	}
	q := p.begin(r.Piece)
	for b, to := r.blocks(); b < to; b++ {
		if q.blocks[b] != received {
			q.mark(b, received)
			fresh = true
		}
	}
	p.settle(q)
	return fresh && q.missing() == 0, fresh
}

// Unreceived takes the blocks of r back, which could not be stored: they are
// to be asked for again.
func (p *Picker) Unreceived(r Run) {
	if !p.geo.Contains(r) {
		return
	}
	q := p.partial(r.Piece)
	if q == nil {
		return
	}
	for b, to := r.blocks(); b < to; b++ {
		if q.blocks[b] == received {
			q.mark(b, 0)
		}
	}
	p.settle(q)
}

// Verified notes that piece i is had and its hash is right.
func (p *Picker) Verified(i int) {
	if !p.have.Set(i) {
		return
	}
	p.unshelve(i)
	p.unwant(i)
	if q := p.partial(i); q != nil {
		p.drop(q)
	}
}

// Reserve keeps the blocks of piece i that are not yet asked for to those whose
// Ask Owns it, until it is verified, given up, or Unreserved. Only a begun piece
// can be reserved.
func (p *Picker) Reserve(i int) {
	if q := p.partial(i); q != nil {
		q.reserved = true
	}
}

// Unreserve ends what Reserve began.
func (p *Picker) Unreserve(i int) {
	if q := p.partial(i); q != nil {
		q.reserved = false
	}
}

// Corrupt forgets all that is received and requested of piece i, which is not
// verified: its hash was wrong, or the piece is given up.
func (p *Picker) Corrupt(i int) {
	if q := p.partial(i); q != nil {
		p.drop(q)
		p.shelve(i)
	}
}

// Lost notes that the verified piece i is no longer there, as when its bytes
// have rotted on disk. It is wanted again, if it has a priority.
func (p *Picker) Lost(i int) {
	if !p.have.Clear(i) {
		return
	}
	if p.prio[i] > 0 {
		p.want(i)
		p.shelve(i)
	}
}
