package main

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"starling/cmd/starling/internal/config"
	"starling/cmd/starling/internal/report"
)

// TestReloadHoldsNothingUp: while a reload waits for something, a signal to stop is
// obeyed, and a reload that was asked for meanwhile is made after it.
func TestReloadHoldsNothingUp(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := config.Default()
	a := &app{
		cfg: &cfg, inForce: &cfg, cfgFile: file, source: config.Source{File: file, Getenv: func(string) string { return "" }},
		rep: report.New(report.Options{Mode: report.None}), log: slog.New(slog.DiscardHandler),
	}
	a.moreGrace(time.Hour) // nothing here may end the test
	begun, end := make(chan struct{}), make(chan struct{})
	a.reloadable(reloading{section: "tracker", apply: func(*config.Config) error {
		begun <- struct{}{}
		<-end
		return nil
	}})
	ctx, stop := a.watchSignals(context.Background())
	defer stop()
	raise := func(s syscall.Signal) {
		t.Helper()
		if err := syscall.Kill(os.Getpid(), s); err != nil {
			t.Fatal(err)
		}
	}
	soon := func(what string, ch <-chan struct{}) {
		t.Helper()
		select {
		case <-ch:
		case <-time.After(10 * time.Second):
			t.Fatalf("not in time: %s", what)
		}
	}
	raise(syscall.SIGHUP)
	soon("a reload", begun)
	raise(syscall.SIGHUP)
	end <- struct{}{}
	soon("the reload asked for during the first", begun)
	raise(syscall.SIGTERM)
	soon("the end, during a reload", ctx.Done())
	if s := stopped(ctx); s == nil || s.sig != syscall.SIGTERM {
		t.Errorf("ended by %v", context.Cause(ctx))
	}
	close(end)
}
