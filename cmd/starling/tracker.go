package main

import (
	"context"
	"net"
	"time"

	"github.com/spf13/cobra"

	"starling/cmd/starling/internal/config"
	"starling/cmd/starling/internal/report"
	"starling/tracker"
	"starling/tracker/swarm"
)

func newTracker(a *app) *cobra.Command {
	def := config.Default().Tracker
	cmd := &cobra.Command{
		Use:   "tracker",
		Short: "Run a tracker",
		Long: `Run a tracker: peers announce at http://HOST:PORT/announce and find each other.

The .torrent files of --torrents are served at /torrents/NAME.torrent and listed at
/api/v1/torrents; the folder is read again every few seconds. /metrics and
/debug/pprof are on the admin listener only; /healthz and /readyz are on both.`,
		Args: args(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.tracker(cmd.Context()) },
	}
	fs := cmd.Flags()
	fs.String("listen", def.Listen, "listen at `HOST:PORT`; port 0 picks a free one")
	fs.String("admin-listen", def.AdminListen, "metrics and profiles at `HOST:PORT`; empty: none")
	fs.String("torrents", def.Torrents, "serve the .torrent files of `DIR`")
	fs.String("state", def.State, "keep the swarms in `FILE` across restarts")
	fs.Bool("whitelist", def.Whitelist, "accept only the torrents of --torrents")
	fs.Bool("public", def.Public, "serve strangers: announces every 30 minutes instead of every minute")
	fs.Int("max-peers-per-ip", def.MaxPeersPerIP, "peers of one swarm at one public address (0: no limit)")
	fs.Duration("interval", def.Interval, "time between the announces of a settled swarm's peers (0: the default)")
	return cmd
}

// trackerConfig translates the command's configuration.
func trackerConfig(c *config.Tracker) tracker.Config {
	cfg := tracker.DefaultConfig()
	maxSwarms := cfg.Swarm.MaxSwarms
	if c.Public {
		cfg.Swarm = swarm.Public()
		cfg.Swarm.MaxSwarms = maxSwarms
	}
	if c.Interval > 0 {
		cfg.Swarm.Interval = c.Interval
		cfg.Swarm.MinInterval = min(cfg.Swarm.MinInterval, c.Interval)
		cfg.Swarm.Young = min(cfg.Swarm.Young, c.Interval)
		cfg.Swarm.TTL = 2*c.Interval + 30*time.Second
	}
	if cfg.Swarm.MaxPerHost = c.MaxPeersPerIP; c.MaxPeersPerIP == 0 {
		cfg.Swarm.MaxPerNet6 = 0
	} else {
		cfg.Swarm.MaxPerNet6 = 2 * c.MaxPeersPerIP
	}
	cfg.Swarm.Open = !c.Whitelist
	cfg.TorrentsDir, cfg.StatePath = c.Torrents, c.State
	return cfg
}

func (a *app) tracker(ctx context.Context) error {
	c := &a.cfg.Tracker
	cfg := trackerConfig(c)
	if err := cfg.Validate(); err != nil {
		return fail("tracker", err).withCode(exitUsage)
	}
	reg := newRegistry()
	srv, err := tracker.New(cfg, a.log, tracker.NewMetrics(reg))
	if err != nil {
		return fail("tracker", err)
	}
	public, err := tracker.Listen(ctx, c.Listen)
	if err != nil {
		return fail("tracker", err)
	}
	addresses := map[string]string{"tracker": public.Addr().String()}
	var adm net.Listener
	if c.AdminListen != "" {
		if adm, err = net.Listen("tcp", c.AdminListen); err != nil {
			public.Close()
			return fail("tracker", err).withHint("choose another address with --admin-listen")
		}
		addresses["admin"] = adm.Addr().String()
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ctx, public, adm, srv.AdminHandler(reg)) }()
	reload := func(*config.Config) []string { return []string{"log level applied; the rest needs a restart"} }
	a.onReload.Store(&reload)
	a.rep.Event(report.Event{Name: "ready", Addresses: addresses})
	err = <-served
	if err != nil {
		return fail("tracker", err)
	}
	a.rep.Event(report.Event{Name: "stopped"})
	return stoppedDaemon(ctx, "tracker")
}
