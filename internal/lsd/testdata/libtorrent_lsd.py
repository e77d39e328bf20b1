"""A libtorrent session with local service discovery only.

usage: libtorrent_lsd.py INFOHASH LISTEN

It has one torrent and connects to whom it finds, until its standard input ends.
"""

import select
import sys

import libtorrent as lt


def main():
    infohash, listen = sys.argv[1:]
    session = lt.session({
        "listen_interfaces": listen,
        "enable_lsd": True,
        "enable_dht": False,
        "enable_upnp": False,
        "enable_natpmp": False,
        "enable_outgoing_utp": False,
        "enable_incoming_utp": False,
        "allow_multiple_connections_per_ip": True,
        "out_enc_policy": 2,  # no encryption
        "in_enc_policy": 2,
    })
    params = lt.parse_magnet_uri("magnet:?xt=urn:btih:" + infohash)
    params.save_path = "."
    session.add_torrent(params)
    select.select([sys.stdin], [], [])


main()
