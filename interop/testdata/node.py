"""One libtorrent session with one torrent, driven by JSON lines.

usage: node.py CONFIG

CONFIG is a JSON object: ip, port, pex, encrypted, up_limit, fingerprint, waits. Each
line of the standard input is a command, {"op": "add" | "state" | "alerts" | "quit", ...}; each
line of the standard output is its answer, {"ok": ...} or {"error": ...}. The end of
the input ends the node.
"""

import json
import sys

import libtorrent as lt


def session(config):
    forced, enabled = 0, 1
    policy = forced if config["encrypted"] else enabled
    s = lt.session({
        "user_agent": "libtorrent/" + lt.__version__,
        "listen_interfaces": "%s:%d" % (config["ip"], config["port"]),
        "outgoing_interfaces": config["ip"],
        "enable_dht": False,
        "enable_lsd": False,
        "enable_upnp": False,
        "enable_natpmp": False,
        "enable_outgoing_utp": False,
        "enable_incoming_utp": False,
        "in_enc_policy": policy,
        "out_enc_policy": policy,
        "allowed_enc_level": 2 if config["encrypted"] else 3,
        "prefer_rc4": config["encrypted"],
        "upload_rate_limit": config["up_limit"],
        "ignore_limits_on_local_network": False,
        "min_announce_interval": 1,
        "min_reconnect_time": 2,
        "ssrf_mitigation": False,
        "alert_mask": lt.alert.category_t.error_notification
        | lt.alert.category_t.tracker_notification
        | lt.alert.category_t.peer_notification
        | lt.alert.category_t.status_notification,
    })
    if config["fingerprint"]:
        s.apply_settings({"peer_fingerprint": config["fingerprint"]})
    if config["waits"]:
        s.apply_settings({"connection_speed": 0})
    if config["up_limit"]:
        # Local addresses are of a class without limits: put all into the global one.
        everybody = lt.ip_filter()
        everybody.add_rule("0.0.0.0", "255.255.255.255", 1 << lt.session.global_peer_class_id)
        s.set_peer_class_filter(everybody)
    return s


class Node:
    def __init__(self, config):
        self.config = config
        self.session = session(config)
        self.handle = None
        self.said = []

    def add(self, command):
        if command.get("magnet"):
            p = lt.parse_magnet_uri(command["magnet"])
        else:
            p = lt.add_torrent_params()
            p.ti = lt.torrent_info(command["torrent"])
        p.save_path = command["dir"]
        flags = lt.torrent_flags
        p.flags &= ~(flags.paused | flags.auto_managed | flags.duplicate_is_error)
        if not self.config["pex"]:
            p.flags |= flags.disable_pex
        p.flags |= flags.disable_dht | flags.disable_lsd
        self.handle = self.session.add_torrent(p)
        for peer in command.get("peers") or []:
            ip, port = peer.rsplit(":", 1)
            self.handle.connect_peer((ip, int(port)))
        return True

    def state(self, _):
        self.said += [str(a) for a in self.session.pop_alerts()]
        st = self.handle.status()
        peers = []
        for p in self.handle.get_peer_info():
            peers.append({
                "addr": "%s:%d" % p.ip,
                "client": p.client.decode("utf-8", "replace"),
                "down": p.total_download,
                "up": p.total_upload,
                "encrypted": bool(p.flags & p.rc4_encrypted),
            })
        return {
            "complete": st.is_seeding,
            "down": st.total_payload_download,
            "up": st.total_payload_upload,
            "trouble": st.errc.message() if st.errc.value() else str(st.state),
            "peers": peers,
        }

    def alerts(self, _):
        self.said += [str(a) for a in self.session.pop_alerts()]
        return self.said[-60:]


def main():
    node = Node(json.loads(sys.argv[1]))
    for line in iter(sys.stdin.readline, ""):
        command = json.loads(line)
        if command["op"] == "quit":
            break
        try:
            answer = {"ok": getattr(node, command["op"])(command)}
        except Exception as e:  # the test says what went wrong
            answer = {"error": "%s: %s" % (type(e).__name__, e)}
        print(json.dumps(answer), flush=True)


main()
