package peer

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// readings collects what is read from the torrents at the time of a scrape.
type readings struct{ m *Metrics }

// reading is one series of readings: a metric, its label's value, and where in
// the sum of all torrents' Stats it comes from.
type reading struct {
	desc  *prometheus.Desc
	kind  prometheus.ValueType
	label []string
	value func(*totals) float64
}

// totals are the Stats of all torrents of a process, added up.
type totals struct {
	Stats
	states map[State]int
	last   time.Time
	rarest int // the least AvailabilityMin of those that lack pieces, -1 without one
}

var readingList = makeReadings()

func makeReadings() []reading {
	var list []reading
	add := func(kind prometheus.ValueType, name, help, label string, values map[string]func(*totals) float64) {
		if label == "" {
			list = append(list, reading{prometheus.NewDesc(name, help, nil, nil), kind, nil, values[""]})
			return
		}
		desc := prometheus.NewDesc(name, help, []string{label}, nil)
		for v, fn := range values {
			list = append(list, reading{desc, kind, []string{v}, fn})
		}
	}
	type fns = map[string]func(*totals) float64
	const counter, gauge = prometheus.CounterValue, prometheus.GaugeValue
	add(counter, MetricReceived, "Bytes received from peers.", "kind", fns{
		"payload":  func(t *totals) float64 { return float64(t.ReceivedPayload) },
		"protocol": func(t *totals) float64 { return float64(t.ReceivedProtocol) },
	})
	add(counter, MetricSent, "Bytes sent to peers.", "kind", fns{
		"payload":  func(t *totals) float64 { return float64(t.SentPayload) },
		"protocol": func(t *totals) float64 { return float64(t.SentProtocol) },
	})
	add(counter, MetricWasted, "Payload received in vain, by reason.", "reason", fns{
		"corrupt":     func(t *totals) float64 { return float64(t.WastedCorrupt) },
		"duplicate":   func(t *totals) float64 { return float64(t.WastedDuplicate) },
		"unrequested": func(t *totals) float64 { return float64(t.WastedUnrequested) },
	})
	add(gauge, MetricDownloadRate, "Payload received, by the estimator that the choker uses.", "",
		fns{"": func(t *totals) float64 { return t.DownRate }})
	add(gauge, MetricUploadRate, "Payload sent, by the estimator that the choker uses.", "",
		fns{"": func(t *totals) float64 { return t.UpRate }})
	add(gauge, MetricConnections, "Open connections, by who made them.", "direction", fns{
		"in":  func(t *totals) float64 { return float64(t.Incoming) },
		"out": func(t *totals) float64 { return float64(t.Remotes - t.Incoming) },
	})
	add(gauge, MetricUnchokeSlots, "Slots in use, by kind.", "kind", fns{
		"regular":    func(t *totals) float64 { return float64(t.UnchokedByUs - t.Optimistic) },
		"optimistic": func(t *totals) float64 { return float64(t.Optimistic) },
	})
	add(gauge, MetricRemotes, "Remotes by their relation to us.", "relation", fns{
		"unchoked_by_us":    func(t *totals) float64 { return float64(t.UnchokedByUs) },
		"unchoking_us":      func(t *totals) float64 { return float64(t.UnchokingUs) },
		"interested_in_us":  func(t *totals) float64 { return float64(t.InterestedUs) },
		"interesting_to_us": func(t *totals) float64 { return float64(t.InterestingUs) },
	})
	states := fns{}
	for _, s := range []State{StateChecking, StateDownloading, StateSeeding, StateStalled, StateError} {
		states[string(s)] = func(t *totals) float64 { return float64(t.states[s]) }
	}
	add(gauge, MetricTorrents, "Torrents by state.", "state", states)
	add(gauge, MetricTorrentSize, "Size of what is wanted of all torrents.", "",
		fns{"": func(t *totals) float64 { return float64(t.BytesTotal) }})
	add(gauge, MetricTorrentDone, "Of the size of what is wanted of all torrents, what is verified.", "",
		fns{"": func(t *totals) float64 { return float64(t.BytesDone) }})
	add(gauge, MetricAvailability, "How many remotes have the rarest piece that is lacked, the least of all torrents; 0 where nothing is lacked.", "",
		fns{"": func(t *totals) float64 { return float64(max(t.rarest, 0)) }})
	add(gauge, MetricPiecesMissing, "Pieces that are lacked and that no remote has.", "",
		fns{"": func(t *totals) float64 { return float64(t.Missing) }})
	add(gauge, MetricPiecesBad, "Pieces that were verified once and are wrong on this host's disk.", "",
		fns{"": func(t *totals) float64 { return float64(t.BadPieces) }})
	add(gauge, MetricLastProgress, "When a piece was last verified, or the torrent began; Unix time, 0 without a torrent.", "",
		fns{"": func(t *totals) float64 {
			if t.last.IsZero() {
				return 0
			}
			return float64(t.last.UnixMilli()) / 1000
		}})
	return list
}

// Describe implements prometheus.Collector.
func (r *readings) Describe(ch chan<- *prometheus.Desc) {
	for _, x := range readingList {
		ch <- x.desc
	}
}

// Collect implements prometheus.Collector.
func (r *readings) Collect(ch chan<- prometheus.Metric) {
	t := r.m.totals()
	for _, x := range readingList {
		ch <- prometheus.MustNewConstMetric(x.desc, x.kind, x.value(t), x.label...)
	}
}

func (m *Metrics) totals() *totals {
	m.mu.Lock()
	t := &totals{Stats: m.gone, states: map[State]int{}, rarest: -1}
	all := m.torrents()
	m.mu.Unlock()
	t.states[StateChecking] = int(m.checking.Load())
	for _, tor := range all {
		s := tor.Stats()
		t.add(&s)
		t.states[s.State]++
		if s.BytesDone < s.BytesTotal && (t.rarest < 0 || s.AvailabilityMin < t.rarest) {
			t.rarest = s.AvailabilityMin
		}
		if s.LastProgress.After(t.last) {
			t.last = s.LastProgress
		}
	}
	return t
}

// retire keeps the counters of a torrent that leaves. Both happen between two
// scrapes, for a counter never falls.
func (m *Metrics) retire(tor *Torrent, s *Stats) {
	m.mu.Lock()
	defer m.mu.Unlock()
	tor.session.leave(tor)
	t := totals{}
	t.addCounters(&m.gone)
	t.addCounters(s)
	m.gone = t.Stats
}

func (t *totals) addCounters(s *Stats) {
	t.ReceivedPayload += s.ReceivedPayload
	t.ReceivedProtocol += s.ReceivedProtocol
	t.SentPayload += s.SentPayload
	t.SentProtocol += s.SentProtocol
	t.WastedCorrupt += s.WastedCorrupt
	t.WastedDuplicate += s.WastedDuplicate
	t.WastedUnrequested += s.WastedUnrequested
}

func (t *totals) add(s *Stats) {
	t.addCounters(s)
	t.DownRate += s.DownRate
	t.UpRate += s.UpRate
	t.Remotes += s.Remotes
	t.Incoming += s.Incoming
	t.UnchokedByUs += s.UnchokedByUs
	t.UnchokingUs += s.UnchokingUs
	t.Optimistic += s.Optimistic
	t.InterestedUs += s.InterestedUs
	t.InterestingUs += s.InterestingUs
	t.Missing += s.Missing
	t.BadPieces += s.BadPieces
	t.BytesTotal += s.BytesTotal
	t.BytesDone += s.BytesDone
}
