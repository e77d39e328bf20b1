package main

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"starling/cmd/starling/internal/config"
	"starling/cmd/starling/internal/report"
)

// testReload gives an app a configuration that can be read again.
func testReload(t *testing.T, a *app) reloading {
	t.Helper()
	file := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := config.Default()
	a.cfg, a.inForce, a.cfgFile = &cfg, &cfg, file
	a.source = config.Source{File: file, Getenv: func(string) string { return "" }}
	a.rep, a.log = report.New(report.Options{Mode: report.None}), slog.New(slog.DiscardHandler)
	return reloading{section: "tracker"}
}

// raise sends this process a signal, and returns when it has come.
func raise(t *testing.T, s syscall.Signal) {
	t.Helper()
	came := make(chan os.Signal, 1)
	signal.Notify(came, s)
	defer signal.Stop(came)
	if err := syscall.Kill(os.Getpid(), s); err != nil {
		t.Fatal(err)
	}
	<-came
}

func soon(t *testing.T, what string, ch <-chan struct{}) {
	t.Helper()
	select {
	case <-ch:
	case <-time.After(10 * time.Second):
		t.Fatalf("not in time: %s", what)
	}
}

// TestReloadHoldsNothingUp: while a reload waits for something, a signal to stop is
// obeyed, and a reload that was asked for meanwhile is made after it.
func TestReloadHoldsNothingUp(t *testing.T) {
	a := &app{}
	a.moreGrace(time.Hour) // nothing here may end the test
	begun, end := make(chan struct{}), make(chan struct{})
	r := testReload(t, a)
	r.apply = func(*config.Config) error {
		begun <- struct{}{}
		<-end
		return nil
	}
	a.reloadable(r)
	ctx, stop := a.watchSignals(context.Background())
	defer stop()
	raise(t, syscall.SIGHUP)
	soon(t, "a reload", begun)
	raise(t, syscall.SIGHUP)
	end <- struct{}{}
	soon(t, "the reload asked for during the first", begun)
	raise(t, syscall.SIGTERM)
	soon(t, "the end, during a reload", ctx.Done())
	if s := stopped(ctx); s == nil || s.sig != syscall.SIGTERM {
		t.Errorf("ended by %v", context.Cause(ctx))
	}
	close(end)
}
