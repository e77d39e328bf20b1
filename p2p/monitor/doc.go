// Package monitor watches the messages of a fleet over the framework itself:
// every node forwards copies of its records to one node, which counts, filters
// and passes them on; and two message logs can be compared.
//
// # The model
//
//	Node ─Tap─▶ Forwarder ══ COPY, in envelopes ══▶ Monitor ─▶ sink, Stats
//	                                                   ▲
//	                        anybody ══════ STAT ═══════╯
//
// A [Forwarder] is a p2p.Tap. It gathers records for a tenth of a second and
// sends them as a batch, in the very lines of p2p.TapLog: what a monitor prints
// is a message log. A batch is acknowledged, and is sent again on the next
// connection if it was not; the [Monitor] knows it by its number. So each record
// arrives once, or is counted as lost: a full queue drops its oldest records, and
// the next batch says how many. The records seen plus those lost are what the
// taps saw, as long as the monitor itself does not restart.
//
// A message that passes between two watched nodes comes twice, as sent and as
// received. The counts keep the two apart.
//
// [Compare] reads two logs side by side and says where they differ: for each
// directed pair of peers, the first message that is not the same. Times do not
// count. So the log of a simulated run can be held against that of a real one.
//
// # Who calls it
//
// Whoever runs nodes: the simulator's fleet on simulated hosts, cmd/starling on
// TCP. Forwarder and Monitor belong to their node's goroutine, like all
// handlers; where taps run on other goroutines, the caller brings the records
// over.
//
// # What it does not do
//
// It opens no socket and no file, keeps no records, and asks nobody for a
// password: who may reach the monitor's port may fill it, within its bounds.
package monitor
