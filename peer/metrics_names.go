package peer

// The metrics' names, for those who ask for them: dashboards and rules are made
// from these.
const (
	MetricAnnounces         = "starling_peer_announces_total"
	MetricAvailability      = "starling_peer_availability_copies"
	MetricBans              = "starling_peer_bans_total"
	MetricChokeChanges      = "starling_peer_choke_changes_total"
	MetricConfigReloadOK    = "starling_peer_config_last_reload_successful"
	MetricConfigReloadTime  = "starling_peer_config_last_reload_success_timestamp_seconds"
	MetricConnections       = "starling_peer_connections"
	MetricConnectionsClosed = "starling_peer_connections_closed_total"
	MetricDiskDuration      = "starling_peer_disk_operation_duration_seconds"
	MetricDownloadRate      = "starling_peer_download_rate_bytes_per_second"
	MetricLastProgress      = "starling_peer_last_progress_timestamp_seconds"
	MetricPieceDuration     = "starling_peer_piece_duration_seconds"
	MetricPiecesBad         = "starling_peer_pieces_bad"
	MetricPiecesMissing     = "starling_peer_pieces_missing"
	MetricPiecesVerified    = "starling_peer_pieces_verified_total"
	MetricReceived          = "starling_peer_received_bytes_total"
	MetricRemotes           = "starling_peer_remotes"
	MetricRequestQueueDepth = "starling_peer_request_queue_depth"
	MetricScrubbed          = "starling_peer_scrubbed_pieces_total"
	MetricSent              = "starling_peer_sent_bytes_total"
	MetricTorrentDone       = "starling_peer_torrent_done_bytes"
	MetricTorrentSize       = "starling_peer_torrent_size_bytes"
	MetricTorrents          = "starling_peer_torrents"
	MetricUnchokeSlots      = "starling_peer_unchoke_slots"
	MetricUploadRate        = "starling_peer_upload_rate_bytes_per_second"
	MetricWasted            = "starling_peer_wasted_bytes_total"
)
