package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/gorilla/mux"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"starling/cmd/starling/internal/config"
)

// newRegistry makes the process's own registry, with what says which build it
// is and how the runtime and the process are. The default registry is never
// used: any imported package may have put something there.
func newRegistry() *prometheus.Registry {
	reg := prometheus.NewRegistry()
	b := build()
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Name:        "starling_build_info",
		Help:        "Always 1; the labels say what this binary was made of.",
		ConstLabels: prometheus.Labels{"version": b.Version, "revision": b.Revision, "goversion": b.Go},
	})
	info.Set(1)
	reg.MustRegister(info, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return reg
}

// admin is a peer's listener for metrics, health and profiles.
type admin struct {
	ln    net.Listener
	srv   *http.Server
	ready atomic.Bool
}

// serveAdmin listens at addr. The caller closes it.
func serveAdmin(addr string, reg prometheus.Gatherer, c *config.Config) (*admin, error) {
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fail("metrics listener", err).withHint("choose another address with --metrics-listen")
	}
	a := &admin{ln: ln}
	a.srv = &http.Server{
		Handler:           adminHandler(ln.Addr(), a.routes(reg), c),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		IdleTimeout:       30 * time.Second,
		MaxHeaderBytes:    16 << 10,
	}
	go func() {
		// It ends with Close; a listener that fails is seen by its scraper.
		_ = a.srv.Serve(ln)
	}()
	return a, nil
}

func (a *admin) routes(reg prometheus.Gatherer) *mux.Router {
	r := mux.NewRouter()
	r.Handle("/metrics", promhttp.HandlerFor(reg, promhttp.HandlerOpts{EnableOpenMetrics: true})).Methods(http.MethodGet, http.MethodHead)
	r.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("ok\n")) })
	r.HandleFunc("/readyz", func(w http.ResponseWriter, _ *http.Request) {
		if !a.ready.Load() {
			http.Error(w, "starting", http.StatusServiceUnavailable)
			return
		}
		w.Write([]byte("ok\n"))
	})
	return r
}

func (a *admin) addr() string { return a.ln.Addr().String() }

// port is what an announce tells the tracker's service discovery.
func (a *admin) port() int {
	if t, ok := a.ln.Addr().(*net.TCPAddr); ok {
		return t.Port
	}
	return 0
}

func (a *admin) close(ctx context.Context) {
	if err := a.srv.Shutdown(ctx); errors.Is(err, context.DeadlineExceeded) {
		a.srv.Close()
	}
}
