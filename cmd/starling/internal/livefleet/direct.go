package livefleet

import (
	"context"
	"slices"
	"time"

	"starling/sim/fleet"
)

const (
	// leastProbe and maxSamples bound the samples of a run.
	leastProbe = 50 * time.Millisecond
	maxSamples = 2_000
)

// direct lets everything happen at its time, until every leecher that is to
// complete has, and nothing is to come.
func (w *swarm) direct(ctx context.Context) error {
	w.schedule()
	expected := w.expected()
	w.began = time.Now()
	probe := max(w.spec.Probe, leastProbe)
	nextProbe, end := probe, w.spec.Deadline
	ending := false
	for {
		if w.note(expected) && !ending && !slices.ContainsFunc(w.agenda, func(e entry) bool { return !e.optional }) {
			ending = true
			end = min(end, w.now()+w.spec.Linger)
		}
		next := min(nextProbe, end)
		if len(w.agenda) > 0 {
			next = min(next, w.agenda[0].at)
		}
		if err := w.sleep(ctx, next); err != nil {
			return err
		}
		now := w.now()
		for len(w.agenda) > 0 && w.agenda[0].at <= now {
			e := w.agenda[0]
			w.agenda = w.agenda[1:]
			if err := e.do(ctx); err != nil {
				return err
			}
		}
		if now >= nextProbe {
			w.sample()
			if nextProbe += probe; len(w.res.Samples) == maxSamples/2 {
				probe *= 2 // a long run is looked at less often
			}
		}
		if now >= end {
			w.sample()
			return nil
		}
	}
}

// sleep waits until a time, or until a host has completed.
func (w *swarm) sleep(ctx context.Context, until time.Duration) error {
	timer := time.NewTimer(until - w.now())
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
	case <-w.wake:
	}
	return nil
}

// schedule puts arrivals, faults and messages on the agenda.
func (w *swarm) schedule() {
	for _, h := range w.hosts {
		w.plan(entry{at: h.spec.Arrive, do: func(ctx context.Context) error {
			h.res.Arrived = w.now()
			return h.start(ctx)
		}})
	}
	for i := range w.spec.Faults {
		x := &w.spec.Faults[i]
		w.plan(entry{at: x.At, do: func(ctx context.Context) error { return w.inflict(ctx, x) }})
	}
	for i := range w.spec.Sends {
		x := &w.spec.Sends[i]
		w.plan(entry{at: x.At, do: func(context.Context) error { w.send(x); return nil }})
	}
}

// expected are the leechers that are there when the faults are over.
func (w *swarm) expected() []*host {
	faults := slices.Clone(w.spec.Faults)
	slices.SortStableFunc(faults, func(a, b fleet.Fault) int { return int(min(max(a.At-b.At, -1), 1)) })
	gone := map[string]bool{}
	for _, x := range faults {
		for _, name := range x.Hosts {
			switch x.Kind {
			case fleet.Crash, fleet.Leave:
				gone[name] = true
			case fleet.Return:
				gone[name] = false
			}
		}
	}
	var out []*host
	for _, h := range w.hosts {
		if h.spec.Role == fleet.Leecher && !gone[h.spec.Name] {
			out = append(out, h)
		}
	}
	return out
}

// note sees who has completed, has those leave that do not stay, and says
// whether all that are expected have.
func (w *swarm) note(expected []*host) (all bool) {
	for _, h := range w.hosts {
		done := h.done()
		if h.spec.Role != fleet.Leecher || done < 0 || h.noted {
			continue
		}
		h.noted = true
		if stay := w.spec.Peer.SeedFor; stay >= 0 {
			w.plan(entry{at: done + stay, optional: true, do: func(context.Context) error { h.stop(false); return nil }})
		}
	}
	for _, h := range expected {
		if !h.noted {
			return false
		}
	}
	return true
}

// inflict lets a fault happen.
func (w *swarm) inflict(ctx context.Context, x *fleet.Fault) error {
	switch x.Kind {
	case fleet.TrackerDown:
		w.tracker.stop()
		return nil
	case fleet.TrackerUp:
		return w.tracker.start(ctx)
	case fleet.TrackerLost:
		w.tracker.stop()
		w.tracker.forget()
		return w.tracker.start(ctx)
	}
	for _, name := range x.Hosts {
		h := w.byName[name]
		switch x.Kind {
		case fleet.Crash:
			h.stop(true)
		case fleet.Leave:
			h.stop(false)
		case fleet.Return:
			if err := h.start(ctx); err != nil {
				return err
			}
		case fleet.Slow:
			if err := h.slow(x.Factor); err != nil {
				return err
			}
		}
	}
	return nil
}
