package main

import (
	"encoding/json"
	"io"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"starling/cmd/starling/internal/config"
	"starling/cmd/starling/internal/report"
	"starling/cmd/starling/internal/service"
	"starling/peer"
)

// app is what a command works with.
type app struct {
	stdout, stderr io.Writer
	getenv         func(string) string
	environ        []string // NAME=VALUE
	file           string   // --config
	source         config.Source
	cfg            *config.Config
	cfgFile        string // the file that was read, "" if none
	rep            *report.Reporter
	log            *slog.Logger
	level          slog.LevelVar
	// messages is the log of --message-log and copies where --monitor
	// forwards to, nil without; metrics are those of --metrics-listen.
	messages *messageLog
	copies   *monitorLink
	metrics  *peer.Metrics
	// service is the service manager that started us, nil if none did.
	service *service.Manager
	// onReload says, while a daemon runs, what of a new configuration it can
	// take. inForce is cfg with what was taken; only a reload reads and sets it.
	onReload atomic.Pointer[reloading]
	inForce  *config.Config
	slack    atomic.Int64 // see moreGrace
}

// flagger is what printFailure needs of a cobra command.
type flagger interface{ PersistentFlags() *pflag.FlagSet }

func (a *app) now() time.Time { return time.Now() }

// setup reads the configuration and makes the reporter and the logger. It runs
// before every command but those that must work with a broken configuration.
func (a *app) setup(cmd *cobra.Command) error {
	a.source = config.Source{
		File: a.file, Section: cmd.Name(),
		Global: cmd.Root().PersistentFlags(), Local: cmd.Flags(),
		Getenv: a.getenv,
	}
	cfg, file, err := config.Load(a.source)
	if err != nil {
		f := fail("config", err).withCode(exitUsage)
		if file != "" || a.file != "" {
			f.hint = "starling config example"
		}
		return f
	}
	a.cfg, a.cfgFile, a.inForce = cfg, file, cfg
	mode := report.Resolve(report.Mode(cfg.Progress), a.stderr, a.getenv)
	if cfg.Quiet {
		mode = report.None
	}
	a.rep = report.New(report.Options{
		Mode: mode, Out: a.stderr,
		Color: !cfg.NoColor && report.Color(a.stderr, a.getenv),
		Width: func() int { return report.Width(a.stderr) },
	})
	a.setLevel(cfg)
	a.log = a.newLogger(mode)
	if cmd.Annotations[ownFindings] == "" {
		a.warnOfStrangers()
	}
	return nil
}

// mostStrangers bounds the warnings of variables that nothing reads.
const mostStrangers = 5

// warnOfStrangers names the variables of the environment that look like options and are
// none. It is no error: others may have set them, for purposes of their own.
func (a *app) warnOfStrangers() {
	all := config.Strangers(a.environ, a.source.Section)
	for _, u := range all[:min(len(all), mostStrangers)] {
		about := []any{"name", u.Name}
		if u.Like != "" {
			about = append(about, "like", u.Like)
		}
		a.log.Warn("nothing reads this environment variable", about...)
	}
	if more := len(all) - mostStrangers; more > 0 {
		a.log.Warn("nothing reads more environment variables; starling doctor lists them all", "more", more)
	}
}

// setLevel applies the log level, which -q and -v override.
func (a *app) setLevel(cfg *config.Config) {
	level, _ := config.ParseLevel(cfg.LogLevel) // Validate has refused the others
	switch {
	case cfg.Quiet:
		level = slog.LevelError
	case cfg.Verbose:
		level = slog.LevelDebug
	}
	a.level.Set(level)
}

func (a *app) newLogger(mode report.Mode) *slog.Logger {
	asJSON := a.cfg.LogFormat == "json" || a.cfg.LogFormat == "auto" && mode == report.JSON
	opts := &slog.HandlerOptions{Level: &a.level}
	if asJSON {
		// Beside the documents of --progress json a log line says what it is.
		return slog.New(slog.NewJSONHandler(a.rep.Writer(), opts)).With("type", "log")
	}
	return slog.New(slog.NewTextHandler(a.rep.Writer(), opts))
}

// wantsJSON says whether the result, and the progress, are to be JSON. It works
// also when the configuration could not be read, from the flags alone.
func (a *app) wantsJSON(root flagger) (result, progress bool) {
	if a.cfg != nil {
		return a.cfg.JSON, a.cfg.Progress == string(report.JSON)
	}
	flags := root.PersistentFlags()
	result, _ = flags.GetBool("json")
	mode, _ := flags.GetString("progress")
	return result, mode == string(report.JSON)
}

// result writes the command's result to stdout: doc with --json, else text.
func (a *app) result(doc any, text string) error {
	var err error
	switch {
	case !a.cfg.JSON:
		_, err = io.WriteString(a.stdout, text)
	default:
		err = a.writeJSON(doc)
	}
	return unwritten(err)
}

func (a *app) writeJSON(doc any) error {
	switch doc.(type) {
	case report.Summary, report.Error, report.Event, report.Status:
		return report.Write(a.stdout, doc, a.now())
	}
	enc := json.NewEncoder(a.stdout)
	enc.SetEscapeHTML(false)
	return enc.Encode(doc)
}

// visible prints a name from outside for whoever reads stdout: escaped on a
// terminal, exact in a pipe, where a script needs the real name.
func (a *app) visible(name string) string {
	if report.IsTerminal(a.stdout) {
		return report.Escape(name)
	}
	return name
}

// hostname is how this host calls itself to the tracker.
func hostname() string {
	name, err := os.Hostname()
	if err != nil {
		return ""
	}
	return name
}
