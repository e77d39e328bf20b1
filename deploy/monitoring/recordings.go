package monitoring

import (
	"starling/peer"
	"starling/tracker"
)

// Names of recorded series. rate is over Timing.Window, 5 minutes in the committed
// rules.
const (
	recReceived    = "instance:starling_peer_payload_received_bytes:rate"
	recSent        = "instance:starling_peer_payload_sent_bytes:rate"
	recRelayed     = "instance:starling_peer_payload_relayed_bytes:rate"
	recShare       = "job:starling_peer_share:ratio"
	recFailures    = "instance:starling_tracker_announce_failures:ratio"
	recLatency     = "instance:starling_tracker_announce_duration_seconds:p99"
	recPeerErrors  = "job:starling_peer_announce_errors:ratio"
	recDiskSeconds = "instance_op:starling_peer_disk_operation_duration_seconds:mean"
)

func recordings(t Timing) []Rule {
	w := t.window()
	// An alert on them says of the process what the scrape configuration does.
	const each = "without (event, result) "
	rateOf := func(metric, matchers string) string { return "rate(" + metric + matchers + w + ")" }
	payload := `{kind="payload"}`
	list := []struct{ name, expr string }{
		{recReceived, "sum without (kind) (" + rateOf(peer.MetricReceived, payload) + ")"},
		{recSent, "sum without (kind) (" + rateOf(peer.MetricSent, payload) + ")"},
		// What hosts send that had to fetch it themselves: those that never
		// received anything are first seeds, and web seeds are no peers.
		{recRelayed, recSent + "\nand (sum without (kind) (" + peer.MetricReceived + payload + ") > 0)"},
		{recShare, "(sum by (job) (" + recRelayed + ") or 0 * sum by (job) (" + recReceived + "))\n/ sum by (job) (" + recReceived + ")"},
		{recFailures, "sum " + each + "(" + rateOf(tracker.MetricAnnounces, `{result!="ok"}`) + ")\n/ sum " + each + "(" + rateOf(tracker.MetricAnnounces, "") + ")"},
		{recLatency, "histogram_quantile(0.99, " + rateOf(tracker.MetricAnnounceDuration+"_bucket", "") + ")"},
		{recPeerErrors, "sum by (job) (" + rateOf(peer.MetricAnnounces, `{result="error"}`) + ")\n/ sum by (job) (" + rateOf(peer.MetricAnnounces, "") + ")"},
		{recDiskSeconds, rateOf(peer.MetricDiskDuration+"_sum", "") + "\n/ " + rateOf(peer.MetricDiskDuration+"_count", "")},
	}
	var rules []Rule
	for _, r := range list {
		rules = append(rules, Rule{Record: r.name, Expr: r.expr, Measured: []string{r.expr}})
	}
	return rules
}
