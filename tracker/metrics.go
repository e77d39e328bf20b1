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
	seedless    prometheus.Gauge
	seeders     prometheus.Gauge
	leechers    prometheus.Gauge
	connections prometheus.Gauge
	refused     prometheus.Counter
	snapshots   [2]prometheus.Counter // ok, error
	udpPackets  [numUDPPackets]prometheus.Counter
	udpUnsent   prometheus.Counter
	reloadOK    prometheus.Gauge
	reloadTime  prometheus.Gauge
	fleet       fleetMetrics
}

// NewMetrics makes the metrics and registers them. Every child exists from the
// start, so that a counter is seen at 0 before its first increase.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		v := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
		reg.MustRegister(v)
		return v
	}
	gauge := func(name, help string, labels ...string) *prometheus.GaugeVec {
		v := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, labels)
		reg.MustRegister(v)
		return v
	}
	m := &Metrics{
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    MetricAnnounceDuration,
			Help:    "Time to answer an announce, from its whole request to its whole reply in memory.",
			Buckets: prometheus.ExponentialBuckets(1e-6, 4, 9),
			// Beside the buckets, for those who scrape native histograms: a
			// factor of 1.2 tells 20 from 24 µs, and bounds the memory.
			NativeHistogramBucketFactor: 1.2, NativeHistogramMaxBucketNumber: 100, NativeHistogramMinResetDuration: time.Hour,
		}),
		selected:    counter(MetricPeersSelected, "Peers given out in announce replies.").WithLabelValues(),
		swarms:      gauge(MetricSwarms, "Swarms known.").WithLabelValues(),
		seedless:    gauge(MetricSwarmsWithoutSeeders, "Swarms in which somebody downloads and nobody has everything.").WithLabelValues(),
		connections: gauge(MetricConnections, "Open connections of the public listener.").WithLabelValues(),
		udpUnsent:   counter(MetricUDPRepliesUnsent, "Replies that the system did not take for sending over UDP.").WithLabelValues(),
		refused:     counter(MetricConnectionsRefused, "Connections closed at once because too many were open.").WithLabelValues(),
		reloadOK:    gauge(MetricConfigReloadOK, "Whether the configuration was taken when it was last read, 1 or 0.").WithLabelValues(),
		reloadTime:  gauge(MetricConfigReloadTime, "When the configuration was last read and taken; Unix time.").WithLabelValues(),
	}
	m.fleet = newFleetMetrics(counter, gauge)
	m.Reloaded(time.Now(), true)
	reg.MustRegister(m.duration)
	announces := counter(MetricAnnounces, "Announces by event and result.", "event", "result")
	for e := range m.announces {
		for r, result := range resultNames {
			m.announces[e][r] = announces.WithLabelValues(swarm.Event(e).String(), result)
		}
	}
	scrapes := counter(MetricScrapes, "Scrapes by result.", "result")
	for r, result := range resultNames {
		m.scrapes[r] = scrapes.WithLabelValues(result)
	}
	peers := gauge(MetricPeers, "Peers listed, by role.", "role")
	m.seeders, m.leechers = peers.WithLabelValues("seeder"), peers.WithLabelValues("leecher")
	snapshots := counter(MetricSnapshots, "Snapshots of the swarms written to disk, by result.", "result")
	m.snapshots = [2]prometheus.Counter{snapshots.WithLabelValues("ok"), snapshots.WithLabelValues("error")}
	packets := counter(MetricUDPPackets, "UDP packets received, by kind; those of bad_id and malformed get no reply.", "kind")
	for k, kind := range udpPacketNames {
		m.udpPackets[k] = packets.WithLabelValues(kind)
	}
	return m
}

func (m *Metrics) announced(e swarm.Event, err error, peers int, took time.Duration) {
	m.announces[e][resultOf(err)].Inc()
	m.observe(e, err, took)
	if peers > 0 {
		m.selected.Add(float64(peers))
	}
}

// slow is from where on an announce leaves an exemplar: it names what was slow,
// and is rare enough to cost nothing.
const slow = 5 * time.Millisecond

func (m *Metrics) observe(e swarm.Event, err error, took time.Duration) {
	o, ok := m.duration.(prometheus.ExemplarObserver)
	if took < slow || !ok {
		m.duration.Observe(took.Seconds())
		return
	}
	o.ObserveWithExemplar(took.Seconds(), prometheus.Labels{"event": e.String(), "result": resultNames[resultOf(err)]})
}

func (m *Metrics) setTotals(t swarm.Totals) {
	m.seedless.Set(float64(t.Seedless))
	m.seeders.Set(float64(t.Seeders))
	m.leechers.Set(float64(t.Leechers))
	m.swarms.Set(float64(t.Swarms))
}

// Reloaded notes that the configuration was read again at a time, and whether it
// was taken. A process starts with one that was.
func (m *Metrics) Reloaded(at time.Time, ok bool) {
	if !ok {
		m.reloadOK.Set(0)
		return
	}
	m.reloadOK.Set(1)
	m.reloadTime.Set(float64(at.UnixMilli()) / 1000)
}
