package monitoring

import (
	"fmt"
	"time"

	"starling/peer"
	"starling/tracker"
)

// The scrape configuration's job names. Alerts that a process is gone need them:
// who is gone has no metrics.
const (
	TrackerJob = "starling-tracker"
	PeerJob    = "starling-peer"
)

// Where alerts begin; the boards draw them.
const (
	limitRefused         = 0.05 // of a tracker's announces
	limitAnnounceErrors  = 0.1  // of the peers' announces
	limitAnnounceLatency = 0.01 // seconds
	limitNotScraped      = 0.1  // of the peers
	limitPeerShare       = 0.3  // of the payload
	limitDisk            = 0.25 // seconds
)

const (
	instance = "job, instance"
	// host is what people know a peer by.
	host = "{{ or $labels.node $labels.instance }}"
)

// above writes a limit for a Condition.
func above(limit float64) string { return fmt.Sprintf("> %g", limit) }

// Alerts returns all alerts.
func Alerts(t Timing) []Alert {
	return append(trackerAlerts(t), peerAlerts(t)...)
}

func trackerAlerts(t Timing) []Alert {
	up := metricUp + "{" + is("job", TrackerJob) + "}"
	return []Alert{
		{
			Name: "StarlingTrackerDown", Severity: "critical", For: 2 * time.Minute,
			When: []Condition{{Query: up, Is: "== 0"}}, Or: []Condition{{Query: "absent(" + up + ")"}},
			// Without any tracker in the configuration there is no instance to name.
			Summary: "The tracker{{ with $labels.instance }} {{ . }}{{ end }} does not answer",
			Text:    "New hosts find nobody. Transfers under way go on with the peers that they know.",
		},
		{
			Name: "StarlingAnnounceErrors", Severity: "warning", For: 10 * time.Minute,
			When:    []Condition{{Query: recFailures, Is: above(limitRefused)}},
			Summary: "{{ $labels.instance }} refuses {{ $value | humanizePercentage }} of the announces",
			Text:    "Hosts whose announces are refused are not listed and get no peers.",
		},
		{
			Name: "StarlingPeersCannotAnnounce", Severity: "warning", For: 10 * time.Minute,
			When:    []Condition{{Query: recPeerErrors, Is: above(limitAnnounceErrors)}},
			Summary: "{{ $value | humanizePercentage }} of the announces of {{ $labels.job }} fail",
			Text:    "The peers do not reach their tracker, or it refuses them. Those that join now find nobody.",
		},
		{
			Name: "StarlingPeersNotScraped", Severity: "warning", For: 15 * time.Minute,
			When:    []Condition{{Query: "1 - avg by (job) (" + metricUp + "{" + is("job", PeerJob) + "})", Is: above(limitNotScraped)}},
			Summary: "{{ $value | humanizePercentage }} of the targets of {{ $labels.job }} do not answer Prometheus",
			Text:    "Nobody hears of what goes wrong on these hosts: alerts and boards are blind there. What the tracker says of them still holds.",
		},
		{
			Name: "StarlingAnnounceLatency", Severity: "warning", For: 10 * time.Minute,
			When: []Condition{{Query: recLatency, Is: above(limitAnnounceLatency)}},
			// An announce is timed from when it has been read: a tracker that
			// does not come to reading is seen from outside only.
			Or:      []Condition{{Query: "avg_over_time(" + metricScrapeTime + "{" + is("job", TrackerJob) + "}" + t.window() + ")", Is: "> 0.25"}},
			Summary: "{{ $labels.instance }} answers slowly: {{ $value | humanizeDuration }}",
			Text:    "One of a hundred announces takes the tracker longer than 10 ms, or its own metrics longer than 250 ms. It lacks CPU, and will soon refuse connections.",
		},
		{
			Name: "StarlingSwarmWithoutSeeders", Severity: "warning", For: 5 * time.Minute,
			When:    []Condition{{Query: tracker.MetricSwarmsWithoutSeeders, Is: "> 0"}},
			Summary: "Swarms without a seeder at {{ $labels.instance }}: {{ $value }}",
			Text:    "Somebody downloads and nobody has everything. Unless the peers have every piece between them, nobody can finish.",
		},
		{
			Name: "StarlingConfigReloadFailed", Severity: "warning", For: time.Minute,
			When:    []Condition{{Query: tracker.MetricConfigReloadOK, Is: "== 0"}},
			Or:      []Condition{{Query: peer.MetricConfigReloadOK, Is: "== 0"}},
			Summary: "{{ $labels.instance }} refused its configuration",
			Text:    "It runs with the one before. At its next start it will not start.",
		},
	}
}

// peerAlerts are about hosts, or about all of them together. One about a host keeps
// what the scrape configuration says of it: node, and each label_K, by which an alert
// finds whom the rack belongs to.
func peerAlerts(t Timing) []Alert {
	corrupt := peer.MetricPiecesVerified + `{result="corrupt"}`
	return []Alert{
		{
			Name: "StarlingDownloadStalled", Severity: "warning", For: 3 * time.Minute,
			When: []Condition{
				{Query: "time() - " + peer.MetricLastProgress, Is: fmt.Sprintf("> %g", t.scaled(2*time.Minute).Seconds())},
				{Query: "sum by (" + instance + ") (" + peer.MetricTorrents + `{state=~"downloading|stalled"})`, Is: "> 0", On: instance},
			},
			Summary: host + " has got nothing for {{ $value | humanizeDuration }}",
			Text:    "A torrent is not complete, and no piece of it has been verified for that long.",
		},
		{
			// A leecher waits half a minute for its disk and then ends, so that
			// one sample of it must do.
			Name: "StarlingDownloadFailed", Severity: "critical", For: 0,
			When:    []Condition{{Query: "sum without (state) (max_over_time(" + peer.MetricTorrents + `{state="error"}` + t.window() + "))", Is: "> 0"}},
			Summary: "The disk of " + host + " refuses",
			Text:    "A torrent is in error: the disk is full, read-only or gone. A leecher goes on by itself if that passes within half a minute, and else ends; started again, it resumes.",
		},
		{
			Name: "StarlingCorruptPieces", Severity: "warning", For: 0,
			When: []Condition{{Query: "sum without (result) (increase(" + corrupt + t.window() + "))", Is: "> 0"}},
			// An increase begins with the first scrape, and a peer may be done by then.
			Or:      []Condition{{Query: "sum without (result) (" + corrupt + " unless " + corrupt + " offset " + promDuration(t.Window) + ") > 0"}},
			Summary: host + " received pieces that do not match their hash",
			Text:    "Nothing wrong reaches a disk, but somebody sends it. The sender is banned when it is known.",
		},
		{
			Name: "StarlingBadPieces", Severity: "warning", For: 0,
			When: []Condition{{Query: peer.MetricPiecesBad, Is: "> 0"}},
			// A leech may have mended it by the next scrape.
			Or:      []Condition{{Query: "sum without (result) (increase(" + peer.MetricScrubbed + `{result="bad"}` + t.window() + "))", Is: "> 0"}},
			Summary: "The disk of " + host + " has pieces wrong that were right",
			Text:    "They are served to nobody. A leech fetches them again; what a seed has wrong stays so until somebody mends it.",
		},
		{
			Name: "StarlingLowPeerShare", Severity: "warning", For: 5 * time.Minute,
			When: []Condition{
				{Query: recShare, Is: fmt.Sprintf("< %g", limitPeerShare)},
				{Query: "sum by (job) (" + peer.MetricTorrents + `{state="downloading"})`, Is: ">= 4", On: "job"},
				{Query: "sum by (job) (" + recReceived + ")", Is: "> 1e6", On: "job"},
			},
			Summary: "Peers carry only {{ $value | humanizePercentage }} of what {{ $labels.job }} receives",
			Text:    "The first seeds carry the rest, and their uplink bounds the rollout. Peers do not reach one another, or send little.",
		},
		{
			Name: "StarlingDiskSlow", Severity: "warning", For: 10 * time.Minute,
			When:    []Condition{{Query: recDiskSeconds + `{op=~"read|write"}`, Is: above(limitDisk)}},
			Summary: "A {{ $labels.op }} on " + host + " takes {{ $value | humanizeDuration }}",
			Text:    "The mean of all pieces. The disk, not the network, bounds this host.",
		},
	}
}
