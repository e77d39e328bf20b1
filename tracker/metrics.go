package tracker

import (
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"starling/tracker/swarm"
)

// Results of an announce or a scrape, the values of the label "result".
const (
	resultOK = iota
	resultInvalid
	resultUnregistered
	resultTooOften
	resultFull
	numResults
)

var resultNames = [numResults]string{"ok", "invalid", "unregistered", "too_often", "full"}

// Kinds of UDP packets, the values of the label "kind".
const (
	udpPacketConnect = iota
	udpPacketAnnounce
	udpPacketScrape
	udpPacketBadID
	udpPacketMalformed
	numUDPPackets
)

var udpPacketNames = [numUDPPackets]string{"connect", "announce", "scrape", "bad_id", "malformed"}

func resultOf(err error) int {
	switch {
	case err == nil:
		return resultOK
	case errors.Is(err, swarm.ErrUnregistered):
		return resultUnregistered
	case errors.Is(err, swarm.ErrTooOften):
		return resultTooOften
	case errors.Is(err, swarm.ErrFull):
		return resultFull
	default:
		return resultInvalid
	}
}

// Metrics are the tracker's own, starling_tracker_*.
type Metrics struct {
	announces   [swarm.NumEvents][numResults]prometheus.Counter
	duration    prometheus.Histogram
	scrapes     [numResults]prometheus.Counter
	selected    prometheus.Counter
	swarms      prometheus.Gauge
	seeders     prometheus.Gauge
	leechers    prometheus.Gauge
	connections prometheus.Gauge
	refused     prometheus.Counter
	snapshots   [2]prometheus.Counter // ok, error
	udpPackets  [numUDPPackets]prometheus.Counter
	udpUnsent   prometheus.Counter
}

// NewMetrics makes the metrics and registers them. Every child exists from the
// start, so that a counter is seen at 0 before its first increase.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	const ns, sub = "starling", "tracker"
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		v := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: ns, Subsystem: sub, Name: name, Help: help}, labels)
		reg.MustRegister(v)
		return v
	}
	gauge := func(name, help string, labels ...string) *prometheus.GaugeVec {
		v := prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: ns, Subsystem: sub, Name: name, Help: help}, labels)
		reg.MustRegister(v)
		return v
	}
	m := &Metrics{
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: ns, Subsystem: sub, Name: "announce_duration_seconds",
			Help:    "Time to answer an announce, from its whole request to its whole reply in memory.",
			Buckets: prometheus.ExponentialBuckets(1e-6, 4, 9),
		}),
		selected:    counter("peers_selected_total", "Peers given out in announce replies.").WithLabelValues(),
		swarms:      gauge("swarms", "Swarms known.").WithLabelValues(),
		connections: gauge("connections", "Open connections of the public listener.").WithLabelValues(),
		udpUnsent:   counter("udp_replies_unsent_total", "Replies that the system did not take for sending over UDP.").WithLabelValues(),
		refused:     counter("connections_refused_total", "Connections closed at once because too many were open.").WithLabelValues(),
	}
	reg.MustRegister(m.duration)
	announces := counter("announces_total", "Announces by event and result.", "event", "result")
	for e := range m.announces {
		for r, result := range resultNames {
			m.announces[e][r] = announces.WithLabelValues(swarm.Event(e).String(), result)
		}
	}
	scrapes := counter("scrapes_total", "Scrapes by result.", "result")
	for r, result := range resultNames {
		m.scrapes[r] = scrapes.WithLabelValues(result)
	}
	peers := gauge("peers", "Peers listed, by role.", "role")
	m.seeders, m.leechers = peers.WithLabelValues("seeder"), peers.WithLabelValues("leecher")
	snapshots := counter("snapshots_total", "Snapshots of the swarms written to disk, by result.", "result")
	m.snapshots = [2]prometheus.Counter{snapshots.WithLabelValues("ok"), snapshots.WithLabelValues("error")}
	packets := counter("udp_packets_total", "UDP packets received, by kind; those of bad_id and malformed get no reply.", "kind")
	for k, kind := range udpPacketNames {
		m.udpPackets[k] = packets.WithLabelValues(kind)
	}
	return m
}

func (m *Metrics) announced(e swarm.Event, err error, peers int, took time.Duration) {
	m.announces[e][resultOf(err)].Inc()
	m.duration.Observe(took.Seconds())
	if peers > 0 {
		m.selected.Add(float64(peers))
	}
}

func (m *Metrics) setTotals(t swarm.Totals) {
	m.swarms.Set(float64(t.Swarms))
	m.seeders.Set(float64(t.Seeders))
	m.leechers.Set(float64(t.Leechers))
}
