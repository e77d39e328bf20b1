package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"starling/cmd/starling/internal/report"
	"starling/internal/units"
	"starling/metainfo"
	"starling/piece"
	"starling/piece/store"
)

// verifyDoc is the result of verify as JSON.
type verifyDoc struct {
	Path      string   `json:"path"`
	InfoHash  string   `json:"infohash"`
	Pieces    int      `json:"pieces"`
	BadPieces []int    `json:"bad_pieces"`
	BadFiles  []string `json:"bad_files"`
	Repaired  bool     `json:"repaired"`
}

func newVerify(a *app) *cobra.Command {
	var repair bool
	cmd := &cobra.Command{
		Use:   "verify REF DIR",
		Short: "Hash what is on the disk again",
		Long: `Hash the torrent's content in DIR, the directory that holds the torrent's name, and
name the pieces and files that are bad or missing. Exit code 0: all is right; 4: it
is not.

With --repair, bad content is taken back to NAME.part with only its good pieces, so
that "starling leech" fetches the bad ones and nothing else.`,
		Args: args(2, 2, "REF DIR"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.verify(cmd.Context(), args[0], args[1], repair)
		},
	}
	cmd.Flags().BoolVar(&repair, "repair", false, "clear bad pieces, so that leech fetches them again")
	return cmd
}

func (a *app) verify(ctx context.Context, ref, dir string, repair bool) error {
	t, _, err := a.resolve(ctx, ref, meeting{listen: "127.0.0.1:0", timeout: fetchTimeout})
	if err != nil {
		return err
	}
	what := "verify " + contentPath(dir, t)
	have, err := a.check(ctx, t, dir, store.Config{ReadOnly: true, NoState: true})
	if err != nil {
		return interruptedOr(ctx, what, err)
	}
	doc := verifyDoc{Path: contentPath(dir, t), InfoHash: t.WireHash().String(), Pieces: t.Info.NumPieces(), BadPieces: []int{}, BadFiles: []string{}}
	for i := range t.Info.NumPieces() {
		if !have.Has(i) {
			doc.BadPieces = append(doc.BadPieces, i)
		}
	}
	for i := range t.Info.Files {
		if !hasFile(&t.Info, i, have) {
			doc.BadFiles = append(doc.BadFiles, t.Info.FilePath(i))
		}
	}
	if len(doc.BadPieces) > 0 && repair {
		if err := a.repair(ctx, t, dir); err != nil {
			return interruptedOr(ctx, "repair "+contentPath(dir, t), err)
		}
		doc.Repaired = true
	}
	if err := a.result(doc, a.verifyText(&doc, t)); err != nil || len(doc.BadPieces) == 0 {
		return err
	}
	f := fail(what, fmt.Errorf("%d of %d pieces are bad or missing", len(doc.BadPieces), doc.Pieces)).withCode(exitIntegrity)
	if repair {
		return f.withHint("starling leech %s -o %s", ref, dir)
	}
	return f.withHint("starling verify --repair %s %s", ref, dir)
}

// check hashes everything, whatever a resume file says.
func (a *app) check(ctx context.Context, t *metainfo.Torrent, dir string, cfg store.Config) (*piece.Bitfield, error) {
	s, err := a.openStore(t, dir, cfg)
	if err != nil {
		return nil, err
	}
	progress, done := a.progressOf("checking", t.Info.Name, t.Info.ContentLength())
	bits, err := s.Check(ctx, progress)
	done()
	if closed := s.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return nil, err
	}
	return piece.BitfieldFromBytes(bits, t.Info.NumPieces())
}

// repair takes published content back to where work in progress lies, and lets
// the resume file say which pieces of it are good.
func (a *app) repair(ctx context.Context, t *metainfo.Torrent, dir string) error {
	final := contentPath(dir, t)
	part := final + ".part"
	if _, err := os.Lstat(part); errors.Is(err, fs.ErrNotExist) {
		if err := os.Rename(final, part); err != nil {
			return err
		}
	}
	_, err := a.check(ctx, t, dir, store.Config{})
	return err
}

// hasFile says whether every piece with a byte of file i is there. Padding is on
// no disk and never missed.
func hasFile(in *metainfo.Info, i int, have *piece.Bitfield) bool {
	f := &in.Files[i]
	if f.Length == 0 || f.Pad {
		return true
	}
	for p := f.Offset / in.PieceLength; p*in.PieceLength < f.Offset+f.Length; p++ {
		if !have.Has(int(p)) {
			return false
		}
	}
	return true
}

// shownRanges is how many runs of bad pieces a person is shown.
const shownRanges = 10

func (a *app) verifyText(d *verifyDoc, t *metainfo.Torrent) string {
	var b strings.Builder
	if len(d.BadPieces) == 0 {
		fmt.Fprintf(&b, "ok  %s  %s  %s pieces\n", a.visible(d.Path), units.FormatBytes(t.Info.ContentLength()), units.FormatCount(int64(d.Pieces)))
		return b.String()
	}
	fmt.Fprintf(&b, "bad pieces  %s\n", ranges(d.BadPieces, shownRanges))
	for _, f := range d.BadFiles {
		fmt.Fprintf(&b, "bad file    %s\n", report.Escape(filepath.FromSlash(f)))
	}
	if d.Repaired {
		fmt.Fprintf(&b, "cleared     %d pieces\n", len(d.BadPieces))
	}
	return b.String()
}

// ranges prints ascending numbers as 0-3, 7, 9-12 and at most so many runs.
func ranges(list []int, most int) string {
	var out []string
	for i := 0; i < len(list); {
		j := i
		for j+1 < len(list) && list[j+1] == list[j]+1 {
			j++
		}
		if len(out) == most {
			return strings.Join(out, ", ") + fmt.Sprintf(" and %d more", len(list)-i)
		}
		if i == j {
			out = append(out, fmt.Sprint(list[i]))
		} else {
			out = append(out, fmt.Sprintf("%d-%d", list[i], list[j]))
		}
		i = j + 1
	}
	return strings.Join(out, ", ")
}
