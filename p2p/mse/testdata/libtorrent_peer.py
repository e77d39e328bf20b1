"""A libtorrent seed for the tests of package mse.

Usage: libtorrent_peer.py FILE.torrent DIRECTORY

It answers each command on standard input with one line, and ends with its input:

  level N PREFER_RC4   allow the methods N (1 plaintext, 2 RC4, 3 both)
  connect PORT         dial that port of 127.0.0.1
  peers                how the payload of each connection travels
"""

import sys
import time

import libtorrent as lt


def settings():
    return {
        "listen_interfaces": "127.0.0.1:0",
        "enable_dht": False,
        "enable_lsd": False,
        "enable_upnp": False,
        "enable_natpmp": False,
        "enable_incoming_utp": False,
        "enable_outgoing_utp": False,
        "allow_multiple_connections_per_ip": True,
        "in_enc_policy": 0,  # forced
        "out_enc_policy": 0,  # forced
    }


def methods(torrent):
    found = []
    for peer in torrent.get_peer_info():
        if peer.flags & peer.rc4_encrypted:
            found.append("rc4")
        elif peer.flags & peer.plaintext_encrypted:
            found.append("plaintext")
        else:
            found.append("none")
    return " ".join(found)


def main():
    session = lt.session(settings())
    torrent = session.add_torrent({"ti": lt.torrent_info(sys.argv[1]), "save_path": sys.argv[2]})
    while not torrent.status().is_seeding or not session.listen_port():
        time.sleep(0.01)
    print(lt.version, session.listen_port(), flush=True)
    for line in sys.stdin:
        command, *args = line.split()
        answer = "ok"
        if command == "level":
            session.apply_settings({"allowed_enc_level": int(args[0]), "prefer_rc4": args[1] == "true"})
        elif command == "connect":
            torrent.connect_peer(("127.0.0.1", int(args[0])))
        elif command == "peers":
            answer = methods(torrent)
        print(answer, flush=True)


main()
