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

const instances = "job, instance"

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
			Summary: "The tracker {{ $labels.instance }} does not answer",
			Text:    "New hosts find nobody. Transfers under way go on with the peers that they know.",
		},
		{
			Name: "StarlingAnnounceErrors", Severity: "warning", For: 10 * time.Minute,
			When:    []Condition{{Query: recFailures, Is: "> 0.05"}},
			Summary: "{{ $labels.instance }} refuses {{ $value | humanizePercentage }} of the announces",
			Text:    "Hosts whose announces are refused are not listed and get no peers.",
		},
		{
			Name: "StarlingPeersCannotAnnounce", Severity: "warning", For: 10 * time.Minute,
			When:    []Condition{{Query: recPeerErrors, Is: "> 0.1"}},
			Summary: "{{ $value | humanizePercentage }} of the announces of {{ $labels.job }} fail",
			Text:    "The peers do not reach their tracker, or it refuses them. Those that join now find nobody.",
		},
		{
			Name: "StarlingAnnounceLatency", Severity: "warning", For: 10 * time.Minute,
			When: []Condition{{Query: recLatency, Is: "> 0.01"}},
			// An announce is timed from when it has been read: a tracker that
			// does not come to reading is seen from outside only.
			Or:      []Condition{{Query: "avg_over_time(" + metricScrapeTime + "{" + is("job", TrackerJob) + "}" + t.window() + ")", Is: "> 0.25"}},
			Summary: "{{ $labels.instance }} answers slowly: {{ $value | humanizeDuration }}",
			Text:    "One of a hundred announces takes the tracker longer than 10 ms, or its own metrics longer than 250 ms. It lacks CPU, and will soon refuse connections.",
		},
		{
			Name: "StarlingSwarmWithoutSeeders", Severity: "warning", For: 5 * time.Minute,
			When:    []Condition{{Query: tracker.MetricSwarmsWithoutSeeders, Is: "> 0"}},
			Summary: "{{ $value }} swarms of {{ $labels.instance }} have no seeder",
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

func peerAlerts(t Timing) []Alert {
	corrupt := peer.MetricPiecesVerified + `{result="corrupt"}`
	return []Alert{
		{
			Name: "StarlingDownloadStalled", Severity: "warning", For: 3 * time.Minute,
			When: []Condition{
				{Query: "time() - " + peer.MetricLastProgress, Is: fmt.Sprintf("> %g", t.scaled(2*time.Minute).Seconds())},
				{Query: "sum by (" + instances + ") (" + peer.MetricTorrents + `{state=~"downloading|stalled"})`, Is: "> 0", On: instances},
			},
			Summary: "{{ $labels.instance }} has got nothing for {{ $value | humanizeDuration }}",
			Text:    "A torrent is not complete, and no piece of it has been verified for that long.",
		},
		{
			// A leecher waits half a minute for its disk and then ends, so that
			// one sample of it must do.
			Name: "StarlingDownloadFailed", Severity: "critical", For: 0,
			When:    []Condition{{Query: "sum by (" + instances + ") (max_over_time(" + peer.MetricTorrents + `{state="error"}` + t.window() + "))", Is: "> 0"}},
			Summary: "The disk of {{ $labels.instance }} refuses",
			Text:    "A torrent is in error: the disk is full, read-only or gone. A leecher goes on by itself if that passes within half a minute, and else ends; started again, it resumes.",
		},
		{
			Name: "StarlingCorruptPieces", Severity: "warning", For: 0,
			When: []Condition{{Query: "sum by (" + instances + ") (increase(" + corrupt + t.window() + "))", Is: "> 0"}},
			// An increase begins with the first scrape, and a peer may be done by then.
			Or:      []Condition{{Query: "sum by (" + instances + ") (" + corrupt + " unless " + corrupt + " offset " + promDuration(t.Window) + ") > 0"}},
			Summary: "{{ $labels.instance }} received pieces that do not match their hash",
			Text:    "Nothing wrong reaches a disk, but somebody sends it. The sender is banned when it is known.",
		},
		{
			Name: "StarlingLowPeerShare", Severity: "warning", For: 5 * time.Minute,
			When: []Condition{
				{Query: recShare, Is: "< 0.3"},
				{Query: "sum by (job) (" + peer.MetricTorrents + `{state="downloading"})`, Is: ">= 4", On: "job"},
				{Query: "sum by (job) (" + recReceived + ")", Is: "> 1e6", On: "job"},
			},
			Summary: "Peers carry only {{ $value | humanizePercentage }} of what {{ $labels.job }} receives",
			Text:    "The first seeds carry the rest, and their uplink bounds the rollout. Peers do not reach one another, or send little.",
		},
		{
			Name: "StarlingDiskSlow", Severity: "warning", For: 10 * time.Minute,
			When:    []Condition{{Query: recDiskSeconds + `{op=~"read|write"}`, Is: "> 0.25"}},
			Summary: "A {{ $labels.op }} on {{ $labels.instance }} takes {{ $value | humanizeDuration }}",
			Text:    "The mean of all pieces. The disk, not the network, bounds this host.",
		},
	}
}
