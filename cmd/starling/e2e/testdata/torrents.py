# Makes, shows and checks torrents with libtorrent. One JSON document a line.
#
#   torrents.py make (KIND PIECE_LENGTH SOURCE OUTPUT)...
#   torrents.py show TORRENT...
#   torrents.py check (TORRENT DIRECTORY)...
#   torrents.py magnet LINK...
#   torrents.py link TORRENT...
#   torrents.py count TORRENT
import json
import os
import sys
import time

import libtorrent as lt

PAD, HIDDEN, EXEC, SYMLINK = 1, 2, 4, 8


def make(kind, piece, source, output):
    c = lt.create_torrent
    flags = {"v1": c.v1_only, "v2": c.v2_only, "hybrid": 0, "links": 0}[kind]
    if kind == "links":
        flags = int(flags) | int(c.symlinks)
    elif kind != "v1":
        flags = int(flags) | int(c.canonical_files_no_tail_padding)
    fs = lt.file_storage()
    lt.add_files(fs, source, flags=int(flags))
    t = c(fs, int(piece), int(flags))
    t.add_tracker("http://127.0.0.1:1/a", 0)
    t.add_tracker("udp://127.0.0.1:1", 1)
    t.add_url_seed("http://127.0.0.1:1/w/")
    t.set_comment("a cömment")
    t.set_creator("libtorrent")
    lt.set_piece_hashes(t, os.path.dirname(os.path.abspath(source)))
    with open(output, "wb") as f:
        f.write(lt.bencode(t.generate()))


def show(path):
    t = lt.torrent_info(path)
    fs = t.files()
    files, pads = [], 0
    for i in range(fs.num_files()):
        flags = int(fs.file_flags(i))
        if flags & PAD:
            pads += 1
            continue
        root = str(fs.root(i))
        files.append({
            "path": fs.file_path(i), "length": fs.file_size(i), "exec": bool(flags & EXEC),
            "hidden": bool(flags & HIDDEN), "symlink": fs.symlink(i) if flags & SYMLINK else "",
            "pieces_root": "" if root == "0" * 64 else root,
        })
    h = t.info_hashes()
    tiers = {}
    for tr in t.trackers():
        tiers.setdefault(tr.tier, []).append(tr.url)
    return {
        "valid": t.is_valid(), "name": t.name(), "v1": str(h.v1) if h.has_v1() else "",
        "v2": str(h.v2) if h.has_v2() else "", "piece_size": t.piece_length(), "pieces": t.num_pieces(),
        "private": t.priv(), "trackers": [tiers[k] for k in sorted(tiers)],
        "webseeds": [w["url"] for w in t.web_seeds()], "comment": t.comment(), "created_by": t.creator(),
        "files": files, "padded": pads > 0,
    }


def check(pairs):
    s = lt.session({
        "listen_interfaces": "127.0.0.1:0", "enable_dht": False, "enable_lsd": False, "enable_upnp": False,
        "enable_natpmp": False, "alert_mask": 0, "stop_tracker_timeout": 0,
        "active_checking": 100, "active_limit": -1, "active_downloads": -1, "active_seeds": -1, "tick_interval": 100,
    })
    handles = []
    for torrent, directory in pairs:
        p = lt.add_torrent_params()
        p.ti = lt.torrent_info(torrent)
        p.save_path = directory
        h = s.add_torrent(p)
        h.replace_trackers([])
        handles.append(h)
    late = time.monotonic() + 60
    for h in handles:
        while True:
            st = h.status()
            checked = st.state in (lt.torrent_status.downloading, lt.torrent_status.finished, lt.torrent_status.seeding)
            if checked or st.errc.value() or time.monotonic() > late:
                break
            time.sleep(0.01)
        yield {"seeding": st.is_seeding, "pieces": sum(st.pieces), "error": st.errc.message() if st.errc.value() else ""}


def magnet(link):
    p = lt.parse_magnet_uri(link)
    h = p.info_hashes
    return {
        "v1": str(h.v1) if h.has_v1() else "", "v2": str(h.v2) if h.has_v2() else "", "name": p.name,
        "trackers": p.trackers, "webseeds": p.url_seeds, "peers": ["%s %d" % peer for peer in p.peers],
        "selected": [i for i, priority in enumerate(p.file_priorities) if priority],
    }


def count(path):
    fs = lt.torrent_info(path).files()
    return ["" if int(fs.file_flags(i)) & PAD else fs.file_path(i) for i in range(fs.num_files())]


def main(command, *args):
    if command == "make":
        for i in range(0, len(args), 4):
            make(*args[i:i + 4])
    elif command == "show":
        for path in args:
            print(json.dumps(show(path)))
    elif command == "check":
        for doc in check(list(zip(args[::2], args[1::2]))):
            print(json.dumps(doc), flush=True)
        os._exit(0)  # nobody waits for the session to say goodbye
    elif command == "magnet":
        for link in args:
            print(json.dumps(magnet(link)))
    elif command == "link":
        for path in args:
            print(json.dumps(lt.make_magnet_uri(lt.torrent_info(path))))
    elif command == "count":
        print(json.dumps(count(args[0])))
    else:
        sys.exit("unknown command " + command)


main(*sys.argv[1:])
