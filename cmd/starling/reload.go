package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"starling/cmd/starling/internal/config"
	"starling/cmd/starling/internal/report"
)

// reloading is what SIGHUP needs to know of the daemon that runs.
type reloading struct {
	section string // of the configuration
	// live are the keys of the section that change while it runs; the global ones
	// of alwaysLive do too.
	live []string
	// apply changes all of live, or nothing and says why.
	apply func(*config.Config) error
	// noted, if set, counts an attempt.
	noted func(at time.Time, ok bool)
}

// alwaysLive are the global keys that change while a daemon runs.
var alwaysLive = []string{"log-level", "verbose"}

// reloadable has SIGHUP change what can change of a running daemon.
func (a *app) reloadable(r reloading) { a.onReload.Store(&r) }

// reload reads the configuration again, applies what can be applied and says what
// cannot. A bad one changes nothing. Only the goroutine of reloads calls it.
func (a *app) reload() {
	r := a.onReload.Load()
	if r == nil {
		return
	}
	changes, file, err := a.takeConfig(r)
	if r.noted != nil {
		r.noted(a.now(), err == nil)
	}
	if err != nil {
		a.rep.Event(report.Event{Name: "reload_failed", Detail: "configuration unchanged: " + oneLine(err)})
		if a.rep.Mode() == report.None {
			a.log.Error("configuration not reloaded", "err", oneLine(err))
		}
		return
	}
	if file == "" {
		file = "no file"
	}
	a.rep.Event(report.Event{Name: "reloaded", Detail: file + ": " + reloadText(changes), Changes: changes})
	if a.rep.Mode() == report.None {
		a.log.Info("configuration reloaded", "file", file, "changes", reloadText(changes))
	}
}

// takeConfig brings what is in force to what is configured now, as far as it can
// change, and returns how the two differed.
func (a *app) takeConfig(r *reloading) (changes []report.Change, file string, err error) {
	cfg, file, err := config.Load(a.source)
	if err == nil && file == "" && a.cfgFile != "" {
		err = errors.New(a.cfgFile + " is gone") // defaults were never asked for
	}
	if err != nil {
		return nil, file, err
	}
	var now []string
	for _, c := range config.Diff(a.inForce, cfg, r.section) {
		live := slices.Contains(alwaysLive, c.Key) || slices.Contains(r.live, c.Key)
		if live {
			now = append(now, c.Key)
		}
		changes = append(changes, report.Change{Key: c.Key, Old: c.Old, New: c.New, Applied: live})
	}
	next := *a.inForce
	next.Take(cfg, now)
	if err := r.apply(&next); err != nil {
		return nil, file, fmt.Errorf("%s: %w", file, err)
	}
	a.inForce = &next
	a.setLevel(&next)
	return changes, file, nil
}

// reloadText is the difference on one line.
func reloadText(changes []report.Change) string {
	if len(changes) == 0 {
		return "nothing has changed"
	}
	texts := make([]string, len(changes))
	for i, c := range changes {
		texts[i] = c.Key + " " + c.Old + " -> " + c.New
		if !c.Applied {
			texts[i] += " needs a restart"
		}
	}
	return strings.Join(texts, "; ")
}

// keysOf names keys of a section as a Diff does.
func keysOf(section string, names ...string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = section + "." + n
	}
	return out
}
