package peer

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"starling/p2p"
)

// contract is what a dashboard may rely on: each metric with its label and the
// label's values.
var contract = map[string]string{
	"received_bytes_total":            "kind=payload,protocol",
	"sent_bytes_total":                "kind=payload,protocol",
	"wasted_bytes_total":              "reason=corrupt,duplicate,unrequested",
	"download_rate_bytes_per_second":  "",
	"upload_rate_bytes_per_second":    "",
	"pieces_verified_total":           "result=corrupt,ok",
	"piece_duration_seconds":          "",
	"connections":                     "direction=in,out",
	"connections_closed_total":        "reason=" + strings.Join(reasons(), ","),
	"choke_changes_total":             "action=choke,optimistic_unchoke,unchoke",
	"unchoke_slots":                   "kind=optimistic,regular",
	"remotes":                         "relation=interested_in_us,interesting_to_us,unchoked_by_us,unchoking_us",
	"request_queue_depth":             "",
	"announces_total":                 "result=error,ok",
	"disk_operation_duration_seconds": "op=hash,read,sync,write",
	"torrents":                        "state=checking,downloading,error,seeding,stalled",
	"torrent_size_bytes":              "",
	"torrent_done_bytes":              "",
	"last_progress_timestamp_seconds": "",
	"bans_total":                      "reason=corrupt",
	"availability_copies":             "",
	"pieces_missing":                  "",
	"pieces_bad":                      "",
	"scrubbed_pieces_total":           "result=bad,error,ok",

	"config_last_reload_successful":                "",
	"config_last_reload_success_timestamp_seconds": "",
}

func reasons() (names []string) {
	for r := range p2p.NumReasons {
		names = append(names, p2p.Reason(r).String())
	}
	slices.Sort(names)
	return names
}

// reading of a registry: by metric, without our prefix, and by "label=value",
// the value of a counter or gauge or the number of a histogram's samples.
func readAll(t *testing.T, reg prometheus.Gatherer) map[string]map[string]float64 {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]map[string]float64{}
	for _, f := range families {
		values := map[string]float64{}
		for _, m := range f.GetMetric() {
			key := ""
			for _, l := range m.GetLabel() {
				key = l.GetName() + "=" + l.GetValue()
			}
			values[key] = m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
		out[strings.TrimPrefix(f.GetName(), "starling_peer_")] = values
	}
	return out
}

// shape is a metric's label and values as contract writes them.
func shape(series map[string]float64) string {
	label, values := "", []string{}
	for key := range series {
		if l, v, ok := strings.Cut(key, "="); ok {
			label = l + "="
			values = append(values, v)
		}
	}
	slices.Sort(values)
	return label + strings.Join(values, ",")
}

// read returns the value of one series.
func read(t *testing.T, reg prometheus.Gatherer, name, key string) float64 {
	t.Helper()
	v, ok := readAll(t, reg)[name][key]
	if !ok {
		t.Fatalf("no series %q of %s", key, name)
	}
	return v
}

// TestMetrics: a live session's metrics have the names and labels of the
// contract, a linter finds nothing, and what they count is what was moved.
func TestMetrics(t *testing.T) {
	const size, pieceLength = 4 << 20, 64 << 10
	reg, other := prometheus.NewRegistry(), prometheus.NewRegistry()
	s := testSession(t, 1, func(c *Config) { c.Metrics = NewMetrics(reg) })
	l := testSession(t, 2, func(c *Config) { c.Metrics = NewMetrics(other) })
	p := newPayload(t, "content", size, pieceLength)
	p.seed(t, s)
	began := time.Now()
	tor := p.leech(t, l, s.Addr().String())
	p.wait(t, tor)

	own := prometheus.NewRegistry()
	own.MustRegister(l.cfg.Metrics.TorrentMetrics())
	for _, r := range []*prometheus.Registry{reg, other, own} {
		problems, err := testutil.GatherAndLint(r)
		if err != nil || len(problems) > 0 {
			t.Errorf("lint: %v, %v", problems, err)
		}
	}
	families := readAll(t, other)
	for name, want := range contract {
		if f := families[name]; f == nil {
			t.Errorf("no %s", name)
		} else if got := shape(f); got != want {
			t.Errorf("%s has %q, want %q", name, got, want)
		}
	}
	for name := range families {
		if _, ok := contract[name]; !ok {
			t.Errorf("%s is in no contract", name)
		}
	}

	for _, c := range []struct {
		reg       prometheus.Gatherer
		name, key string
		want      float64
	}{
		{reg, "sent_bytes_total", "kind=payload", size},
		{other, "received_bytes_total", "kind=payload", size},
		{other, "pieces_verified_total", "result=ok", size / pieceLength},
		{other, "piece_duration_seconds", "", size / pieceLength},
		{other, "torrent_size_bytes", "", size},
		{other, "torrent_done_bytes", "", size},
		{other, "torrents", "state=seeding", 1},
		{other, "availability_copies", "", 0},
		{other, "pieces_missing", "", 0},
		{other, "config_last_reload_successful", "", 1},
		{other, "wasted_bytes_total", "reason=unrequested", 0},
		{reg, "torrents", "state=seeding", 1},
		{own, "by_torrent_size_bytes", "infohash=" + tor.InfoHash().String(), size},
		{own, "by_torrent_done_bytes", "infohash=" + tor.InfoHash().String(), size},
		{own, "by_torrent_received_payload_bytes_total", "infohash=" + tor.InfoHash().String(), size},
		{own, "by_torrent_sent_payload_bytes_total", "infohash=" + tor.InfoHash().String(), 0},
	} {
		if got := read(t, c.reg, c.name, c.key); got != c.want {
			t.Errorf("%s{%s} is %v, want %v", c.name, c.key, got, c.want)
		}
	}
	// Framing is 20 bytes a piece and as many again for its request and HAVE.
	if n := read(t, other, "received_bytes_total", "kind=protocol"); n < 16*size/pieceLength || n > 100*size/pieceLength {
		t.Errorf("%v bytes of protocol received", n)
	}
	if at := read(t, other, "last_progress_timestamp_seconds", ""); at < float64(began.Unix()) {
		t.Errorf("last progress at %v, began at %v", at, began.Unix())
	}

	// A counter never falls: not when its torrent leaves.
	if err := tor.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	if got := read(t, other, "received_bytes_total", "kind=payload"); got != size {
		t.Errorf("%v bytes received after the torrent has left", got)
	}
	if got := read(t, other, "torrents", "state=seeding"); got != 0 {
		t.Errorf("%v torrents seed", got)
	}
}

// TestRatesAgree: in virtual time, the rates that are shown are within 5 % of
// what was moved.
func TestRatesAgree(t *testing.T) {
	s := newSwarm(t, 31, 13<<20, 16<<10)
	seed := s.join(true, slow(256<<10))
	l := s.join(false, nil)
	s.net.Run(25 * time.Second) // the estimators' window is 20 s
	before := l.Stats().ReceivedPayload
	s.net.Run(20 * time.Second)
	got := float64(l.Stats().ReceivedPayload-before) / 20
	for what, rate := range map[string]float64{"download": l.Stats().DownRate, "upload": seed.Stats().UpRate} {
		if math.Abs(rate-got) > 0.05*got {
			t.Errorf("%s rate %.0f, moved %.0f a second", what, rate, got)
		}
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
	if got := read(t, reg, "config_last_reload_successful", ""); got != 0 {
		t.Errorf("successful: %v", got)
	}
	if got := read(t, reg, "config_last_reload_success_timestamp_seconds", ""); got != 1_700_000_000 {
		t.Errorf("last success at %v", got)
	}
	m.Reloaded(at.Add(2*time.Hour), true)
	if got := read(t, reg, "config_last_reload_successful", ""); got != 1 {
		t.Errorf("successful again: %v", got)
	}
	(*Metrics)(nil).Reloaded(at, false) // a process without metrics notes nothing
}

func TestCheckingMetric(t *testing.T) {
	reg := prometheus.NewRegistry()
	m := NewMetrics(reg)
	m.Checking(1)
	m.Checking(1)
	m.Checking(-1)
	if got := read(t, reg, "torrents", "state=checking"); got != 1 {
		t.Errorf("%v torrents are being checked", got)
	}
	(*Metrics)(nil).Checking(1) // a process without metrics counts nothing
}
