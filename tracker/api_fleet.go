package tracker

import (
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/gorilla/mux"

	"starling/metainfo"
	"starling/tracker/fleet"
	"starling/tracker/swarm"
)

// addFleet adds the fleet's view in JSON: package fleet says what the answers hold.
func (s *Server) addFleet(get func(path string, h http.HandlerFunc)) {
	get("/api/v1/swarms", s.serveSwarms)
	get("/api/v1/swarms/{hash}", onSwarm(s, func(hash swarm.InfoHash, _ *swarmQuery) (fleet.Swarm, bool) { return s.Swarm(hash) }))
	get("/api/v1/swarms/{hash}/status", onSwarm(s, func(hash swarm.InfoHash, q *swarmQuery) (fleet.Status, bool) {
		return s.Status(hash, q.by, q.Labels)
	}))
	get("/api/v1/swarms/{hash}/hosts", onSwarm(s, func(hash swarm.InfoHash, q *swarmQuery) (fleet.Hosts, bool) {
		return s.Hosts(hash, q.Query)
	}))
	get("/api/v1/swarms/{hash}/edges", onSwarm(s, func(hash swarm.InfoHash, q *swarmQuery) (fleet.Edges, bool) {
		return s.Edges(hash, min(q.Limit, fleet.MaxEdges))
	}))
	get("/api/v1/swarms/{hash}/availability", onSwarm(s, func(hash swarm.InfoHash, _ *swarmQuery) (fleet.Availability, bool) {
		return s.Availability(hash)
	}))
	get("/api/v1/events", s.serveEvents)
}

// swarmQuery is what may be asked of a swarm.
type swarmQuery struct {
	by, name string
	fleet.Query
}

// defaultPage is how many entries an answer has that is not asked for a number.
const defaultPage = 100

// parseSwarmQuery reads a query; text says what is wrong with it.
func parseSwarmQuery(raw string, maxPage int) (q swarmQuery, text string) {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return q, "the query is malformed"
	}
	q.by, q.name, q.Sort, q.Limit = values.Get("by"), values.Get("name"), values.Get("sort"), min(defaultPage, maxPage)
	if q.Sort == "" {
		q.Sort = fleet.Sorts[0]
	}
	if !slices.Contains(fleet.Sorts, q.Sort) {
		return q, "sort is not one of " + strings.Join(fleet.Sorts, ", ")
	}
	for _, n := range []struct {
		key  string
		to   *int
		most int
	}{{"offset", &q.Offset, 1 << 30}, {"limit", &q.Limit, maxPage}} {
		if v := values.Get(n.key); v != "" {
			i, err := strconv.Atoi(v)
			if err != nil || i < 0 {
				return q, n.key + " is not a number"
			}
			*n.to = min(i, n.most)
		}
	}
	for key, v := range values {
		if name, ok := strings.CutPrefix(key, "label."); ok && len(v) > 0 {
			q.Labels = append(q.Labels, fleet.Label{Name: name, Value: v[0]})
		}
	}
	return q, ""
}

// onSwarm answers a request about one swarm.
func onSwarm[T any](s *Server, answer func(hash swarm.InfoHash, q *swarmQuery) (T, bool)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		hash, ok := parseHash(mux.Vars(r)["hash"])
		if !ok {
			plain(w, http.StatusBadRequest, "an infohash has 40 hexadecimal digits\n")
			return
		}
		q, wrong := parseSwarmQuery(r.URL.RawQuery, fleet.MaxHostsPage)
		if wrong != "" {
			plain(w, http.StatusBadRequest, wrong+"\n")
			return
		}
		doc, ok := answer(hash, &q)
		if !ok {
			plain(w, http.StatusNotFound, "no such swarm\n")
			return
		}
		sendFresh(w, doc)
	}
}

// parseHash reads a v1 infohash, or the first 20 bytes of a v2 one, in hexadecimal.
func parseHash(text string) (h swarm.InfoHash, ok bool) {
	if len(text) != 40 && len(text) != 64 {
		return h, false
	}
	b, err := hex.DecodeString(text)
	copy(h[:], b)
	return h, err == nil
}

// sendFresh sends what is another a second later.
func sendFresh(w http.ResponseWriter, v any) {
	w.Header().Set("Cache-Control", "no-store")
	sendJSON(w, v)
}

func (s *Server) serveSwarms(w http.ResponseWriter, r *http.Request) {
	q, wrong := parseSwarmQuery(r.URL.RawQuery, fleet.MaxSwarmsPage)
	if wrong != "" {
		plain(w, http.StatusBadRequest, wrong+"\n")
		return
	}
	if q.name != "" {
		sendFresh(w, s.Named(q.name, q.Offset, q.Limit))
		return
	}
	sendFresh(w, s.Swarms(q.Offset, q.Limit))
}

// Swarms is a page of all swarms, by name. It and the methods below need Config.View,
// and answer with what is at most two seconds old; a hash may be either infohash of a
// hybrid torrent that the tracker serves.
func (s *Server) Swarms(offset, limit int) fleet.Swarms {
	all := s.swarmList()
	from := min(max(offset, 0), len(all))
	page := all[from:min(from+min(max(limit, 0), fleet.MaxSwarmsPage), len(all))]
	return fleet.Swarms{V: 1, Total: len(all), Swarms: append([]fleet.SwarmInfo{}, page...)}
}

// Swarm is one swarm as a whole.
func (s *Server) Swarm(hash swarm.InfoHash) (fleet.Swarm, bool) {
	info, v, ok := s.look(hash)
	if !ok {
		return fleet.Swarm{}, false
	}
	return fleet.Swarm{V: 1, SwarmInfo: info, Groups: v.Status("", nil).Groups}, true
}

// look is a swarm's line and its view.
func (s *Server) look(hash swarm.InfoHash) (info fleet.SwarmInfo, v *fleet.View, ok bool) {
	hash = s.torrents.primary(hash)
	if v, ok = s.viewOf(hash); !ok {
		return info, nil, false
	}
	n := s.torrents.namesOf(hash)
	return s.swarmInfo(&n, hash, v.Summary()), v, true
}

// Status is a swarm in groups by a label, by fleet.ByHost, or in one if by is "".
func (s *Server) Status(hash swarm.InfoHash, by string, labels []fleet.Label) (fleet.Status, bool) {
	hash = s.torrents.primary(hash)
	v, ok := s.viewOf(hash)
	if !ok {
		return fleet.Status{}, false
	}
	st := v.Status(by, labels)
	st.InfoHash, st.Name = metainfo.Hash(hash).String(), s.torrents.namesOf(hash).name
	return st, true
}

// Hosts is a page of a swarm's hosts.
func (s *Server) Hosts(hash swarm.InfoHash, q fleet.Query) (fleet.Hosts, bool) {
	v, ok := s.viewOf(s.torrents.primary(hash))
	if !ok {
		return fleet.Hosts{}, false
	}
	return v.Hosts(q), true
}

// Edges is who gives whom most.
func (s *Server) Edges(hash swarm.InfoHash, limit int) (fleet.Edges, bool) {
	v, ok := s.viewOf(s.torrents.primary(hash))
	if !ok {
		return fleet.Edges{}, false
	}
	return v.Edges(limit), true
}

// Availability is how many copies there are of each part of a swarm's content.
func (s *Server) Availability(hash swarm.InfoHash) (fleet.Availability, bool) {
	v, ok := s.viewOf(s.torrents.primary(hash))
	if !ok {
		return fleet.Availability{}, false
	}
	return v.Availability(), true
}
