package tracker

// The metrics' names, for those who ask for them: dashboards and rules are made
// from these.
const (
	MetricAnnounces            = "starling_tracker_announces_total"
	MetricAnnounceDuration     = "starling_tracker_announce_duration_seconds"
	MetricConfigReloadOK       = "starling_tracker_config_last_reload_successful"
	MetricConfigReloadTime     = "starling_tracker_config_last_reload_success_timestamp_seconds"
	MetricConnections          = "starling_tracker_connections"
	MetricConnectionsRefused   = "starling_tracker_connections_refused_total"
	MetricPeers                = "starling_tracker_peers"
	MetricPeersSelected        = "starling_tracker_peers_selected_total"
	MetricScrapes              = "starling_tracker_scrapes_total"
	MetricSnapshots            = "starling_tracker_snapshots_total"
	MetricSwarms               = "starling_tracker_swarms"
	MetricSwarmsWithoutSeeders = "starling_tracker_swarms_without_seeders"
	MetricUDPPackets           = "starling_tracker_udp_packets_total"
	MetricUDPRepliesUnsent     = "starling_tracker_udp_replies_unsent_total"
)
