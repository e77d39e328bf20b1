package monitoring

import "starling/peer"

// perHost names the labels that tell hosts apart: node is what a peer calls itself,
// where the scrape configuration kept it.
const perHost = "by (instance, node)"

func rolloutBoard() *board {
	b := newBoard(rolloutUID, "Starling / Rollout", "One rollout: how far every host is, when it ends, and who holds it up. Choose its hosts by job and instance, or by a label of theirs with Filters (--node-label of the peers).", peer.MetricTorrents)
	size, done := sel(peer.MetricTorrentSize), sel(peer.MetricTorrentDone)
	ratio := "sum " + perHost + " (" + done + ") / sum " + perHost + " (" + size + ")"
	left := "(sum(" + size + ") - sum(" + done + "))"

	b.row("Now")
	b.stat(4, "Done", "Verified bytes over wanted bytes, of all hosts.", "percentunit", "sum("+done+") / sum("+size+")").whole()
	b.stat(4, "Hosts", "That take part, seeds too.", "short", "count("+size+")")
	// While it looks at what it has on its disk a host has no size, and is not done.
	b.stat(4, "Hosts done", "That have everything.", "short", "sum(("+done+" == bool "+size+") * ("+size+" > bool 0))")
	b.stat(4, "Time left", "What is missing over the rate of now. Stragglers may take longer.", "s", left+" / clamp_min(sum("+sel(peer.MetricDownloadRate)+"), 1)")
	b.stat(4, "Rate", "Payload received by all hosts.", "binBps", "sum("+sel(peer.MetricDownloadRate)+")")
	b.stat(4, "Not moving", "Hosts whose torrent is stalled or in error.", "short", "sum("+sel(peer.MetricTorrents, `state=~"stalled|error"`)+")").warn(1, 5)

	b.row("Progress")
	b.series(12, "Done, all hosts", "Verified bytes over wanted bytes.", "percentunit",
		q("all", "sum("+done+") / sum("+size+")"), q("slowest host", "min("+ratio+")"), q("median host", "quantile(0.5, "+ratio+")")).whole()
	b.series(12, "Hosts by state", "Hosts become seeding as they finish.", "short", q("{{state}}", "sum by (state) ("+sel(peer.MetricTorrents)+")")).stack()
	b.bars(12, "Furthest behind", "The 20 hosts with the least.", "percentunit", "bottomk(20, "+ratio+")")
	b.hostTable(12, ratio)

	b.row("Who carries it")
	b.series(12, "Share from peers", "Of the payload received in the last 5 minutes, the part that hosts sent that had to fetch it themselves. The line is where the alert begins.", "percentunit", q("share", shareQuery)).whole().limitBelow(limitPeerShare)
	b.series(12, "Strongest senders", "The 10 hosts that send most payload.", "binBps",
		q("{{node}} {{instance}}", "topk(10, sum "+perHost+" ("+rate(peer.MetricSent, is("kind", "payload"))+"))"))

	b.row("What holds it up")
	b.series(8, "Longest without progress", "The 10 hosts that are not done whose last verified piece is oldest; 0 of those that are.", "s",
		q("{{node}} {{instance}}", "topk(10, "+waiting()+")"))
	b.series(8, "Kept waiting", "Remotes that have what is lacked, and remotes that let us download. Where the second is far below the first, hosts wait for upload slots.", "short",
		q("interesting", "sum("+sel(peer.MetricRemotes, is("relation", "interesting_to_us"))+")"), q("unchoking us", "sum("+sel(peer.MetricRemotes, is("relation", "unchoking_us"))+")"))
	b.series(8, "Slow disks", "Mean time of a write of a piece, the 10 slowest hosts. The line is where the alert begins.", "s",
		q("{{node}} {{instance}}", "topk(10, sum "+perHost+" ("+rate(peer.MetricDiskDuration+"_sum", is("op", "write"))+") / sum "+perHost+" ("+rate(peer.MetricDiskDuration+"_count", is("op", "write"))+"))")).limit(limitDisk)
	return b
}

// bars adds one bar for each series.
func (b *board) bars(w int, title, description, unit, expr string) {
	p := b.add("bargauge", w, 2*graphHeight, title, description, unit, []Target{{Expr: expr, LegendFormat: "{{node}} {{instance}}", Instant: true}})
	p.whole()
	p.FieldConfig.Defaults.Color = map[string]any{"mode": "continuous-RdYlGr"}
	p.FieldConfig.Defaults.Links = []dataLink{peerLink("${__field.labels.instance}")}
	p.Options = map[string]any{
		"displayMode": "basic", "minVizHeight": 10, "maxVizHeight": 300, "minVizWidth": 0, "orientation": "horizontal",
		"namePlacement": "auto", "showUnfilled": true, "sizing": "auto", "valueMode": "color", "reduceOptions": reduce(),
		"legend": map[string]any{"calcs": []string{}, "displayMode": "list", "placement": "bottom", "showLegend": false},
	}
}
