package monitoring

import "starling/tracker"

func trackerBoard() *board {
	b := newBoard(trackerUID, "Starling / Tracker", "What the trackers are asked, how fast they answer, and what they know.", tracker.MetricSwarms)

	b.row("Now")
	b.stat(4, "Announces", "Answered a second, over HTTP and UDP.", "reqps", "sum("+rate(tracker.MetricAnnounces)+")")
	b.stat(4, "Refused", "The part of the announces that was not answered with peers: invalid, unregistered, too often, or the tracker is full.", "percentunit",
		"sum("+rate(tracker.MetricAnnounces, `result!="ok"`)+") / sum("+rate(tracker.MetricAnnounces)+")").warn(limitRefused/5, limitRefused)
	b.stat(4, "Announce p99", "99 of 100 announces are answered within this time, in memory: the network is not in it.", "s",
		quantile("0.99", tracker.MetricAnnounceDuration, "")).warn(limitAnnounceLatency/10, limitAnnounceLatency)
	b.stat(4, "Swarms", "Infohashes known.", "short", "sum("+sel(tracker.MetricSwarms)+")")
	b.stat(4, "Without a seeder", "Swarms in which somebody downloads and nobody has everything.", "short", "sum("+sel(tracker.MetricSwarmsWithoutSeeders)+")").warn(1, 5)
	b.stat(4, "Peers", "Seeders and leechers of all swarms.", "short", "sum("+sel(tracker.MetricPeers)+")")

	b.row("Announces")
	b.series(8, "By event", "started and completed tell of new hosts and of hosts that have everything; none is the regular announce.", "reqps",
		q("{{event}}", "sum by (event) ("+rate(tracker.MetricAnnounces)+")"))
	b.series(8, "Refused by result", "invalid: not an announce. unregistered: not in the whitelist. too_often: more than one a second. full: a limit is reached.", "reqps",
		q("{{result}}", "sum by (result) ("+rate(tracker.MetricAnnounces, `result!="ok"`)+")"))
	latency := b.series(8, "Latency", "From the whole request to the whole reply in memory. A dot is an announce that took 5 ms or more, with its event and result, if Prometheus keeps exemplars. The line is where the alert begins.", "s",
		q("p50", quantile("0.5", tracker.MetricAnnounceDuration, "")),
		q("p90", quantile("0.9", tracker.MetricAnnounceDuration, "")),
		q("p99", quantile("0.99", tracker.MetricAnnounceDuration, "")))
	latency.Targets[2].Exemplar = true
	latency.limit(limitAnnounceLatency)
	b.heat(12, "Latency, all of it", "How many announces a second took how long.", "s", "sum by (le) ("+rate(tracker.MetricAnnounceDuration+"_bucket")+")")
	b.series(6, "Peers given out", "Addresses in announce replies.", "cps", q("peers", "sum("+rate(tracker.MetricPeersSelected)+")"))
	b.series(6, "Scrapes", "By result.", "reqps", q("{{result}}", "sum by (result) ("+rate(tracker.MetricScrapes)+")"))

	b.row("Swarms")
	b.series(12, "Swarms", "Known, and of them those without a seeder.", "short",
		q("swarms", "sum("+sel(tracker.MetricSwarms)+")"), q("without a seeder", "sum("+sel(tracker.MetricSwarmsWithoutSeeders)+")"))
	b.series(12, "Peers by role", "A seeder has everything.", "short", q("{{role}}", "sum by (role) ("+sel(tracker.MetricPeers)+")")).stack()

	b.row("Network")
	b.series(8, "UDP packets", "Received, by kind; bad_id and malformed get no reply.", "pps", q("{{kind}}", "sum by (kind) ("+rate(tracker.MetricUDPPackets)+")"))
	b.series(8, "Connections", "Open at the public listener.", "short", q("{{instance}}", sel(tracker.MetricConnections)))
	b.series(8, "Turned away", "Connections closed at once because too many were open, and UDP replies that the system did not take.", "cps",
		q("connections", "sum("+rate(tracker.MetricConnectionsRefused)+")"), q("UDP replies", "sum("+rate(tracker.MetricUDPRepliesUnsent)+")"))

	b.row("Process")
	b.series(6, "Snapshots", "Of the swarms, written to disk, by result.", "cps", q("{{result}}", "sum by (result) ("+rate(tracker.MetricSnapshots)+")"))
	b.series(6, "Configuration", "1: taken when it was last read. 0: refused, and the one before is in force.", "bool_yes_no", q("{{instance}}", sel(tracker.MetricConfigReloadOK)))
	b.series(6, "CPU", "Seconds of CPU a second: 1 is one processor.", "short", q("{{instance}}", b.ours(rate(metricCPU))))
	b.series(6, "Memory", "Resident.", "bytes", q("{{instance}}", b.ours(sel(metricMemory))))
	b.stat(6, "Configuration age", "Since a configuration was last read and taken.", "s", "max(time() - "+sel(tracker.MetricConfigReloadTime)+")")
	b.stat(6, "Descriptors", "Open files and sockets, of those that the system allows; of the tracker that is nearest to its limit.", "percentunit",
		"max("+b.ours(sel(metricDescriptors)+" / "+sel(metricMaxDescriptors))+")").warn(0.7, 0.9)
	b.stat(6, "Goroutines", "Of the busiest tracker.", "short", "max("+b.ours(sel(metricGoroutines))+")")
	b.stat(6, "Builds", "Different builds of the tracker that run.", "short", "count(count by (version, revision) ("+b.ours(sel(metricBuildInfo))+"))").warn(2, 3)
	return b
}
