package main

import (
	"strings"

	"github.com/spf13/cobra"

	"starling/cmd/starling/internal/config"
)

// noConfig marks commands that run even when the configuration is broken.
const noConfig = "no-config"

// ownFindings marks the command whose result has the variables that nothing reads.
const ownFindings = "own-findings"

// likeness is how many letters may be wrong in a command that is taken for a slip.
const likeness = 2

// newRoot makes the command tree.
func newRoot(a *app) *cobra.Command {
	def := config.Default()
	root := &cobra.Command{
		Use:   "starling",
		Short: "Distribute files to many hosts at once",
		Long: `starling hands files to many hosts at once: every host that has a piece passes it
on. One host runs "starling share PATH"; the others run the "starling leech" line
that it prints. "starling demo" shows it on this machine alone.

REF is a .torrent file, an http(s) URL of one, or a magnet: link.

` + exitCodesHelp,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          noSuchCommand,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			if cmd.Annotations[noConfig] != "" || cmd == cmd.Root() {
				return nil
			}
			return a.setup(cmd)
		},
	}
	root.CompletionOptions.DisableDefaultCmd = true
	root.SuggestionsMinimumDistance = likeness
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usage(cmd.CommandPath(), "%w", err)
	})
	fs := root.PersistentFlags()
	fs.StringVarP(&a.file, "config", "c", "", "configuration `FILE`")
	fs.BoolP("quiet", "q", def.Quiet, "no progress, and only errors in the log")
	fs.BoolP("verbose", "v", def.Verbose, "log everything")
	fs.Bool("json", def.JSON, "the result as JSON on stdout")
	fs.String("progress", def.Progress, "progress on stderr: auto, bar, plain, json or none")
	fs.String("log-format", def.LogFormat, "auto, text or json")
	fs.String("log-level", def.LogLevel, "debug, info, warn or error")
	fs.Bool("no-color", def.NoColor, "no colours")
	fs.String("metrics-listen", def.MetricsListen, "serve a peer's /metrics at `HOST:PORT`")
	fs.Bool("metrics-by-torrent", def.ByTorrent, "series for each torrent in /metrics, under its infohash, 50 torrents at most")
	fs.Bool("remote-debug", def.RemoteDebug, "answer /debug/ of --metrics-listen and a tracker's --admin-listen to other hosts too")
	fs.StringArray("allow-host", def.AllowHost, "answer requests for host `NAME`, too, at a --metrics-listen or --admin-listen on loopback (repeatable)")
	fs.Bool("flight-recorder", def.FlightRecorder, "keep the last seconds' trace for /debug/flight of --metrics-listen and --admin-listen; =false: do not")
	fs.StringArray("node-label", def.NodeLabel, "tell the tracker that this host has label `K=V` (repeatable)")
	fs.String("node-name", def.NodeName, "tell the tracker that this host is called `NAME` (default: its host name)")
	fs.String("message-log", def.MessageLog, "append every message that a peer sends or gets to `FILE`, as JSON lines")
	fs.String("monitor", def.Monitor, "forward copies of every message that a peer sends or gets to the starling monitor at `HOST:PORT`")

	root.AddCommand(
		newShare(a), newCreate(a), newInspect(a), newVerify(a), newTracker(a), newSeed(a), newLeech(a), newStatus(a), newWait(a),
		newDemo(a), newMonitor(a), newSim(a), newConfig(a), newDoctor(a), newDocs(a), newVersion(a), newCompletion(a),
	)
	completeValues(root)
	return root
}

// group makes cmd a command that only has others below it.
func group(cmd *cobra.Command, below ...*cobra.Command) *cobra.Command {
	cmd.AddCommand(below...)
	cmd.Args, cmd.SuggestionsMinimumDistance = noSuchCommand, likeness
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		names := make([]string, len(below))
		for i, c := range below {
			names[i] = c.Name()
		}
		return usage(cmd.CommandPath(), "missing command: %s", strings.Join(names, ", "))
	}
	return cmd
}

// noSuchCommand refuses what stands where the name of a command below is expected.
func noSuchCommand(cmd *cobra.Command, got []string) error {
	if len(got) == 0 {
		return nil
	}
	f := usage(cmd.CommandPath(), "unknown command %q", got[0])
	if like := cmd.SuggestionsFor(got[0]); len(like) > 0 {
		f.hint = cmd.CommandPath() + " " + like[0]
	}
	return f
}

// args checks the number of positional arguments; most < 0 is no bound.
func args(least, most int, names string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, got []string) error {
		if len(got) < least {
			return usage(cmd.CommandPath(), "missing argument: %s", names)
		}
		if most >= 0 && len(got) > most {
			return usage(cmd.CommandPath(), "too many arguments: %s", strings.Join(got[most:], " "))
		}
		return nil
	}
}
