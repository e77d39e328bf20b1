package monitoring

import "starling/peer"

func peerBoard() *board {
	b := newBoard(peerUID, "Starling / Peer", "One peer, or some of them added up: rates, choking, what is available, and the disk.", peer.MetricTorrents)
	payload := is("kind", "payload")

	b.row("Now")
	done := b.stat(4, "Done", "Verified bytes over wanted bytes.", "percentunit", "sum("+sel(peer.MetricTorrentDone)+") / sum("+sel(peer.MetricTorrentSize)+")")
	done.whole()
	b.stat(4, "Download", "Payload, by the estimator that the choker uses.", "binBps", "sum("+sel(peer.MetricDownloadRate)+")")
	b.stat(4, "Upload", "Payload, by the estimator that the choker uses.", "binBps", "sum("+sel(peer.MetricUploadRate)+")")
	b.stat(4, "Connections", "Open, made by us or by others.", "short", "sum("+sel(peer.MetricConnections)+")")
	b.stat(4, "Without progress", "Since a piece was last verified, of the peer that is not done and waits longest; 0 where all are done.", "s", "max("+waiting()+")")
	b.stat(4, "Missing pieces", "That are lacked and that no remote has: nobody can finish before they come.", "short", "sum("+sel(peer.MetricPiecesMissing)+")").warn(1, 100)

	b.row("Rates")
	b.series(8, "Payload", "Content received and sent.", "binBps",
		q("received {{instance}}", "sum by (instance) ("+rate(peer.MetricReceived, payload)+")"), q("sent {{instance}}", "sum by (instance) ("+rate(peer.MetricSent, payload)+")"))
	b.series(8, "Protocol", "Everything else on the same connections.", "binBps",
		q("received", "sum("+rate(peer.MetricReceived, is("kind", "protocol"))+")"), q("sent", "sum("+rate(peer.MetricSent, is("kind", "protocol"))+")"))
	b.series(8, "Received in vain", "corrupt: thrown away after its hash. duplicate: came twice, mostly at the end. unrequested: nobody asked.", "binBps",
		q("{{reason}}", "sum by (reason) ("+rate(peer.MetricWasted)+")"))
	b.series(8, "Pieces verified", "By verdict.", "cps", q("{{result}}", "sum by (result) ("+rate(peer.MetricPiecesVerified)+")"))
	b.series(8, "Time of a piece", "From its first request to its verdict.", "s",
		q("p50", quantile("0.5", peer.MetricPieceDuration, "")), q("p99", quantile("0.99", peer.MetricPieceDuration, "")))
	b.heat(8, "Request queue", "Requests outstanding at a remote when one more was sent: long where the way is long and wide.", "short",
		"sum by (le) ("+rate(peer.MetricRequestQueueDepth+"_bucket")+")")

	b.row("Choking")
	b.series(8, "Changes", "Who may download from us, changed: regular rounds and optimistic tries.", "cps", q("{{action}}", "sum by (action) ("+rate(peer.MetricChokeChanges)+")"))
	b.series(8, "Slots in use", "Remotes that we serve, by kind of slot.", "short", q("{{kind}}", "sum by (kind) ("+sel(peer.MetricUnchokeSlots)+")")).stack()
	b.series(8, "Remotes", "By their relation to us. Interesting and not unchoking us: they keep us waiting.", "short", q("{{relation}}", "sum by (relation) ("+sel(peer.MetricRemotes)+")"))

	b.row("Availability")
	b.series(8, "Copies of the rarest piece", "How many remotes have the rarest piece that is lacked; 0 also where nothing is lacked.", "short", q("{{instance}}", sel(peer.MetricAvailability)))
	b.series(8, "Pieces that nobody has", "Lacked here and at all remotes.", "short", q("{{instance}}", sel(peer.MetricPiecesMissing)))
	b.series(8, "Connections", "By who made them.", "short", q("{{direction}}", "sum by (direction) ("+sel(peer.MetricConnections)+")")).stack()
	b.series(8, "Connections closed", "By reason.", "cps", q("{{reason}}", "sum by (reason) ("+rate(peer.MetricConnectionsClosed)+")"))
	b.series(8, "Bans", "Remotes banned, by reason.", "cps", q("{{reason}}", "sum by (reason) ("+rate(peer.MetricBans)+")"))
	b.series(8, "Announces", "To trackers, by result.", "reqps", q("{{result}}", "sum by (result) ("+rate(peer.MetricAnnounces)+")"))

	b.row("Disk")
	b.series(8, "Slow operations", "99 of 100 take less, by operation; write includes the hash of a piece.", "s", q("{{op}}", quantile("0.99", peer.MetricDiskDuration, "op")))
	b.series(8, "Operations", "By kind.", "iops", q("{{op}}", "sum by (op) ("+rate(peer.MetricDiskDuration+"_count")+")"))
	b.series(8, "Time in the disk", "Seconds a second, by operation. A peer has two workers for its disk: near 2 of read, write and hash, the disk is the bound.", "short",
		q("{{op}}", "sum by (op) ("+rate(peer.MetricDiskDuration+"_sum")+")")).stack()
	b.series(12, "Wrong on the disk", "Pieces that were verified once and are wrong on this host's disk: served to nobody until they are right.", "short", q("{{instance}}", sel(peer.MetricPiecesBad)))
	b.series(12, "Read again", "Pieces of complete content that were held against their hash once more, by verdict.", "cps", q("{{result}}", "sum by (result) ("+rate(peer.MetricScrubbed)+")"))

	b.row("Process")
	b.series(6, "CPU", "Seconds of CPU a second: 1 is one processor.", "short", q("{{instance}}", b.ours(rate(metricCPU))))
	b.series(6, "Memory", "Resident.", "bytes", q("{{instance}}", b.ours(sel(metricMemory))))
	b.series(6, "Configuration", "1: taken when it was last read. 0: refused, and the one before is in force.", "bool_yes_no", q("{{instance}}", sel(peer.MetricConfigReloadOK)))
	b.stat(6, "Configuration age", "Since a configuration was last read and taken, of the peer with the oldest.", "s", "max(time() - "+sel(peer.MetricConfigReloadTime)+")")
	return b
}

// waiting is for how long each peer that is not done has verified nothing.
func waiting() string {
	return "(time() - " + sel(peer.MetricLastProgress) + ") * (" + sel(peer.MetricTorrentDone) + " < bool " + sel(peer.MetricTorrentSize) + ")"
}
