package peer

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"starling/p2p"
)

// diskOp indexes Metrics.disk.
type diskOp uint8

const (
	opRead diskOp = iota
	opWrite
	opHash
	opSync
	numOps
)

var opNames = [numOps]string{opRead: "read", opWrite: "write", opHash: "hash", opSync: "sync"}

// Metrics are the starling_peer_* metrics of a process, and the Observer that
// feeds those that are events. The others are read from the torrents when they
// are asked for, so that they cost nothing in between.
type Metrics struct {
	pieces     [2]prometheus.Counter // corrupt, ok
	pieceTime  prometheus.Histogram
	queueDepth prometheus.Histogram
	closed     [p2p.NumReasons]prometheus.Counter
	choke      map[string]prometheus.Counter
	announces  map[string]prometheus.Counter
	bans       map[string]prometheus.Counter
	scrubbed   map[string]prometheus.Counter
	disk       [numOps]prometheus.Observer
	checking   atomic.Int64
	reloadOK   prometheus.Gauge
	reloadTime prometheus.Gauge

	mu       sync.Mutex
	sessions []*Session
	gone     Stats // counters of torrents that have been stopped
}

// NewMetrics registers the metrics with r.
func NewMetrics(r prometheus.Registerer) *Metrics {
	m := &Metrics{}
	vec := func(name, help, label string) *prometheus.CounterVec {
		v := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, []string{label})
		r.MustRegister(v)
		return v
	}
	hist := func(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
		v := prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: name, Help: help, Buckets: buckets,
			// Beside the buckets, for those who scrape native histograms.
			NativeHistogramBucketFactor: 1.2, NativeHistogramMaxBucketNumber: 100, NativeHistogramMinResetDuration: time.Hour,
		}, labels)
		r.MustRegister(v)
		return v
	}
	gauge := func(name, help string) prometheus.Gauge {
		g := prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
		r.MustRegister(g)
		return g
	}
	children := func(v *prometheus.CounterVec, values ...string) map[string]prometheus.Counter {
		c := map[string]prometheus.Counter{}
		for _, s := range values {
			c[s] = v.WithLabelValues(s)
		}
		return c
	}
	verified := vec(MetricPiecesVerified, "Pieces held against their hash, by verdict.", "result")
	m.pieces[0], m.pieces[1] = verified.WithLabelValues("corrupt"), verified.WithLabelValues("ok")
	m.pieceTime = hist(MetricPieceDuration, "Time from a piece's first request to its verdict.",
		prometheus.ExponentialBuckets(0.001, 4, 10)).WithLabelValues().(prometheus.Histogram)
	m.queueDepth = hist(MetricRequestQueueDepth, "Requests outstanding at a remote when one more was sent.",
		[]float64{1, 2, 4, 8, 16, 32, 64, 128, 256}).WithLabelValues().(prometheus.Histogram)
	closed := vec(MetricConnectionsClosed, "Connections that ended, by reason.", "reason")
	for i := range m.closed {
		m.closed[i] = closed.WithLabelValues(p2p.Reason(i).String())
	}
	m.choke = children(vec(MetricChokeChanges, "Changes of who is unchoked, by action.", "action"),
		"unchoke", "choke", "optimistic_unchoke")
	m.announces = children(vec(MetricAnnounces, "Announces to trackers, by result.", "result"), "ok", "error")
	m.bans = children(vec(MetricBans, "Remotes banned, by reason.", "reason"), "corrupt")
	m.scrubbed = children(vec(MetricScrubbed, "Pieces of complete content that were read again and held against their hash, by verdict.", "result"),
		"ok", "bad", "error")
	disk := hist(MetricDiskDuration, "Time of one disk operation; write includes the hash of a whole piece.",
		prometheus.ExponentialBuckets(0.0001, 4, 10), "op")
	for op, name := range opNames {
		m.disk[op] = disk.WithLabelValues(name)
	}
	m.reloadOK = gauge(MetricConfigReloadOK, "Whether the configuration was taken when it was last read, 1 or 0.")
	m.reloadTime = gauge(MetricConfigReloadTime, "When the configuration was last read and taken; Unix time.")
	m.Reloaded(time.Now(), true)
	r.MustRegister(&readings{m})
	return m
}

func (m *Metrics) attach(s *Session) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sessions = append(m.sessions, s)
}

func (m *Metrics) detach(s *Session) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sessions = slices.DeleteFunc(m.sessions, func(o *Session) bool { return o == s })
}

// Checking adds n, which may be negative, to the torrents whose data is being
// checked: they are not in a session yet. A nil Metrics counts nothing.
func (m *Metrics) Checking(n int) {
	if m != nil {
		m.checking.Add(int64(n))
	}
}

// Reloaded notes that the configuration was read again at a time, and whether it
// was taken. A process starts with one that was. A nil Metrics notes nothing.
func (m *Metrics) Reloaded(at time.Time, ok bool) {
	if m == nil {
		return
	}
	if !ok {
		m.reloadOK.Set(0)
		return
	}
	m.reloadOK.Set(1)
	m.reloadTime.Set(float64(at.UnixMilli()) / 1000)
}

// PieceDone implements Observer.
func (m *Metrics) PieceDone(took time.Duration, ok bool) {
	if !ok {
		m.pieces[0].Inc()
		return
	}
	m.pieces[1].Inc()
	m.pieceTime.Observe(took.Seconds())
}

// QueueDepth implements Observer.
func (m *Metrics) QueueDepth(n int) { m.queueDepth.Observe(float64(n)) }

// Choke implements Observer.
func (m *Metrics) Choke(action string) { m.choke[action].Inc() }

// Closed implements Observer.
func (m *Metrics) Closed(reason p2p.Reason) { m.closed[reason].Inc() }

// Announced implements Observer.
func (m *Metrics) Announced(result string) { m.announces[result].Inc() }

// Banned implements Observer.
func (m *Metrics) Banned(reason string) { m.bans[reason].Inc() }

// Scrubbed implements Observer.
func (m *Metrics) Scrubbed(result string) { m.scrubbed[result].Inc() }
