package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"starling/cmd/starling/internal/config"
	"starling/cmd/starling/internal/report"
	"starling/metainfo"
	"starling/peer"
	"starling/piece"
	"starling/piece/store"
)

func newSeed(a *app) *cobra.Command {
	def := config.Default().Seed
	cmd := &cobra.Command{
		Use:   "seed REF|PATH",
		Short: "Seed content until stopped",
		Long: `Seed the content of a torrent until stopped. An argument that ends in .torrent, and a
URL or a magnet link, is a REF: its content is checked in --data, the directory that
holds the torrent's name. Any other argument is a file or a directory, which is hashed
first; -o writes its .torrent for the others.`,
		Args: args(1, 1, "REF|PATH"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.seed(cmd.Context(), args[0]) },
	}
	fs := cmd.Flags()
	fs.String("data", def.Data, "`DIR` that holds the torrent's name")
	fs.String("listen", def.Listen, "listen for peers at `HOST:PORT`; port 0 picks a free one")
	fs.StringArray("tracker", def.Tracker, "announce `URL`, before the torrent's own (repeatable)")
	fs.StringP("output", "o", def.Output, "write the .torrent of PATH to `FILE`")
	fs.Bool("super-seed", def.SuperSeed, superSeedHelp)
	fs.Duration("scrub", def.Scrub, scrubHelp)
	wireFlags(fs, def.Wire)
	return cmd
}

const superSeedHelp = "have other clients fetch each piece once before any twice (BEP 16), where the uplink is scarce"

const scrubHelp = "read all that is seeded again once in so long, and hold it against its hashes (0: never)"

// wireFlags are the flags of every command that is a peer.
func wireFlags(fs *pflag.FlagSet, def config.Wire) {
	up, down := def.UpLimit, def.DownLimit
	fs.Var(&up, "up-limit", "send at most `RATE`, like 200MiB/s or 20mbit (0: no limit)")
	fs.Var(&down, "down-limit", "receive at most `RATE` (0: no limit)")
	fs.Int("max-peers", def.MaxPeers, "connections of a torrent at most")
	fs.String("choke", def.Choke, "whom to send to: tit-for-tat, or cooperative for hosts that trust each other")
	fs.StringArray("peer", def.Peer, "connect to a peer at `HOST:PORT` as well (repeatable)")
	fs.String("encryption", def.Encryption, "hide BitTorrent on the wire, which protects nothing: accept, off, prefer or require")
	fs.Bool("lsd", def.LSD, "find peers in the local network by multicast")
}

func (a *app) seed(ctx context.Context, arg string) error {
	c := &a.cfg.Seed
	t, dir, hashed, err := a.seedSource(ctx, arg)
	if err != nil {
		return err
	}
	s, err := a.openSwarm(c.Listen, &c.Wire)
	if err != nil {
		return err
	}
	s.reloadable("seed", func(c *config.Config) *config.Wire { return &c.Seed.Wire })
	j := joining{meta: t, dir: dir, tiers: tiersOf(c.Tracker, t), peers: c.Peer, superSeed: c.SuperSeed,
		scrub: peer.Scrub{Every: c.Scrub}}
	if j.store, j.have, err = a.seedStore(ctx, t, dir, hashed); err != nil {
		s.close()
		return err
	}
	m, err := s.add(j)
	if err != nil {
		j.store.Close()
		s.close()
		return fail("seed "+arg, err)
	}
	s.ready(nil)
	err = s.watch(ctx, func(m *member, _ *peer.Stats) (bool, error) { return m.keeper.look() })
	return a.endSeed(ctx, s, m, "seed "+arg, err)
}

// endSeed leaves the swarm and says how it went.
func (a *app) endSeed(ctx context.Context, s *swarmPeer, m *member, what string, cause error) error {
	last, err := s.leave()
	if err != nil {
		a.log.Warn("leaving the swarm", "err", err)
	}
	a.rep.Event(report.Event{Name: "stopped", Torrent: m.name, InfoHash: m.meta.WireHash().String()})
	if sig := stopped(ctx); sig != nil {
		bad, code := m.badAtEnd(what, &last[0]), sig.code()
		if bad != nil {
			code = bad.code
		}
		sum := m.summary(&last[0], code)
		a.rep.Document(sum)
		if err := a.result(sum, ""); err != nil {
			return err
		}
		if bad != nil {
			return bad
		}
		return stoppedDaemon(ctx, what)
	}
	return fail(what, cause)
}

// seedSource finds what to seed and in which directory it lies; hashed says that
// it was read just now.
func (a *app) seedSource(ctx context.Context, arg string) (t *metainfo.Torrent, dir string, hashed bool, err error) {
	c := &a.cfg.Seed
	if isRef(arg) {
		t, _, err = a.resolve(ctx, arg, meeting{trackers: c.Tracker, listen: c.Listen, encryption: c.Encryption, timeout: fetchTimeout})
		return t, c.Data, false, err
	}
	t, tree, err := a.makeTorrent(ctx, arg, recipe{trackers: c.Tracker})
	if err != nil {
		return nil, "", false, err
	}
	if c.Output != "" {
		if err := writeFile(c.Output, t.Marshal()); err != nil {
			return nil, "", false, fail("write "+c.Output, bare(err))
		}
	}
	return t, tree.Dir, true, nil
}

// seedStore opens complete content for reading. Content that is not complete is
// refused: to fetch the rest is what leech does.
func (a *app) seedStore(ctx context.Context, t *metainfo.Torrent, dir string, hashed bool) (*store.Store, *piece.Bitfield, error) {
	what := "seed " + contentPath(dir, t)
	s, err := a.openStore(t, dir, store.Config{ReadOnly: true})
	if err != nil {
		return nil, nil, fail(what, err).withHint("--data is the directory that holds %s", shellWords(t.Info.Name))
	}
	bits, err := a.verified(ctx, t, s)
	if err != nil {
		s.Close()
		return nil, nil, interruptedOr(ctx, what, err)
	}
	have, err := piece.BitfieldFromBytes(bits, t.Info.NumPieces())
	if err == nil && !have.All() {
		s.Close()
		missing := have.Len() - have.Count()
		f := fail(what, fmt.Errorf("%d of %d pieces are bad or missing", missing, have.Len())).withCode(exitIntegrity)
		if hashed {
			return nil, nil, f.withHint("let nobody write to the content while it is read")
		}
		return nil, nil, f.withHint("starling verify --repair REF %s; then starling leech REF -o %s --seed-forever", shellWords(dir), shellWords(dir))
	}
	if err != nil {
		s.Close()
		return nil, nil, fail(what, err)
	}
	return s, have, nil
}

// tiersOf puts trackers of the command line before the torrent's own.
func tiersOf(first []string, t *metainfo.Torrent) [][]string {
	var tiers [][]string
	seen := map[string]bool{}
	for _, u := range first {
		tiers = append(tiers, []string{u})
		seen[u] = true
	}
	for _, tier := range t.Trackers() {
		var rest []string
		for _, u := range tier {
			if !seen[u] {
				rest = append(rest, u)
			}
		}
		if len(rest) > 0 {
			tiers = append(tiers, rest)
		}
	}
	return tiers
}
