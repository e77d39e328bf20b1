package monitoring

import (
	"starling/peer"
	"starling/tracker"
)

// The boards' stable identities: links and bookmarks hold them.
const (
	fleetUID   = "starling-fleet"
	trackerUID = "starling-tracker"
	peerUID    = "starling-peer"
	rolloutUID = "starling-rollout"
)

// metricBuildInfo is in every process of ours; package main of the program has it.
const metricBuildInfo = "starling_build_info"

// Names of client_golang's own metrics.
const (
	metricCPU            = "process_cpu_seconds_total"
	metricMemory         = "process_resident_memory_bytes"
	metricDescriptors    = "process_open_fds"
	metricMaxDescriptors = "process_max_fds"
	metricGoroutines     = "go_goroutines"
	metricUp             = "up" // Prometheus' own, as is the next
	metricScrapeTime     = "scrape_duration_seconds"
	metricAlerts         = "ALERTS"
)

func fleetBoard() *board {
	b := newBoard(fleetUID, "Starling / Fleet", "All trackers and peers: is content moving, to whom, and who carries it.", metricBuildInfo)
	payload := is("kind", "payload")

	b.row("Now")
	b.stat(3, "Alerts", "That fire now; the table below names them.", "short", "count("+alerting(is("alertstate", "firing"))+") or vector(0)").warn(1, 3)
	b.stat(3, "Processes up", "Trackers and peers that answered the last scrape.", "short", "count("+sel(metricBuildInfo)+")")
	b.stat(3, "Not answering", "Targets of the jobs "+TrackerJob+" and "+PeerJob+" that do not answer Prometheus: gone without a word, or out of its reach.", "short",
		"sum(1 - "+sel(metricUp, `job=~"`+TrackerJob+"|"+PeerJob+`"`)+")").warn(1, 5)
	b.stat(3, "Downloading", "Torrents that are being downloaded.", "short", "sum("+sel(peer.MetricTorrents, is("state", "downloading"))+")")
	b.stat(3, "Seeding", "Torrents that are complete and served.", "short", "sum("+sel(peer.MetricTorrents, is("state", "seeding"))+")")
	b.stat(3, "Stalled or in error", "Torrents for which nothing has come for 30 s, or whose disk refuses.", "short",
		"sum("+sel(peer.MetricTorrents, `state=~"stalled|error"`)+")").warn(1, 5)
	b.stat(3, "Payload received", "All peers together, by the estimator that the choker uses.", "binBps", "sum("+sel(peer.MetricDownloadRate)+")")
	share := b.stat(3, "Share from peers", "Of the payload received in the last 5 minutes, the part that was sent by hosts that had to fetch it themselves. The rest came from first seeds and web seeds. Empty while nothing is received.", "percentunit", shareQuery)
	low, high := limitPeerShare, 2*limitPeerShare
	share.whole().FieldConfig.Defaults.Thresholds.Steps = []step{{"red", nil}, {"orange", &low}, {"green", &high}}
	b.alertTable()

	b.row("Transfer")
	b.series(12, "Payload", "Bytes of content a second. Received and sent differ by what is under way, and by peers that are not scraped.", "binBps",
		q("received", "sum("+rate(peer.MetricReceived, payload)+")"), q("sent", "sum("+rate(peer.MetricSent, payload)+")"))
	b.series(12, "Who sends", "Payload sent by hosts that had to fetch it themselves, and by those that had it from the start; means of 5 minutes, made by the recording rules.", "binBps",
		q("passed on", "(sum("+sel(recRelayed)+") or vector(0))"),
		q("first seeds", "sum("+sel(recSent)+") - (sum("+sel(recRelayed)+") or vector(0))")).stack()
	b.series(8, "Torrents by state", "Each process usually has one.", "short", q("{{state}}", "sum by (state) ("+sel(peer.MetricTorrents)+")")).stack()
	b.series(8, "Done", "Verified bytes over wanted bytes, of all torrents.", "percentunit",
		q("done", "sum("+sel(peer.MetricTorrentDone)+") / sum("+sel(peer.MetricTorrentSize)+")")).whole()
	b.series(8, "Overhead", "Protocol bytes received, and payload received in vain, as parts of the payload received.", "percentunit",
		q("protocol", "sum("+rate(peer.MetricReceived, is("kind", "protocol"))+") / sum("+rate(peer.MetricReceived, payload)+")"),
		q("wasted", "sum("+rate(peer.MetricWasted)+") / sum("+rate(peer.MetricReceived, payload)+")"))

	b.row("Health")
	b.series(8, "Announces of the peers", "By result, as the peers count them.", "reqps", q("{{result}}", "sum by (result) ("+rate(peer.MetricAnnounces)+")"))
	b.series(8, "Corrupt pieces and bans", "Pieces that did not match their hash, and remotes banned for it.", "cps",
		q("corrupt pieces", "sum("+rate(peer.MetricPiecesVerified, is("result", "corrupt"))+")"), q("bans", "sum("+rate(peer.MetricBans)+")"))
	b.series(8, "Connections closed", "By reason; timeouts and refusals point to the network, too_many to limits.", "cps",
		q("{{reason}}", "sum by (reason) ("+rate(peer.MetricConnectionsClosed)+")"))
	b.series(8, "Swarms", "As the trackers know them.", "short",
		q("swarms", "sum("+sel(tracker.MetricSwarms)+")"), q("without a seeder", "sum("+sel(tracker.MetricSwarmsWithoutSeeders)+")"))
	b.series(8, "Peers listed", "By role, as the trackers know them: also those that are not scraped.", "short", q("{{role}}", "sum by (role) ("+sel(tracker.MetricPeers)+")"))
	b.series(8, "Versions", "Processes by build.", "short", q("{{version}} {{revision}}", "count by (version, revision) ("+sel(metricBuildInfo)+")"))

	b.row("As hosts report")
	b.series(8, "Hosts", "That told the trackers how they do, and of them those that have all that they want; also those that Prometheus does not reach.", "short",
		q("hosts", "sum("+sel(tracker.MetricHosts)+")"), q("done", "sum("+sel(tracker.MetricHostsDone)+")"))
	b.series(8, "Reports", "That came with announces, by result.", "reqps", q("{{result}}", "sum by (result) ("+rate(tracker.MetricReports)+")"))
	b.series(8, "Silent longest", "Since the report of the host that has been silent longest and has not left.", "s", q("{{instance}}", sel(tracker.MetricReportAge)))
	return b
}

// shareQuery is the fleet's share from peers, of what the variables choose.
var shareQuery = "(sum(" + sel(recRelayed) + ") or vector(0)) / sum(" + sel(recReceived) + ")"
