package peer

import "github.com/prometheus/client_golang/prometheus"

// The metrics of single torrents, which are registered on request only.
const (
	MetricByTorrentSize     = "starling_peer_by_torrent_size_bytes"
	MetricByTorrentDone     = "starling_peer_by_torrent_done_bytes"
	MetricByTorrentReceived = "starling_peer_by_torrent_received_payload_bytes_total"
	MetricByTorrentSent     = "starling_peer_by_torrent_sent_payload_bytes_total"
)

// maxTorrentSeries is how many torrents have series of their own: those that
// were added first. The others are in the sums only.
const maxTorrentSeries = 50

var torrentReadings = []struct {
	desc  *prometheus.Desc
	kind  prometheus.ValueType
	value func(*Stats) float64
}{
	{prometheus.NewDesc(MetricByTorrentSize, "Size of what is wanted of a torrent.", []string{"infohash"}, nil),
		prometheus.GaugeValue, func(s *Stats) float64 { return float64(s.BytesTotal) }},
	{prometheus.NewDesc(MetricByTorrentDone, "Of the size of what is wanted of a torrent, what is verified.", []string{"infohash"}, nil),
		prometheus.GaugeValue, func(s *Stats) float64 { return float64(s.BytesDone) }},
	{prometheus.NewDesc(MetricByTorrentReceived, "Payload of a torrent received from peers.", []string{"infohash"}, nil),
		prometheus.CounterValue, func(s *Stats) float64 { return float64(s.ReceivedPayload) }},
	{prometheus.NewDesc(MetricByTorrentSent, "Payload of a torrent sent to peers.", []string{"infohash"}, nil),
		prometheus.CounterValue, func(s *Stats) float64 { return float64(s.SentPayload) }},
}

type torrentCollector struct{ m *Metrics }

// TorrentMetrics collects series for each torrent of the process, 50 at most, under
// its infohash. They are read when they are asked for.
func (m *Metrics) TorrentMetrics() prometheus.Collector { return torrentCollector{m} }

// Describe implements prometheus.Collector.
func (c torrentCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, r := range torrentReadings {
		ch <- r.desc
	}
}

// Collect implements prometheus.Collector. A torrent is in one session of a
// process; were it in two, the first would count.
func (c torrentCollector) Collect(ch chan<- prometheus.Metric) {
	seen := make(map[string]bool)
	c.m.mu.Lock()
	all := c.m.torrents()
	c.m.mu.Unlock()
	for _, t := range all {
		hash := t.InfoHash().String()
		if seen[hash] {
			continue
		}
		if seen[hash] = true; len(seen) > maxTorrentSeries {
			return
		}
		s := t.Stats()
		for _, r := range torrentReadings {
			ch <- prometheus.MustNewConstMetric(r.desc, r.kind, r.value(&s), hash)
		}
	}
}

// torrents are those of all sessions, in the order in which they came. It needs mu.
func (m *Metrics) torrents() (all []*Torrent) {
	for _, s := range m.sessions {
		all = append(all, s.list()...)
	}
	return all
}
