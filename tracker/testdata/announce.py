# Announces one torrent to one tracker with libtorrent and prints a line for each
# answer: "reply NUMBER-OF-PEERS" or "error TEXT". "stop" on stdin says stopped.
import select
import sys
import libtorrent as lt

url, infohash, listen = sys.argv[1:]
session = lt.session({
    "listen_interfaces": listen,
    "alert_mask": lt.alert.category_t.all_categories,
    "enable_dht": False, "enable_lsd": False, "enable_upnp": False, "enable_natpmp": False,
    "stop_tracker_timeout": 5,
})
params = lt.add_torrent_params()
params.info_hash = lt.sha1_hash(bytes.fromhex(infohash))
params.trackers = [url]
params.save_path = "."
torrent = session.add_torrent(params)
stopping = False
while True:
    session.wait_for_alert(100)
    for alert in session.pop_alerts():
        if isinstance(alert, lt.tracker_reply_alert):
            print("reply", alert.num_peers, flush=True)
            if stopping:
                sys.exit()
        elif isinstance(alert, lt.tracker_error_alert):
            print("error", alert.message(), flush=True)
    if not stopping and select.select([sys.stdin], [], [], 0)[0]:
        stopping = True
        torrent.pause()
