package tracker

import (
	"bytes"
	"errors"
	"io/fs"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/gorilla/mux"

	"starling/metainfo"
	"starling/tracker/fleet"
	"starling/tracker/swarm"
)

// listed is a torrent in the list at /api/v1/torrents.
type listed struct {
	Name       string `json:"name"`
	InfoHash   string `json:"infohash"`
	InfoHashV2 string `json:"infohash_v2,omitempty"`
	Size       int64  `json:"size"`
	Pieces     int    `json:"pieces"`
	Complete   int    `json:"complete"`
	Incomplete int    `json:"incomplete"`
	Downloaded uint32 `json:"downloaded"`
	Path       string `json:"path"`
}

// list returns all torrents by name.
func (t *Torrents) list() []listed {
	t.mu.Lock()
	out := make([]listed, 0, len(t.byName))
	all := make([]*torrent, 0, len(t.byName))
	for _, e := range t.byName {
		all = append(all, e)
	}
	t.mu.Unlock()
	slices.SortFunc(all, func(a, b *torrent) int { return fleet.CompareNames(a.name, b.name) })
	for _, e := range all {
		// Most peers of a hybrid are in both of its swarms.
		var c swarm.Counts
		for _, h := range e.hashes() {
			one, _ := t.shards.scrape(h)
			c.Complete, c.Incomplete = max(c.Complete, one.Complete), max(c.Incomplete, one.Incomplete)
			c.Downloaded = max(c.Downloaded, one.Downloaded)
		}
		l := listed{
			Name: e.name, InfoHash: e.hash.String(), Size: e.size, Pieces: e.pieces, Complete: c.Complete,
			Incomplete: c.Incomplete, Downloaded: c.Downloaded, Path: TorrentURLPath(e.name),
		}
		if e.v2 != (metainfo.HashV2{}) {
			l.InfoHashV2 = e.v2.String()
		}
		out = append(out, l)
	}
	return out
}

func (s *Server) serveTorrentList(w http.ResponseWriter, _ *http.Request) {
	sendJSON(w, s.torrents.list())
}

// torrentTimeout is for a whole torrent file, which may be 64 MiB, to a client.
const torrentTimeout = 2 * time.Minute

func (s *Server) serveTorrent(w http.ResponseWriter, r *http.Request) {
	name, err := url.PathUnescape(mux.Vars(r)["name"])
	if err != nil {
		http.NotFound(w, r)
		return
	}
	raw, since, err := s.torrents.get(name)
	if errors.Is(err, fs.ErrNotExist) && s.lookAgain() {
		raw, since, err = s.torrents.get(name)
	}
	if err != nil {
		http.NotFound(w, r)
		return
	}
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(torrentTimeout))
	w.Header().Set("Content-Type", "application/x-bittorrent")
	http.ServeContent(w, r, "", since, bytes.NewReader(raw))
}
