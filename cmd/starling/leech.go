package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"time"

	"github.com/spf13/cobra"

	"starling/cmd/starling/internal/config"
	"starling/cmd/starling/internal/report"
	"starling/internal/units"
	"starling/metainfo"
	"starling/peer"
	"starling/piece"
	"starling/piece/store"
)

const (
	// diskPatience is how long a transfer waits for a disk that refuses
	// (full, read-only) before it gives up; a moment's shortage is common.
	diskPatience = 30 * time.Second
	// settle is how long a leech that may go early stays at least, so that the
	// tracker's answer to `completed` has told who else needs us.
	settle = time.Second
)

func newLeech(a *app) *cobra.Command {
	def := config.Default().Leech
	cmd := &cobra.Command{
		Use:     "leech REF",
		Aliases: []string{"get"},
		Short:   "Fetch a torrent's content",
		Long: `Fetch a torrent's content into -o. It is at its final name only when all of it is
verified and durable; until then it is NAME.part, and the same command resumes.

Then it seeds: for as long as somebody lacks pieces, at most a minute (--seed-for auto);
for exactly --seed-for DURATION; or --seed-forever; or not at all (--no-seed).

--on-complete runs one program, without a shell, with one argument: the path of what
was fetched. STARLING_PATH, STARLING_NAME and STARLING_INFOHASH tell it more.`,
		Args: args(1, 1, "REF"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.leech(cmd.Context(), args[0]) },
	}
	fs := cmd.Flags()
	fs.StringP("output", "o", def.Output, "fetch into `DIR`")
	fs.String("listen", def.Listen, "listen for peers at `HOST:PORT`; port 0 picks a free one")
	fs.StringArray("tracker", def.Tracker, "announce `URL`, before the torrent's own (repeatable)")
	fs.StringArray("webseed", def.WebSeed, "fetch also from the HTTP server at `URL`, before the torrent's own (repeatable)")
	fs.String("seed-for", def.SeedFor, "seed so long after completion: a duration, or auto")
	fs.Bool("seed-forever", def.SeedForever, "seed until stopped")
	fs.Bool("no-seed", def.NoSeed, "leave at completion")
	fs.StringArray("include", def.Include, "fetch only what matches `GLOB`: a name anywhere, or with a slash a path below the top (repeatable)")
	fs.StringArray("exclude", def.Exclude, excludeHelp)
	fs.Bool("overwrite", def.Overwrite, "replace what is at the final name")
	fs.Bool("dry-run", def.DryRun, "say what would be fetched, and touch nothing")
	fs.Duration("timeout", def.Timeout, "give up after so long (0: never)")
	fs.Duration("stall-timeout", def.StallTimeout, "give up when nothing came for so long (0: never)")
	fs.Duration("scrub", def.Scrub, scrubHelp)
	fs.String("on-complete", def.OnComplete, "run the program `CMD` at completion")
	wireFlags(fs, def.Wire)
	return cmd
}

// leeching is one run of `starling leech`.
type leeching struct {
	a        *app
	c        *config.Leech
	ref      string
	what     string // for errors
	meta     *metainfo.Torrent
	sel      selection
	deadline time.Time // zero: none
	diskBad  time.Time // since when the disk refuses; zero: it does not
	hook     chan error
}

func (a *app) leech(ctx context.Context, ref string) error {
	c := &a.cfg.Leech
	l := &leeching{a: a, c: c, ref: ref, what: "leech " + ref, sel: selection{include: c.Include, exclude: c.Exclude, only: selected(ref)}}
	if err := l.sel.validate(); err != nil {
		return usage("starling leech", "%w", err)
	}
	if c.OnComplete != "" {
		if _, err := exec.LookPath(c.OnComplete); err != nil {
			return usage("starling leech", "--on-complete: %w", err)
		}
	}
	if c.Timeout > 0 {
		l.deadline = a.now().Add(c.Timeout)
	}
	t, found, err := a.resolve(ctx, ref, meeting{trackers: c.Tracker, peers: c.Peer, listen: c.Listen, encryption: c.Encryption, timeout: c.Timeout})
	if err != nil {
		return err
	}
	l.meta, l.what = t, "leech "+t.Info.Name
	l.sel.only = numbered(&t.Info, l.sel.only)
	wanted, size, files := l.sel.pieces(&t.Info)
	if files == 0 {
		return usage("starling leech", "no file of %s matches --include, --exclude and the link's so=", t.Info.Name)
	}
	if c.DryRun {
		return l.dryRun(size)
	}
	// The port is opened before the disk is looked at: a taken port is found
	// out at once, and peers that connect early find us there.
	s, err := a.openSwarm(c.Listen, &c.Wire)
	if err != nil {
		return err
	}
	s.reloadable("leech", func(c *config.Config) *config.Wire { return &c.Leech.Wire })
	j := joining{meta: t, dir: c.Output, wanted: wanted, tiers: tiersOf(c.Tracker, t), peers: append(found, c.Peer...),
		webSeeds: webSeedsOf(c.WebSeed, ref, t), scrub: peer.Scrub{Every: c.Scrub, Mend: true}}
	if j.store, j.have, err = l.open(ctx); err != nil {
		s.close()
		return err
	}
	m, err := s.add(j)
	if err != nil {
		j.store.Close()
		s.close()
		return fail(l.what, err)
	}
	s.ready(nil)
	return l.end(ctx, s, m, l.transfer(ctx, s))
}

// open opens the store and finds out what is there already.
func (l *leeching) open(ctx context.Context) (*store.Store, *piece.Bitfield, error) {
	in := &l.meta.Info
	s, err := l.a.openStore(l.meta, l.c.Output, store.Config{
		Overwrite: l.c.Overwrite,
		Files:     storeFiles(in, func(i int) bool { return l.sel.wants(in, i) }),
	})
	if err != nil {
		return nil, nil, fail(l.what, err)
	}
	bits, err := l.a.verified(ctx, l.meta, s)
	if err == nil {
		var have *piece.Bitfield
		if have, err = piece.BitfieldFromBytes(bits, in.NumPieces()); err == nil {
			return s, have, nil
		}
	}
	s.Close()
	return nil, nil, interruptedOr(ctx, l.what, err)
}

// transfer watches until there is nothing more to do. nil means complete, and
// seeded as long as was asked for.
func (l *leeching) transfer(ctx context.Context, s *swarmPeer) error {
	return s.watch(ctx, func(m *member, st *peer.Stats) (bool, error) {
		if m.isComplete() {
			l.startHook(ctx, m)
			if l.seeded(m, st) {
				return true, nil
			}
			return m.keeper.look()
		}
		return false, l.check(st)
	})
}

// check says whether an incomplete transfer is to be given up, and why.
func (l *leeching) check(st *peer.Stats) error {
	now := l.a.now()
	if errors.Is(st.Err, store.ErrInconsistent) {
		return fail(l.what, st.Err) // nobody can have what the torrent asks for
	}
	if st.State != peer.StateError {
		l.diskBad = time.Time{}
	} else if l.diskBad.IsZero() {
		l.diskBad = now
	} else if now.Sub(l.diskBad) > diskPatience {
		return fail(l.what, st.Err)
	}
	var why string
	switch {
	case !l.deadline.IsZero() && now.After(l.deadline):
		why = "--timeout " + l.c.Timeout.String()
	case l.c.StallTimeout > 0 && now.Sub(st.LastProgress) > l.c.StallTimeout:
		why = "nothing came for " + l.c.StallTimeout.String()
	default:
		return nil
	}
	if st.TrackerErr != nil && st.ReceivedPayload == 0 {
		return fail(l.what, fmt.Errorf("%s: %s", why, oneLine(st.TrackerErr))).withCode(exitUnreached).retryable().
			withHint("start the tracker, or name a peer with --peer; then: %s", l.resume())
	}
	reason := trouble(st)
	if reason == "" {
		reason = plural(st.Remotes, "peer")
	}
	return fail(l.what, fmt.Errorf("%s: %s of it is here; %s", why, units.FormatFraction(st.BytesDone, st.BytesTotal), reason)).
		withCode(exitIncomplete).retryable().withHint("resume with: %s", l.resume())
}

// resume is the command that goes on where this one stops.
func (l *leeching) resume() string { return shellWords("starling", "leech", l.ref, "-o", l.c.Output) }

// seeded says whether we have seeded enough.
func (l *leeching) seeded(m *member, st *peer.Stats) bool {
	if l.c.SeedForever {
		return false
	}
	enough, auto, err := config.ParseSeedFor(l.c.SeedFor)
	if err != nil || l.c.NoSeed { // Validate has refused an error
		enough, auto = 0, false
	}
	since := l.a.now().Sub(m.completeAt)
	if since >= enough {
		return true
	}
	return auto && since >= settle && st.Remotes == st.Seeders && st.TrackerIncomplete <= 0
}

// startHook runs the program of --on-complete, once, beside the seeding.
func (l *leeching) startHook(ctx context.Context, m *member) {
	if l.c.OnComplete == "" || l.hook != nil {
		return
	}
	l.hook = make(chan error, 1)
	go func() { l.hook <- l.a.runHook(ctx, l.c.OnComplete, m.path(), l.meta) }()
}

// end leaves the swarm and says how it went. cause nil is success.
func (l *leeching) end(ctx context.Context, s *swarmPeer, m *member, cause error) error {
	a := l.a
	if l.hook != nil {
		if err := a.outlive(l.hook); err != nil && cause == nil {
			cause = fail("on-complete "+l.c.OnComplete, err)
		}
	}
	last, err := s.leave()
	st := &last[0]
	if err != nil && cause == nil && !m.isComplete() {
		cause = err
	} else if err != nil {
		a.log.Warn("leaving the swarm", "err", err)
	}
	f := l.failure(ctx, m, st, cause)
	if bad := m.badAtEnd(l.what, st); bad != nil && (f == nil || f.quiet) {
		f = bad
	}
	code := exitOK
	if f != nil {
		code = f.code
	}
	a.rep.Status(m.status(st), true)
	a.rep.Event(report.Event{Name: "stopped", Torrent: m.name, InfoHash: l.meta.WireHash().String()})
	sum := m.summary(st, code)
	a.rep.Document(sum)
	if f != nil && !f.quiet {
		return f
	}
	from := units.FormatBytes(sum.BytesFrom.Peers) + " from peers, "
	if n := sum.BytesFrom.WebSeeds; n > 0 {
		from += units.FormatBytes(n) + " from web seeds, "
	}
	a.rep.Say("done      %s in %s  %s  %s%s on disk before  sent %s", units.FormatBytes(st.BytesTotal),
		units.FormatDuration(time.Duration(sum.DurationS*float64(time.Second))), units.FormatRate(float64(sum.AvgBPS)),
		from, units.FormatBytes(sum.BytesFrom.Disk), units.FormatBytes(sum.BytesSent))
	if err := a.result(sum, a.visible(m.path())+"\n"); err != nil {
		return err
	}
	if f != nil {
		return f
	}
	return nil
}

// failure turns why the transfer ended into what main reports; nil for success.
// A signal while it only seeded sets the exit code and is no error.
func (l *leeching) failure(ctx context.Context, m *member, st *peer.Stats, cause error) *failure {
	sig := stopped(ctx)
	switch {
	case cause == nil:
		return nil
	case sig != nil && m.isComplete():
		return &failure{code: sig.code(), what: l.what, err: sig, quiet: true}
	case sig != nil:
		f := &failure{code: sig.code(), what: l.what, retry: true}
		f.err = fmt.Errorf("%w: %s of it is here", sig, units.FormatFraction(st.BytesDone, st.BytesTotal))
		return f.withHint("resume with: %s", l.resume())
	}
	return fail(l.what, cause)
}

// dryRun says what would be fetched.
func (l *leeching) dryRun(size int64) error {
	in := &l.meta.Info
	doc := docOf(l.meta)
	doc.Path, doc.Files, doc.Size = contentPath(l.c.Output, l.meta), []fileDoc{}, size
	var text string
	for i, f := range in.Files {
		if l.sel.wants(in, i) {
			doc.Files = append(doc.Files, fileDoc{Path: in.FilePath(i), Length: f.Length})
			text += fmt.Sprintf("%10s  %s\n", units.FormatBytes(f.Length), report.Escape(in.FilePath(i)))
		}
	}
	text += fmt.Sprintf("%10s  in %s would go to %s\n", units.FormatBytes(size), plural(len(doc.Files), "file"), report.Escape(doc.Path))
	return l.a.result(doc, text)
}
