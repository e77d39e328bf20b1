package tracker

import (
	"encoding/json"
	"net/http"
	"net/netip"
	"strconv"

	"github.com/gorilla/mux"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"starling/tracker/view"
)

// Handler is the public interface. Serve puts it behind the front; it is complete
// without.
func (s *Server) Handler() http.Handler { return bounded(s.routes()) }

func (s *Server) routes() *mux.Router {
	r := mux.NewRouter()
	r.UseEncodedPath() // a "%2F" in a torrent's name separates nothing
	get := func(path string, h http.HandlerFunc) { r.HandleFunc(path, h).Methods(http.MethodGet, http.MethodHead) }
	r.HandleFunc("/announce", s.serveAnnounce).Methods(http.MethodGet) // a HEAD must list nobody
	r.HandleFunc("/scrape", s.serveScrape).Methods(http.MethodGet)
	get("/torrents/{name}.torrent", s.serveTorrent)
	get("/api/v1/torrents", s.serveTorrentList)
	if s.reports != nil {
		// Where strangers announce, hosts' names and addresses are for the admin
		// listener only.
		get(discoveryPath, s.serveDiscovery)
		s.addFleet(get)
		page := view.New(s)
		for _, path := range []string{"/", "/swarms/{hash}", "/assets/{file}"} {
			get(path, page.ServeHTTP)
		}
	}
	s.addHealth(r)
	return r
}

// AdminHandler is the interface for whoever runs the tracker: metrics, where those of
// the peers are, to which the program may add profiles. It must not be reachable by strangers.
func (s *Server) AdminHandler(metrics prometheus.Gatherer) http.Handler {
	return bounded(s.adminRoutes(metrics))
}

func (s *Server) adminRoutes(metrics prometheus.Gatherer) *mux.Router {
	r := mux.NewRouter()
	r.Handle("/metrics", promhttp.HandlerFor(metrics, promhttp.HandlerOpts{EnableOpenMetrics: true})).Methods(http.MethodGet)
	r.HandleFunc(discoveryPath, s.serveDiscovery).Methods(http.MethodGet)
	s.addHealth(r)
	return r
}

// addHealth adds /healthz, which says that the process answers, and /readyz, which
// says that it wants requests: not before Serve, and not while it stops. They take any
// method: what balances load often asks with OPTIONS.
func (s *Server) addHealth(r *mux.Router) {
	r.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) { plain(w, http.StatusOK, "ok\n") })
	r.HandleFunc("/readyz", func(w http.ResponseWriter, _ *http.Request) {
		if !s.ready.Load() {
			plain(w, http.StatusServiceUnavailable, "not ready\n")
			return
		}
		plain(w, http.StatusOK, "ready\n")
	})
}

// bounded refuses targets that are too long and keeps browsers from guessing types.
func bounded(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.RequestURI) > maxTarget {
			plain(w, http.StatusRequestURITooLong, "the URL is too long\n")
			return
		}
		w.Header().Set("X-Content-Type-Options", "nosniff")
		h.ServeHTTP(w, r)
	})
}

func plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text))
}

func (s *Server) serveAnnounce(w http.ResponseWriter, r *http.Request) {
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		plain(w, http.StatusBadRequest, "no client address\n")
		return
	}
	sc := scratches.Get().(*scratch)
	defer scratches.Put(sc)
	s.announce(sc, []byte(r.URL.RawQuery), from.Addr().Unmap().WithZone(""))
	bencoded(w, sc.body)
}

func (s *Server) serveScrape(w http.ResponseWriter, r *http.Request) {
	sc := scratches.Get().(*scratch)
	defer scratches.Put(sc)
	s.scrape(sc, []byte(r.URL.RawQuery))
	bencoded(w, sc.body)
}

// bencoded sends a tracker reply. The status is 200 for failures too: clients
// read the reason only then.
func bencoded(w http.ResponseWriter, body []byte) {
	w.Header().Set("Content-Type", "text/plain")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body)
}

// sendJSON sends v, which always can be encoded.
func sendJSON(w http.ResponseWriter, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		plain(w, http.StatusInternalServerError, "internal error\n")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(append(b, '\n'))
}
