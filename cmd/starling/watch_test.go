package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"starling/cmd/starling/internal/config"
	"starling/cmd/starling/internal/report"
)

// TestWatch: a watch goes on when the tracker does not answer for a while, says so once,
// and ends when it is told to.
func TestWatch(t *testing.T) {
	ctx, stop := context.WithCancelCause(t.Context())
	good := fleetServer(t, someFleet(), nil).Config.Handler
	var asked atomic.Int64
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch n := asked.Add(1); {
		case n > 3 && n < 7:
			w.WriteHeader(http.StatusBadGateway)
		case n > 8:
			stop(&signalled{syscall.SIGTERM})
		default:
			good.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(srv.Close)
	var out, errs bytes.Buffer
	cfg := config.Default()
	cfg.Status = config.Status{Tracker: srv.URL, Watch: true, Interval: time.Millisecond}
	a := &app{
		stdout: &out, stderr: &errs, getenv: func(string) string { return "" }, cfg: &cfg,
		rep: report.New(report.Options{Mode: report.Plain, Out: io.Discard}), log: slog.New(slog.NewTextHandler(&errs, nil)),
	}
	err := a.status(ctx, strings.Repeat("0a", 20))
	if f, ok := err.(*failure); !ok || !f.quiet || f.code != exitTerminate {
		t.Errorf("it ended with %v", err)
	}
	heads := strings.Count(out.String(), "  llama-70b  58 of 60 hosts done, 99.0% on average, 14s left\nSWARM  HOSTS")
	if heads != 5 || strings.Count(out.String(), "STRAGGLER") != 5 || strings.Count(out.String(), "\n\n") != 5+4 || out.String()[0] == '\n' {
		t.Errorf("%d of 5 readings:\n%s", heads, out.String())
	}
	if n := strings.Count(errs.String(), "the tracker does not answer"); n != 1 || !strings.Contains(errs.String(), "502 Bad Gateway") {
		t.Errorf("said %d times: %s", n, errs.String())
	}

	// One that cannot begin ends.
	asked.Store(3)
	if err := a.status(t.Context(), strings.Repeat("0a", 20)); err == nil || !strings.Contains(fmt.Sprint(err), "502") {
		t.Errorf("without a first answer: %v", err)
	}
	// On a terminal the last answer stays, with a line that says of when it is.
	l := &looking{a: a, last: &fleetDoc{Status: ptr(someFleet())}, heard: time.Date(2026, 1, 2, 3, 4, 5, 0, time.Local), trouble: fmt.Errorf("tracker x: refused")}
	if got := l.headline(); got != "tracker x: refused; what follows is of 03:04:05" {
		t.Errorf("%q", got)
	}
}
