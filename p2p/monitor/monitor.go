package monitor

import (
	"encoding/json"
	"strconv"

	"starling/p2p"
)

const (
	// maxSources bounds the sources of which the last batch is remembered;
	// one more forgets the one that came first.
	maxSources = 16384
	// maxStat bounds the data of a STAT, which nobody looks at.
	maxStat = 1024
)

// Config makes a Monitor.
type Config struct {
	// Filter says which records count. The others are counted as Filtered.
	Filter Filter
	// Sink, if set, gets what passes the filter, a batch at a time, with the
	// marks of lost records. lines is valid during the call, which is on the
	// node's goroutine and must not block.
	Sink func(lines []Line)
}

// Monitor receives copies of messages, see the package. It belongs to its node's
// goroutine.
type Monitor struct {
	n      *p2p.Node
	cfg    Config
	counts counts

	next  map[string]uint64 // by source: the first batch that has not come
	order []string          // of next, oldest first
	lines []Line
}

// New makes n a monitor: it registers the handlers of COPY and STAT. Call it
// before the host takes n's Limits.
func New(n *p2p.Node, cfg Config) *Monitor {
	m := &Monitor{n: n, cfg: cfg, counts: newCounts(), next: make(map[string]uint64)}
	n.Handle(COPY, p2p.Spec{Max: maxBatch}, m.handleCopy)
	n.Handle(STAT, p2p.Spec{Max: maxStat}, m.handleStat)
	return m
}

// Stats reads the counters.
func (m *Monitor) Stats() Stats {
	s := m.counts.stats()
	s.Sources = len(m.next)
	return s
}

// handleCopy takes a batch. A malformed one ends the connection, and none of it
// counts.
func (m *Monitor) handleCopy(c p2p.ConnID, msg *p2p.Message) {
	h, lines, err := parseBatch(msg.Head, m.lines[:0])
	m.lines = lines
	if err != nil {
		m.n.ReplyText(c, p2p.ERRO, err.Error())
		m.n.Close(c, err)
		return
	}
	records := len(lines)
	if h.Lost > 0 {
		records--
	}
	if m.isNew(h.Source, *h.Batch) {
		m.take(lines)
	}
	m.n.ReplyText(c, p2p.REPL, strconv.Itoa(records))
}

// isNew notes a batch and reports whether it is the first time that it comes. A
// source numbers its batches from 0 and sends them in order.
func (m *Monitor) isNew(source string, number uint64) bool {
	next, known := m.next[source]
	if known && number < next {
		return false
	}
	if !known {
		if len(m.order) == maxSources {
			delete(m.next, m.order[0])
			m.order = m.order[1:]
		}
		m.order = append(m.order, source)
	}
	m.next[source] = number + 1
	return true
}

// take counts lines and passes on what the filter lets through.
func (m *Monitor) take(lines []Line) {
	passed := lines[:0]
	for i := range lines {
		l := &lines[i]
		switch {
		case l.Lost > 0:
			m.counts.lost += l.Lost
		case !m.cfg.Filter.Match(&l.Record):
			m.counts.filtered++
			continue
		default:
			m.counts.add(&l.Record)
		}
		passed = append(passed, *l)
	}
	if m.cfg.Sink != nil && len(passed) > 0 {
		m.cfg.Sink(passed)
	}
}

// handleStat answers with the counters, cut to what a REPL holds.
func (m *Monitor) handleStat(c p2p.ConnID, _ *p2p.Message) {
	s := m.Stats()
	s.BySender = s.BySender[:min(len(s.BySender), maxTold)]
	b, err := json.Marshal(s)
	if err != nil {
		panic(err) // numbers and strings only
	}
	m.n.Reply(c, p2p.Message{Type: p2p.REPL, Head: b})
}
