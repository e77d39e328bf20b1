package tracker

import "github.com/prometheus/client_golang/prometheus"

// The metrics of single torrents, which are registered on request only.
const (
	MetricByTorrentPeers     = "starling_tracker_by_torrent_peers"
	MetricByTorrentCompleted = "starling_tracker_by_torrent_completed_total"
)

// maxTorrentSeries is how many torrents have series of their own: the first by
// name. The others are in the sums only.
const maxTorrentSeries = 50

var (
	byTorrentPeers = prometheus.NewDesc(MetricByTorrentPeers,
		"Peers of a torrent that is served, by role; those of a hybrid are counted once.", []string{"infohash", "role"}, nil)
	byTorrentCompleted = prometheus.NewDesc(MetricByTorrentCompleted,
		"Peers that said that they completed a torrent that is served.", []string{"infohash"}, nil)
)

type torrentCollector struct{ torrents *Torrents }

// TorrentMetrics collects series for each of the torrents that the tracker serves,
// 50 at most, under their infohashes. They are read when they are asked for.
func (s *Server) TorrentMetrics() prometheus.Collector { return torrentCollector{s.torrents} }

// Describe implements prometheus.Collector.
func (c torrentCollector) Describe(ch chan<- *prometheus.Desc) {
	ch <- byTorrentPeers
	ch <- byTorrentCompleted
}

// Collect implements prometheus.Collector. Files of the same torrent have the
// same series, which is sent once.
func (c torrentCollector) Collect(ch chan<- prometheus.Metric) {
	seen := make(map[string]bool)
	for _, l := range c.torrents.list() {
		if seen[l.InfoHash] {
			continue
		}
		if seen[l.InfoHash] = true; len(seen) > maxTorrentSeries {
			return
		}
		ch <- prometheus.MustNewConstMetric(byTorrentPeers, prometheus.GaugeValue, float64(l.Complete), l.InfoHash, "seeder")
		ch <- prometheus.MustNewConstMetric(byTorrentPeers, prometheus.GaugeValue, float64(l.Incomplete), l.InfoHash, "leecher")
		ch <- prometheus.MustNewConstMetric(byTorrentCompleted, prometheus.CounterValue, float64(l.Downloaded), l.InfoHash)
	}
}
