package livefleet

import (
	"slices"

	"starling/peer"
	"starling/sim/fleet"
)

// matrixHosts is how many hosts Result.Served is about.
const matrixHosts = 64

// counted is what all lives of a host have counted so far, and the reading of
// the present one.
func (h *host) counted() (counts, *peer.Stats) {
	c := h.before
	if h.torrent == nil {
		return c, nil
	}
	st := h.torrent.Stats()
	c.add(&st)
	return c, &st
}

// sample reads the state of the swarm.
func (w *swarm) sample() {
	if len(w.res.Samples) >= maxSamples {
		return
	}
	s := fleet.Sample{At: w.now(), Rarest: len(w.hosts)}
	leechers, total := 0, w.spec.Size
	for _, h := range w.hosts {
		if h.spec.Role == fleet.Node {
			continue
		}
		c, st := h.counted()
		s.UpBytes += int64(c.sent)
		if st != nil {
			s.Unchoked += st.UnchokedByUs
			s.Interested += st.InterestedUs
		}
		if h.spec.Role == fleet.Seed {
			s.SeedBytes += int64(c.sent)
			continue
		}
		leechers++
		switch {
		case h.done() >= 0:
			s.Done++
			s.Progress++
		case st != nil:
			s.Progress += float64(st.BytesDone) / float64(total)
			s.Rarest = min(s.Rarest, max(0, st.AvailabilityMin))
		}
	}
	if leechers > 0 {
		s.Progress /= float64(leechers)
	}
	w.res.Samples = append(w.res.Samples, s)
	if w.opts.Progress != nil {
		w.opts.Progress(s)
	}
}

// finish makes the result.
func (w *swarm) finish() {
	r, s := &w.res, w.spec
	r.Name, r.RNGSeed, r.Virtual = s.Name, s.RNGSeed, w.now()
	r.Wall = r.Virtual
	r.Size, r.PieceLength, r.Pieces = s.Size, s.PieceLength, w.meta.Info.NumPieces()
	r.Policy, r.MaxRemotes, r.Strategy = s.Peer.Policy, s.Peer.MaxRemotes, "rarest"
	for _, h := range w.hosts {
		c, st := h.counted()
		out := &h.res
		if st != nil {
			out.Remotes, out.Pieces = st.Remotes, st.PiecesDone
			h.accounts = append(h.accounts, h.torrent.Accounts()...)
		}
		out.Received, out.Sent, out.Wasted, out.Corrupt = int64(c.received), int64(c.sent), int64(c.wasted), c.corrupt
		h.mu.Lock()
		r.Hosts = append(r.Hosts, *out)
		h.mu.Unlock()
	}
	w.served()
	r.Messages = map[string]uint64{}
	w.tapping.Lock()
	for t, n := range w.messages {
		r.Messages[t.String()] = n
	}
	w.tapping.Unlock()
	w.mu.Lock()
	r.Replies = slices.Clone(w.replies)
	w.mu.Unlock()
	r.Notes = append(r.Notes,
		"real TCP on the loopback interface: latency, disk and hashing are this machine's",
		"invariants are not checked here, and the trace is not reproducible")
	fleet.Summarize(s, r)
}

// served books what each host has sent to each, as the senders say.
func (w *swarm) served() {
	n := min(len(w.hosts), matrixHosts)
	index := map[[20]byte]int{}
	for i, h := range w.hosts[:n] {
		for _, id := range h.ids {
			index[id] = i
		}
	}
	w.res.Served = make([][]int64, n)
	for i, h := range w.hosts[:n] {
		w.res.Served[i] = make([]int64, n)
		for _, a := range h.accounts {
			if j, known := index[a.PeerID]; known {
				w.res.Served[i][j] += int64(a.Sent)
			}
		}
	}
}
