package main

import (
	"bytes"
	"net"
	"net/http"
	"net/http/pprof"
	"runtime/trace"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/mux"

	"starling/cmd/starling/internal/config"
)

// The flight recorder keeps at least the last flightAge, unless that is more than
// flightSize bytes: then less. The runtime records by the second and drops whole ones
// only, so that it holds up to two seconds' events beside: of a peer or of a tracker with
// 1,000 announces a second next to nothing, of one at saturation some 20 MiB.
const (
	flightAge  = 10 * time.Second
	flightSize = 8 << 20
)

// recorder is the process's flight recorder: the runtime has one at most, for all
// admin listeners.
type recorder struct {
	once sync.Once
	mu   sync.Mutex // one reader at a time
	fr   *trace.FlightRecorder
	err  error
}

var flight recorder

// start begins to record; calls after the first do nothing.
func (r *recorder) start() {
	r.once.Do(func() {
		r.fr = trace.NewFlightRecorder(trace.FlightRecorderConfig{MinAge: flightAge, MaxBytes: flightSize})
		r.err = r.fr.Start()
	})
}

// ServeHTTP answers with the last seconds, for `go tool trace`.
func (r *recorder) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	switch {
	case r.fr == nil:
		http.Error(w, "nothing is recorded: starling runs with --flight-recorder=false", http.StatusNotFound)
		return
	case r.err != nil:
		http.Error(w, "nothing is recorded: "+r.err.Error(), http.StatusNotFound)
		return
	}
	if !r.mu.TryLock() {
		w.Header().Set("Retry-After", "1")
		http.Error(w, "somebody else is reading it", http.StatusServiceUnavailable)
		return
	}
	defer r.mu.Unlock()
	var all pages // the recording waits for nobody's network
	size, err := r.fr.WriteTo(&all)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Disposition", `attachment; filename="starling.trace"`)
	w.Header().Set("Content-Length", strconv.FormatInt(size, 10))
	for _, page := range all {
		if _, err := w.Write(page); err != nil {
			return // who asked has gone
		}
	}
}

// pages collects what is written where it is: a buffer in one piece would be copied as
// it grows, and take as much again.
type pages [][]byte

func (p *pages) Write(b []byte) (int, error) {
	*p = append(*p, bytes.Clone(b))
	return len(b), nil
}

// debugging puts /debug/ before the other routes of an admin listener: profiles and
// the flight recorder. They tell much and cost much, so they are for clients on this
// host that ask it by a name of its own, unless the configuration lets all others have
// them too.
func debugging(next http.Handler, c *config.Config, names hostNames) http.Handler {
	if c.FlightRecorder {
		flight.start()
	}
	r := debugRoutes()
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		switch {
		case !strings.HasPrefix(req.URL.Path, "/debug/"):
			next.ServeHTTP(w, req)
		case c.RemoteDebug || fromHere(req) && names.has(req.Host):
			r.ServeHTTP(w, req)
		case fromHere(req):
			names.refuse(w, req.Host)
		default:
			http.Error(w, "profiles are for clients on this host, unless starling runs with --remote-debug", http.StatusForbidden)
		}
	})
}

func debugRoutes() *mux.Router {
	r := mux.NewRouter()
	r.Handle("/debug/flight", &flight).Methods(http.MethodGet)
	r.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	r.HandleFunc("/debug/pprof/profile", pprof.Profile)
	r.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	r.HandleFunc("/debug/pprof/trace", pprof.Trace)
	r.PathPrefix("/debug/pprof/").HandlerFunc(pprof.Index)
	return r
}

// fromHere says whether a request came over loopback.
func fromHere(req *http.Request) bool {
	host, _, err := net.SplitHostPort(req.RemoteAddr)
	return err == nil && net.ParseIP(host).IsLoopback()
}
