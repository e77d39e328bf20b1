package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"starling/cmd/starling/internal/report"
)

// grace is how long a command may take to stop after the first signal.
const grace = 5 * time.Second

// moreGrace lets the command take longer than grace to stop.
func (a *app) moreGrace(d time.Duration) { a.slack.Store(int64(d)) }

func (a *app) graceNow() time.Duration { return grace + time.Duration(a.slack.Load()) }

// signalled is the cause of a context that a signal ended.
type signalled struct{ sig os.Signal }

func (s *signalled) Error() string {
	switch s.sig {
	case os.Interrupt:
		return "interrupted"
	case syscall.SIGHUP:
		return "the terminal is gone"
	}
	return "terminated"
}

func (s *signalled) code() int {
	switch s.sig {
	case os.Interrupt:
		return exitInterrupt
	case syscall.SIGHUP:
		return exitHangup
	}
	return exitTerminate
}

// watchSignals returns a context that ends with the first SIGINT or SIGTERM.
// The second ends the process at once, as does the time it may take to stop.
// SIGHUP reloads the configuration of a daemon that has not been told to stop; of
// anything else it ends the process, as it would without us. That of a terminal that
// has closed ends a daemon too: nobody would see what it does from then on.
func (a *app) watchSignals(parent context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(parent)
	terminals := terminalsOf(os.Stdin, a.stdout, a.stderr)
	nohup := signal.Ignored(syscall.SIGHUP) // until Notify asks for it
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	done := make(chan struct{})
	// A reload that is asked for during another is made after it; more are that one.
	reload := make(chan struct{}, 1)
	go a.reloads(ctx, reload)
	go func() {
		var late <-chan time.Time
		for {
			select {
			case <-done:
				return
			case <-late:
				fmt.Fprintf(a.stderr, "starling: stop: not done after %s, giving up\n", a.graceNow())
				os.Exit((context.Cause(ctx).(*signalled)).code())
			case s := <-signals:
				first := ctx.Err() == nil
				switch {
				case s == syscall.SIGHUP && (!first || nohup && a.onReload.Load() == nil):
					// A shell passes on what the terminal has sent already.
				case s == syscall.SIGHUP && !nohup && hungUp(terminals):
					a.service.Stopping()
					cancel(&signalled{s})
					late = time.After(a.graceNow())
				case s == syscall.SIGHUP && a.onReload.Load() != nil:
					select {
					case reload <- struct{}{}:
					default:
					}
				case s == syscall.SIGHUP:
					os.Exit(exitHangup)
				case first:
					a.service.Stopping()
					cancel(&signalled{s})
					late = time.After(a.graceNow())
				default:
					os.Exit((&signalled{s}).code())
				}
			}
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(done)
		cancel(nil)
	}
}

// terminalsOf are those of some streams that are terminals.
func terminalsOf(streams ...io.Writer) (out []io.Writer) {
	for _, s := range streams {
		if report.IsTerminal(s) {
			out = append(out, s)
		}
	}
	return out
}

// hungUp says whether one of what were terminals is none any more.
func hungUp(terminals []io.Writer) bool {
	return slices.ContainsFunc(terminals, func(s io.Writer) bool { return !report.IsTerminal(s) })
}

// reloads makes those that are asked for until ctx ends. It has a goroutine of its own:
// a reload may wait for a disk, and a signal to stop must not wait for that.
func (a *app) reloads(ctx context.Context, asked <-chan struct{}) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-asked:
		}
		if ctx.Err() != nil {
			return
		}
		a.service.Reloading()
		a.reload()
		a.service.Reloaded()
	}
}

// stopped returns the signal that ended ctx, nil if none did.
func stopped(ctx context.Context) *signalled {
	var s *signalled
	if errors.As(context.Cause(ctx), &s) {
		return s
	}
	return nil
}

// stoppedDaemon is how a command that runs until it is stopped ends: the exit
// code says by which signal, and nothing is printed.
func stoppedDaemon(ctx context.Context, what string) error {
	if s := stopped(ctx); s != nil {
		return &failure{code: s.code(), what: what, err: s, quiet: true}
	}
	return nil
}
