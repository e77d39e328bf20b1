package tracker

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/gorilla/mux"
	"github.com/prometheus/client_golang/prometheus"
)

// anonymous is what a route answers to whoever asks without credentials: the status for GET,
// HEAD and POST, and for GET where the tracker shows no hosts (Config.View is off).
type anonymous struct {
	path                    string // one of the route's
	get, head, post, unseen int
}

const (
	yes    = http.StatusOK
	none   = http.StatusNotFound
	refuse = http.StatusMethodNotAllowed
)

// publicRoutes are all routes of the public listener: nothing but an announce changes
// anything, and nothing tells of hosts where strangers come.
var publicRoutes = map[string]anonymous{
	"/announce":                          {"/announce?info_hash=" + hash1 + "&" + okID + "&port=9", yes, refuse, refuse, yes},
	"/scrape":                            {"/scrape?info_hash=" + hash1, yes, refuse, refuse, yes},
	"/torrents/{name}.torrent":           {"/torrents/model.torrent", yes, yes, refuse, yes},
	"/api/v1/torrents":                   {"/api/v1/torrents", yes, yes, refuse, yes},
	"/healthz":                           {"/healthz", yes, yes, yes, yes},
	"/readyz":                            {"/readyz", yes, yes, yes, yes},
	"/api/v1/sd/prometheus":              {"/api/v1/sd/prometheus", yes, yes, refuse, none},
	"/api/v1/swarms":                     {"/api/v1/swarms", yes, yes, refuse, none},
	"/api/v1/swarms/{hash}":              {"/api/v1/swarms/HASH", yes, yes, refuse, none},
	"/api/v1/swarms/{hash}/status":       {"/api/v1/swarms/HASH/status", yes, yes, refuse, none},
	"/api/v1/swarms/{hash}/hosts":        {"/api/v1/swarms/HASH/hosts", yes, yes, refuse, none},
	"/api/v1/swarms/{hash}/edges":        {"/api/v1/swarms/HASH/edges", yes, yes, refuse, none},
	"/api/v1/swarms/{hash}/availability": {"/api/v1/swarms/HASH/availability", yes, yes, refuse, none},
	"/api/v1/events":                     {"/api/v1/events", yes, yes, refuse, none},
	"/":                                  {"/", yes, yes, refuse, none},
	"/swarms/{hash}":                     {"/swarms/HASH", yes, yes, refuse, none},
	"/assets/{file}":                     {"/assets/page.css", yes, yes, refuse, none},
}

// ownersRoutes are those of the admin listener, without what the program adds.
var ownersRoutes = map[string]anonymous{
	"/metrics":              {"/metrics", yes, refuse, refuse, yes},
	"/api/v1/sd/prometheus": {"/api/v1/sd/prometheus", yes, refuse, refuse, yes},
	"/healthz":              {"/healthz", yes, yes, yes, yes},
	"/readyz":               {"/readyz", yes, yes, yes, yes},
}

// TestRouteWalk: every route there is answers strangers what its table says, lets no page of
// another site read it, and leaves no browser to guess what it is.
func TestRouteWalk(t *testing.T) {
	for _, shown := range []bool{true, false} {
		cfg := DefaultConfig()
		cfg.View = shown
		s := start(t, cfg, nil)
		if err := s.Torrents().Add("model", torrentFile("model")); err != nil {
			t.Fatal(err)
		}
		get(t, s.addr, announcePath(hash1, 1, "&left=0&x_metrics_port=9464&x_report=1&x_size=5&x_done=5"))
		walkRoutes(t, s.addr, s.Server.routes(), publicRoutes, shown)
		walkRoutes(t, s.admin, s.adminRoutes(prometheus.NewRegistry()), ownersRoutes, shown)
	}
}

func walkRoutes(t *testing.T, addr string, r *mux.Router, table map[string]anonymous, shown bool) {
	t.Helper()
	there := map[string]bool{}
	err := r.Walk(func(route *mux.Route, _ *mux.Router, _ []*mux.Route) error {
		template, err := route.GetPathTemplate()
		if there[template] = true; err == nil && table[template].path == "" {
			err = fmt.Errorf("the route %s is in no table", template)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for template, a := range table {
		want := map[string]int{http.MethodGet: a.get, http.MethodHead: a.head, http.MethodPost: a.post}
		if !shown && a.unseen == none {
			want = map[string]int{http.MethodGet: none, http.MethodHead: none, http.MethodPost: none}
		} else if !there[template] {
			t.Errorf("%s: there is no such route", template)
		}
		want[http.MethodOptions] = 0 // whatever it is: it gives no leave
		for method, status := range want {
			req, err := http.NewRequestWithContext(t.Context(), method, "http://"+addr+strings.Replace(a.path, "HASH", strings.Repeat("a7", 20), 1), nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Origin", "http://stranger.example")
			req.Header.Set("Access-Control-Request-Method", "GET")
			resp, err := client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close() // events never end
			if status != 0 && resp.StatusCode != status {
				t.Errorf("view %v: %s %s: %d, want %d", shown, method, a.path, resp.StatusCode, status)
			}
			bencoded := strings.HasPrefix(a.path, "/announce") || strings.HasPrefix(a.path, "/scrape") // which is nothing to a browser
			if resp.Header.Get("X-Content-Type-Options") != "nosniff" && !bencoded {
				t.Errorf("%s %s: a browser may guess what it is", method, a.path)
			}
			for name := range resp.Header {
				if strings.HasPrefix(name, "Access-Control-") || name == "Set-Cookie" {
					t.Errorf("%s %s: %s", method, a.path, name)
				}
			}
		}
	}
}
