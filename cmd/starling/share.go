package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"starling/cmd/starling/internal/config"
	"starling/cmd/starling/internal/report"
	"starling/internal/units"
	"starling/metainfo"
	"starling/peer"
	"starling/tracker"
	"starling/tracker/swarm"
)

func newShare(a *app) *cobra.Command {
	def := config.Default().Share
	cmd := &cobra.Command{
		Use:   "share PATH...",
		Short: "Share files with other hosts: tracker and seed in one",
		Long: `Hash files or directories, run a tracker and a seed for them, and print the command
that fetches them on the other hosts. It runs until stopped.`,
		Args: args(1, -1, "PATH"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.share(cmd.Context(), args) },
	}
	fs := cmd.Flags()
	fs.String("listen", def.Listen, "the tracker listens at `HOST:PORT`; port 0 picks a free one")
	fs.String("udp-listen", def.UDPListen, udpListenHelp)
	fs.String("peer-listen", def.PeerListen, "the seed listens at `HOST:PORT`; port 0 picks a free one")
	fs.String("advertise", def.Advertise, "the `HOST` that others reach this one by (default: its first address)")
	fs.String("piece-size", def.PieceSize, "auto, or a power of two from 16KiB to 64MiB")
	fs.StringArray("exclude", def.Exclude, excludeHelp)
	fs.String("view", def.View, "on or off: "+viewHelp)
	fs.Bool("super-seed", def.SuperSeed, superSeedHelp)
	fs.Duration("scrub", def.Scrub, scrubHelp)
	wireFlags(fs, def.Wire)
	return cmd
}

// sharing is one run of `starling share`.
type sharing struct {
	a *app
	c *config.Share
	// tracker is ours; local is its URL as we reach it, and public as others
	// do. We announce to the one from which the tracker sees an address of
	// ours that others can use. udp is as others reach it over UDP; "": not.
	tracker            *tracker.Server
	local, public, udp string
	served             chan error
	stop               context.CancelFunc
}

func (a *app) share(ctx context.Context, paths []string) error {
	sh := &sharing{a: a, c: &a.cfg.Share}
	ln, udp, err := listenTracker(ctx, "share", sh.c.Listen, sh.c.UDPListen)
	if err != nil {
		return err
	}
	addresses := map[string]string{"tracker": ln.Addr().String()}
	if udp != nil {
		addresses["udp"] = udp.LocalAddr().String()
	}
	if err := sh.startTracker(ln, udp); err != nil {
		ln.Close()
		if udp != nil {
			udp.Close()
		}
		return fail("share", err)
	}
	defer sh.stop()
	s, err := a.openSwarm(sh.c.PeerListen, &sh.c.Wire)
	if err != nil {
		var f *failure
		if errors.As(err, &f) {
			f.hint = "choose another address with --peer-listen; port 0 takes any free one"
		}
		return err
	}
	s.reloadable("share", func(c *config.Config) *config.Wire { return &c.Share.Wire })
	var lines []string
	for _, path := range paths {
		line, err := sh.add(ctx, s, path)
		if err != nil {
			s.close()
			return err
		}
		lines = append(lines, line)
	}
	if err := sh.announceLines(lines); err != nil {
		s.close()
		return err
	}
	s.ready(addresses)
	return sh.run(ctx, s)
}

// startTracker serves on ln, and on udp unless it is nil, until stop.
func (sh *sharing) startTracker(ln *net.TCPListener, udp *net.UDPConn) error {
	at := ln.Addr().(*net.TCPAddr)
	host, err := hostOf(at.IP)
	if err != nil {
		return err
	}
	sh.local = "http://" + hostPort(host, at.Port)
	advertised := strings.Trim(sh.c.Advertise, "[]")
	if advertised != "" {
		host = advertised
	}
	sh.public = "http://" + hostPort(host, at.Port)
	if udp != nil {
		at := udp.LocalAddr().(*net.UDPAddr)
		if advertised == "" && !at.IP.IsUnspecified() {
			host = at.IP.String()
		}
		sh.udp = "udp://" + hostPort(host, at.Port) + "/announce"
	}
	// One address may stand for a whole site behind it: no limit per address.
	cfg := trackerConfig(&config.Tracker{View: sh.c.View})
	srv, err := tracker.New(cfg, sh.a.log, tracker.NewMetrics(newRegistry()))
	if err != nil {
		return err
	}
	if udp != nil {
		srv.AddUDP(udp)
	}
	ctx, cancel := context.WithCancel(context.Background())
	sh.tracker, sh.served = srv, make(chan error, 1)
	go func() { sh.served <- srv.Serve(ctx, ln, nil, nil) }()
	sh.stop = func() {
		cancel()
		<-sh.served
	}
	return nil
}

// hostOf is where others reach a listener of an address.
func hostOf(ip net.IP) (string, error) {
	if ip.IsUnspecified() {
		return firstAddress()
	}
	return ip.String(), nil
}

var errNoAddress = errors.New("this host has no address but loopback: name one with --advertise")

// firstAddress is the host's first address that other hosts may reach: IPv4
// before IPv6, which more networks filter.
func firstAddress() (string, error) {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return "", err
	}
	found := ""
	for _, addr := range addrs {
		n, ok := addr.(*net.IPNet)
		if !ok || !n.IP.IsGlobalUnicast() {
			continue
		}
		if n.IP.To4() != nil {
			return n.IP.String(), nil
		}
		if found == "" {
			found = n.IP.String()
		}
	}
	if found == "" {
		return "", errNoAddress
	}
	return found, nil
}

// add shares one path and returns the command that fetches it.
func (sh *sharing) add(ctx context.Context, s *swarmPeer, path string) (string, error) {
	size, err := config.ParsePieceSize(sh.c.PieceSize)
	if err != nil {
		return "", usage("starling share", "%w", err)
	}
	trackers := []string{sh.public + "/announce"}
	if sh.udp != "" {
		trackers = append(trackers, sh.udp)
	}
	t, tree, err := sh.a.makeTorrent(ctx, path, recipe{pieceSize: size, exclude: sh.c.Exclude, trackers: trackers})
	if err != nil {
		return "", err
	}
	name := t.Info.Name
	if err := sh.tracker.Torrents().Add(name, t.Marshal()); err != nil {
		return "", fail("share "+path, err)
	}
	j := joining{meta: t, dir: tree.Dir, tiers: [][]string{{sh.local + "/announce"}}, peers: sh.c.Peer, superSeed: sh.c.SuperSeed,
		scrub: peer.Scrub{Every: sh.c.Scrub}}
	if j.store, j.have, err = sh.a.seedStore(ctx, t, tree.Dir, true); err != nil {
		return "", err
	}
	m, err := s.add(j)
	if err != nil {
		j.store.Close()
		return "", fail("share "+path, err)
	}
	m.fleet = sh.fleetOf(t.WireHash())
	in := &t.Info
	sh.a.rep.Say("sharing   %s  %s  %s pieces of %s", report.Escape(name), units.FormatBytes(in.TotalLength()),
		units.FormatCount(int64(in.NumPieces())), pieceSize(in))
	return "starling leech " + shellWords(sh.public+tracker.TorrentURLPath(name)), nil
}

// fleetOf asks our own tracker, less the seed that we are. A host that has
// finished and left is done all the same.
func (sh *sharing) fleetOf(h metainfo.Hash) func() *report.Fleet {
	return func() *report.Fleet {
		c, ok := sh.tracker.Counts(swarm.InfoHash(h))
		if !ok {
			return nil
		}
		return &report.Fleet{Complete: max(c.Complete-1, int(c.Downloaded)), Incomplete: int(c.Incomplete)}
	}
}

// announceLines prints what to run on the other hosts: the result of share.
func (sh *sharing) announceLines(lines []string) error {
	sh.a.rep.Say("on the other hosts run:")
	if sh.a.cfg.JSON {
		return nil // the last document on stdout is the summary
	}
	for _, l := range lines {
		if _, err := fmt.Fprintf(sh.a.stdout, "    %s\n", l); err != nil {
			return fail("write the result", err)
		}
	}
	return nil
}

// run seeds until stopped.
func (sh *sharing) run(ctx context.Context, s *swarmPeer) error {
	a := sh.a
	err := s.watch(ctx, func(m *member, _ *peer.Stats) (bool, error) {
		select {
		case err := <-sh.served:
			sh.served <- nil // for stop
			return true, fail("tracker", err)
		default:
			return m.keeper.look()
		}
	})
	last, left := s.leave()
	if left != nil {
		a.log.Warn("leaving the swarm", "err", left)
	}
	var bad *failure
	for i, m := range s.members {
		a.rep.Event(report.Event{Name: "stopped", Torrent: m.name, InfoHash: m.meta.WireHash().String()})
		if sig := stopped(ctx); sig != nil {
			code := sig.code()
			if f := m.badAtEnd("share "+m.name, &last[i]); f != nil {
				bad, code = f, f.code
			}
			sum := m.summary(&last[i], code)
			a.rep.Document(sum)
			if err := a.result(sum, ""); err != nil {
				return err
			}
		}
	}
	if bad != nil {
		return bad
	}
	if stopped(ctx) != nil {
		return stoppedDaemon(ctx, "share")
	}
	return fail("share "+filepath.Base(s.members[0].path()), err)
}
