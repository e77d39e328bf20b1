package main

import (
	"context"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"starling/cmd/starling/internal/config"
	"starling/cmd/starling/internal/report"
	"starling/tracker"
	"starling/tracker/swarm"
)

// udpListenHelp is of the flag that share has, too.
const udpListenHelp = "answer over UDP at `HOST:PORT`; empty: where --listen says; off: not at all"

func newTracker(a *app) *cobra.Command {
	def := config.Default().Tracker
	cmd := &cobra.Command{
		Use:   "tracker",
		Short: "Run a tracker",
		Long: `Run a tracker: peers announce at http://HOST:PORT/announce or udp://HOST:PORT/announce
and find each other.

The .torrent files of --torrents are served at /torrents/NAME.torrent and listed at
/api/v1/torrents; the folder is read again every few seconds. /metrics and
/debug/pprof are on the admin listener only; /healthz and /readyz are on both.`,
		Args: args(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.tracker(cmd.Context()) },
	}
	fs := cmd.Flags()
	fs.String("listen", def.Listen, "listen at `HOST:PORT`; port 0 picks a free one")
	fs.String("udp-listen", def.UDPListen, udpListenHelp)
	fs.String("admin-listen", def.AdminListen, "metrics and profiles at `HOST:PORT`; empty: none")
	fs.String("torrents", def.Torrents, "serve the .torrent files of `DIR`")
	fs.String("state", def.State, "keep the swarms in `FILE` across restarts")
	fs.Bool("whitelist", def.Whitelist, "accept only the torrents of --torrents")
	fs.Bool("public", def.Public, "serve strangers: announces every 30 minutes instead of every minute")
	fs.Int("max-peers-per-ip", def.MaxPeersPerIP, "peers of one swarm at one public address (0: no limit)")
	fs.Duration("interval", def.Interval, "time between the announces of a settled swarm's peers (0: the default)")
	fs.Duration("drain", def.Drain, "after SIGTERM, say not ready and answer on for so long before the port is closed")
	fs.String("view", def.View, "on or off: "+viewHelp+"; auto: on without --public")
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
	cfg.Swarm.Open, cfg.Swarm.Prompt = !c.Whitelist, clientCode
	cfg.TorrentsDir, cfg.StatePath, cfg.Linger = c.Torrents, c.State, c.Drain
	cfg.View = c.View == "on" || c.View == "auto" && !c.Public
	return cfg
}

func (a *app) tracker(ctx context.Context) error {
	c := &a.cfg.Tracker
	cfg := trackerConfig(c)
	cfg.Alive = a.service.Alive
	if err := cfg.Validate(); err != nil {
		return fail("tracker", err).withCode(exitUsage)
	}
	reg := newRegistry()
	metrics := tracker.NewMetrics(reg)
	srv, err := tracker.New(cfg, a.log, metrics)
	if err != nil {
		return fail("tracker", err)
	}
	if a.cfg.ByTorrent {
		reg.MustRegister(srv.TorrentMetrics())
	}
	public, udp, err := listenTracker(ctx, "tracker", c.Listen, c.UDPListen)
	if err != nil {
		return err
	}
	addresses := map[string]string{"tracker": public.Addr().String()}
	if udp != nil {
		srv.AddUDP(udp)
		addresses["udp"] = udp.LocalAddr().String()
	}
	var adm net.Listener
	var admin http.Handler
	if c.AdminListen != "" {
		if adm, err = net.Listen("tcp", c.AdminListen); err != nil {
			public.Close()
			if udp != nil {
				udp.Close()
			}
			return fail("tracker", err).withHint("choose another address with --admin-listen")
		}
		addresses["admin"] = adm.Addr().String()
		admin = adminHandler(adm.Addr(), srv.AdminHandler(reg), a.cfg)
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ctx, public, adm, admin) }()
	a.reloadable(reloading{
		section: "tracker", live: keysOf("tracker", "torrents", "whitelist", "public", "max-peers-per-ip", "interval"),
		noted: metrics.Reloaded, apply: func(c *config.Config) error { return srv.Reload(trackerConfig(&c.Tracker)) },
	})
	a.moreGrace(c.Drain)
	a.ready(report.Event{Addresses: addresses})
	select {
	case err = <-served:
	case <-ctx.Done():
		if c.Drain > 0 {
			a.rep.Event(report.Event{Name: "draining", Detail: "not ready, and answering for " + c.Drain.String() + " more; a second signal ends it at once"})
		}
		err = <-served
	}
	if err != nil {
		return fail("tracker", err)
	}
	a.rep.Event(report.Event{Name: "stopped"})
	return stoppedDaemon(ctx, "tracker")
}

// freePorts is how many free TCP ports are tried for one that is free over UDP too.
const freePorts = 16

// listenTracker opens a tracker's public listener and its UDP socket, nil if there is
// to be none. Without an address of its own the socket has the listener's, so that a
// client needs to know one. what is for errors.
func listenTracker(ctx context.Context, what, listen, udpListen string) (*net.TCPListener, *net.UDPConn, error) {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return nil, nil, fail(what, err).withCode(exitUsage)
	}
	for try := 1; ; try++ {
		public, err := tracker.Listen(ctx, listen)
		if err != nil {
			return nil, nil, fail(what, err)
		}
		if udpListen == "off" {
			return public, nil, nil
		}
		at := udpListen
		if at == "" {
			at = hostPort(host, public.Addr().(*net.TCPAddr).Port)
		}
		udp, err := tracker.ListenUDP(ctx, at)
		if err == nil {
			return public, udp, nil
		}
		public.Close()
		if udpListen != "" || port != "0" || try == freePorts {
			return nil, nil, fail(what, err).withHint("choose another address with --udp-listen, or off")
		}
	}
}
