package tracker

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"starling/tracker/swarm"
)

// TestTorrentMetrics: on request each torrent has series of its own, the first 50
// by name.
func TestTorrentMetrics(t *testing.T) {
	s := start(t, DefaultConfig(), nil)
	reg := prometheus.NewRegistry()
	reg.MustRegister(s.TorrentMetrics())
	if n, err := testutil.GatherAndCount(reg); n != 0 || err != nil {
		t.Errorf("%d series without a torrent: %v", n, err)
	}
	if err := s.Torrents().Add("a", torrentFile("a")); err != nil {
		t.Fatal(err)
	}
	if err := s.Torrents().Add("again", torrentFile("a")); err != nil { // under another name
		t.Fatal(err)
	}
	hash := s.torrents.list()[0].InfoHash
	escaped := ""
	for i := 0; i < len(hash); i += 2 {
		escaped += "%" + hash[i:i+2]
	}
	get(t, s.addr, announcePath(escaped, 1, "&left=0&event=started"))
	get(t, s.addr, announcePath(escaped, 2, "&left=5&event=started"))
	get(t, s.addr, announcePath(escaped, 2, "&left=0&event=completed"))
	get(t, s.addr, announcePath(escaped, 3, "&left=5&event=started"))
	want := fmt.Sprintf(`
# HELP starling_tracker_by_torrent_completed_total Peers that said that they completed a torrent that is served.
# TYPE starling_tracker_by_torrent_completed_total counter
starling_tracker_by_torrent_completed_total{infohash=%[1]q} 1
# HELP starling_tracker_by_torrent_peers Peers of a torrent that is served, by role; those of a hybrid are counted once.
# TYPE starling_tracker_by_torrent_peers gauge
starling_tracker_by_torrent_peers{infohash=%[1]q,role="leecher"} 1
starling_tracker_by_torrent_peers{infohash=%[1]q,role="seeder"} 2
`, hash)
	if err := testutil.GatherAndCompare(reg, strings.NewReader(want)); err != nil {
		t.Error(err)
	}
	for i := range 60 {
		name := fmt.Sprintf("t%02d", i)
		if err := s.Torrents().Add(name, torrentFile(name)); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := testutil.GatherAndCount(reg, MetricByTorrentPeers); n != 2*maxTorrentSeries || err != nil {
		t.Errorf("%d series of 61 torrents: %v", n, err)
	}
	if problems, err := testutil.GatherAndLint(reg); err != nil || len(problems) > 0 {
		t.Errorf("lint: %v %v", problems, err)
	}
}

// TestSlowAnnounceLeavesExemplar: of what was slow one sees what it was, and a
// quick announce leaves nothing.
func TestSlowAnnounceLeavesExemplar(t *testing.T) {
	reg := prometheus.NewRegistry()
	m := NewMetrics(reg)
	m.announced(swarm.None, nil, 0, slow-1)
	m.announced(swarm.Started, swarm.ErrFull, 0, slow)
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, f := range families {
		if f.GetName() != MetricAnnounceDuration {
			continue
		}
		if n := f.Metric[0].GetHistogram().GetSampleCount(); n != 2 {
			t.Errorf("%d announces", n)
		}
		for _, b := range f.Metric[0].GetHistogram().Bucket {
			if b.Exemplar != nil {
				found = append(found, fmt.Sprint(b.Exemplar.GetLabel(), b.Exemplar.GetValue()))
			}
		}
	}
	if len(found) != 1 || !strings.Contains(found[0], "started") || !strings.Contains(found[0], "full") || !strings.Contains(found[0], fmt.Sprint(slow.Seconds())) {
		t.Errorf("exemplars: %v", found)
	}
}

// TestReloadedMetric: a configuration that was refused leaves the time of the last
// that was taken.
func TestReloadedMetric(t *testing.T) {
	reg := prometheus.NewRegistry()
	m := NewMetrics(reg)
	at := time.Unix(1_700_000_000, 0)
	m.Reloaded(at, true)
	m.Reloaded(at.Add(time.Hour), false)
	want := `
# HELP starling_tracker_config_last_reload_success_timestamp_seconds When the configuration was last read and taken; Unix time.
# TYPE starling_tracker_config_last_reload_success_timestamp_seconds gauge
starling_tracker_config_last_reload_success_timestamp_seconds 1.7e+09
# HELP starling_tracker_config_last_reload_successful Whether the configuration was taken when it was last read, 1 or 0.
# TYPE starling_tracker_config_last_reload_successful gauge
starling_tracker_config_last_reload_successful 0
`
	if err := testutil.GatherAndCompare(reg, strings.NewReader(want), MetricConfigReloadOK, MetricConfigReloadTime); err != nil {
		t.Error(err)
	}
}
