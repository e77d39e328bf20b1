package fleet

import (
	"encoding/binary"
	"strings"
	"time"

	"starling/p2p"
	"starling/peer/wire"
	"starling/sim"
)

// checker watches every message for what must never be. It is the run's
// Watcher.
type checker struct {
	f     *fleet
	conns []map[p2p.ConnID]*watched // by host
	dials []map[string][]time.Duration
	small int // hosts in the matrices of the result
	count map[p2p.Type]uint64
	since [][]time.Duration // when i unchoked j; negative: it has not
}

// watched is one host's end of a connection, as its messages show it.
type watched struct {
	far      *member
	unchoked bool
	asked    map[run]int // requests that came and are not answered
}

// run is a request's words.
type run [12]byte

// maxMatrix is how many hosts the matrices of the result have at most.
const maxMatrix = 64

func newChecker(f *fleet) *checker {
	n := len(f.members)
	c := &checker{
		f: f, small: min(n, maxMatrix), count: map[p2p.Type]uint64{},
		conns: make([]map[p2p.ConnID]*watched, n), dials: make([]map[string][]time.Duration, n),
	}
	for i := range n {
		c.conns[i] = map[p2p.ConnID]*watched{}
		c.dials[i] = map[string][]time.Duration{}
	}
	for range c.small {
		f.res.Served = append(f.res.Served, make([]int64, c.small))
		f.res.Unchoked = append(f.res.Unchoked, make([]time.Duration, c.small))
		row := make([]time.Duration, c.small)
		for j := range row {
			row[j] = -1
		}
		c.since = append(c.since, row)
	}
	if n > maxMatrix {
		f.res.Notes = append(f.res.Notes, "who served whom is shown of the first 64 hosts")
	}
	return c
}

// on is the state of a host's end of a connection.
func (c *checker) on(h *sim.Host, id p2p.ConnID) *watched {
	s := c.conns[h.Index()][id]
	if s == nil {
		s = &watched{asked: map[run]int{}}
		if far := h.Far(id); far != nil {
			s.far = c.f.members[far.Index()]
		}
		c.conns[h.Index()][id] = s
	}
	return s
}

// Sent implements sim.Watcher.
func (c *checker) Sent(h *sim.Host, id p2p.ConnID, m *p2p.Message) {
	switch m.Type {
	case wire.UNCH, wire.CHOK:
		s := c.on(h, id)
		s.unchoked = m.Type == wire.UNCH
		c.slot(h, s)
	case wire.PIEC:
		s := c.on(h, id)
		if far := s.far; h.Index() < c.small && far.h.Index() < c.small {
			c.f.res.Served[h.Index()][far.h.Index()] += int64(m.Body.Size())
		}
		c.answered(h, s, m)
		if !s.unchoked {
			c.broken("choked", h, "%s is served and choked", s.far.spec.Name)
		}
	case wire.REJE:
		c.answered(h, c.on(h, id), m)
	case wire.HAVE, wire.BITF, wire.HALL, wire.HNON, wire.PART:
		c.claimed(h, m)
	}
}

// Delivered implements sim.Watcher.
func (c *checker) Delivered(h *sim.Host, id p2p.ConnID, m *p2p.Message) {
	c.count[m.Type]++
	switch m.Type {
	case wire.REQU:
		if r, ok := runOf(m); ok && !c.f.spec.Unchecked {
			c.on(h, id).asked[r]++
		}
	case wire.PIEC:
		c.f.members[h.Index()].delivered += uint64(m.Body.Size())
	}
}

// Dialed implements sim.Watcher. No address gets more than three attempts of
// one host in a minute, and none that nobody listens on (I5).
func (c *checker) Dialed(h *sim.Host, addr string) {
	now := h.Now().Sub(sim.Epoch) // as it sees the time: its clock may jump
	if c.f.byAddr[addr] == nil {
		c.broken("I5", h, "it dials %s, where nobody ever listened", addr)
	}
	if c.f.spec.Unchecked {
		return
	}
	recent := append(c.dials[h.Index()][addr], now)
	for len(recent) > 0 && now-recent[0] >= time.Minute {
		recent = recent[1:]
	}
	if len(recent) > 3 {
		c.broken("I5", h, "%d attempts to reach %s within a minute", len(recent), addr)
	}
	c.dials[h.Index()][addr] = recent
}

// restarted forgets what a host's former process did.
func (c *checker) restarted(h *sim.Host) {
	clear(c.conns[h.Index()])
	clear(c.dials[h.Index()])
}

// slot books how long h has its remote unchoked.
func (c *checker) slot(h *sim.Host, s *watched) {
	if s.far == nil || h.Index() >= c.small || s.far.h.Index() >= c.small {
		return
	}
	i, j, now := h.Index(), s.far.h.Index(), c.f.world.Now()
	since := &c.since[i][j]
	switch {
	case s.unchoked && *since < 0:
		*since = now
	case !s.unchoked && *since >= 0:
		c.f.res.Unchoked[i][j] += now - *since
		*since = -1
	}
}

// answered takes the request that m answers off the list.
func (c *checker) answered(h *sim.Host, s *watched, m *p2p.Message) {
	if c.f.spec.Unchecked {
		return
	}
	r, ok := runOf(m)
	if !ok || s.asked[r] == 0 {
		c.broken("answer", h, "%v that %s did not ask for", m.Type, s.far.spec.Name)
		return
	}
	if s.asked[r]--; s.asked[r] == 0 {
		delete(s.asked, r)
	}
}

// unanswered holds against a host, between two events, the requests of whom it
// chokes: a choke rejects what it will not serve, and a request that comes later
// is rejected at once (BEP 6).
func (c *checker) unanswered(m *member) {
	n := 0
	for id, s := range c.conns[m.h.Index()] {
		switch {
		case m.h.Far(id) == nil: // it is closed
			delete(c.conns[m.h.Index()], id)
		case !s.unchoked:
			n += len(s.asked)
		}
	}
	if n > 0 {
		c.broken("answer", m.h, "%d requests of those it chokes are unanswered", n)
	}
}

// runOf reads what a REQU asks for, or a REJE or PIEC answers.
func runOf(m *p2p.Message) (r run, ok bool) {
	n := copy(r[:], m.Head)
	if m.Body != nil {
		binary.BigEndian.PutUint32(r[8:], uint32(m.Body.Size()))
		return r, n == 8
	}
	return r, n == len(r)
}

// claimed holds what a host says it has against what it has.
func (c *checker) claimed(h *sim.Host, m *p2p.Message) {
	who := c.f.members[h.Index()]
	if c.f.spec.Unchecked || who.spec.Lies {
		return
	}
	have := who.content.verified
	switch m.Type {
	case wire.HALL:
		if !have.All() {
			c.broken("have", h, "HALL with %d of %d pieces", have.Count(), have.Len())
		}
	case wire.HNON:
		if !have.None() {
			c.broken("have", h, "HNON with %d pieces", have.Count())
		}
	case wire.BITF:
		for i := range have.Len() {
			if said := i/8 < len(m.Head) && m.Head[i/8]&(0x80>>(i%8)) != 0; said && !have.Has(i) {
				c.broken("have", h, "BITF with piece %d, which is not verified", i)
			}
		}
	case wire.PART:
		if r, err := wire.ParseRun(m.Head, c.f.geo); err != nil || !who.content.proves(r) {
			c.broken("have", h, "PART of %v, which is not verified", r)
		}
	case wire.HAVE:
		for b := m.Head; len(b) >= 4; b = b[4:] {
			if i := int(binary.BigEndian.Uint32(b)); !have.Has(i) {
				c.broken("have", h, "HAVE of piece %d, which is not verified", i)
			}
		}
	}
}

func (c *checker) broken(invariant string, h *sim.Host, format string, args ...any) {
	c.f.violate(invariant, c.f.members[h.Index()].spec.Name, format, args...)
}

// checkBan holds a ban against who deserved it (I6).
func (f *fleet) checkBan(by *member, detail string) {
	addr, _, _ := strings.Cut(detail, " ")
	if m := f.byAddr[addr]; m != nil && m.spec.Corrupts == 0 && by.spec.Corrupts == 0 {
		f.violate("I6", by.spec.Name, "it bans %s, which is honest: %s", m.spec.Name, detail)
	}
}

// checkBooks holds every engine against its own invariants, and what it counted
// against what the network brought.
func (f *fleet) checkBooks() {
	if f.spec.Unchecked {
		return
	}
	for _, m := range f.members {
		if m.eng == nil {
			continue
		}
		if err := m.eng.Check(); err != nil {
			f.violate("books", m.spec.Name, "%v", err)
		}
		f.checks.unanswered(m)
		if got := m.eng.Counted().ReceivedPayload; got > m.delivered {
			f.violate("conserve", m.spec.Name, "it counts %d bytes, and %d came", got, m.delivered)
		}
	}
}

// checkEnd asks, when the run is over, why somebody is not complete, and
// whether every payload was released.
func (f *fleet) checkEnd() {
	for _, m := range f.members {
		if m.res.Expected && m.res.Done < 0 && f.reachable() {
			have := m.have()
			f.violate("I3", m.spec.Name, "it has %d of %d pieces at the end, and honest hosts have all",
				have.Count(), have.Len())
		}
		if m.res.Done >= 0 && !m.have().All() {
			f.violate("I1", m.spec.Name, "it said complete and has %d of %d pieces", m.have().Count(), m.have().Len())
		}
	}
}

// checkPayloads ends every process and wants all payloads released once the
// network is empty (I4). Nothing else can be measured after it.
func (f *fleet) checkPayloads() {
	for _, m := range f.members {
		m.h.Kill()
	}
	f.world.Run(f.world.Now() + time.Minute)
	if f.bodies != 0 {
		f.violate("I4", "", "%d payloads were never released", f.bodies)
	}
}

// reachable says whether honest hosts that run have each piece between them.
func (f *fleet) reachable() bool {
	for i := range f.copies {
		found := false
		for _, m := range f.members {
			found = found || m.up && m.eng != nil && m.spec.honest() && m.have().Has(i)
		}
		if !found {
			return false
		}
	}
	return true
}
