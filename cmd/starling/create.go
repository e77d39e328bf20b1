package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"starling/cmd/starling/internal/config"
	"starling/cmd/starling/internal/report"
	"starling/internal/units"
	"starling/metainfo"
)

func newCreate(a *app) *cobra.Command {
	var r recipe
	var output, pieceSize, format string
	cmd := &cobra.Command{
		Use:   "create PATH",
		Short: "Write the .torrent of a file or a directory",
		Long: `Hash a file or a directory and write its .torrent. The same content and flags make
the same bytes, on any host; a creation date is written only if SOURCE_DATE_EPOCH
says one. An existing .torrent is replaced.

Every client reads --format v1. v2 hashes with SHA-256 only, hybrid both ways; each
file then begins at a piece, which suits few large files better than many small ones.
Symbolic links are kept as links and must point inside the directory.`,
		Args: args(1, 1, "PATH"),
		RunE: func(cmd *cobra.Command, args []string) error {
			size, err := config.ParsePieceSize(pieceSize)
			if err != nil {
				return usage(cmd.CommandPath(), "%w", err)
			}
			if r.format, err = metainfo.ParseFormat(format); err != nil {
				return usage(cmd.CommandPath(), "--format %w", err)
			}
			for _, u := range r.trackers {
				if err := config.CheckTrackerURL(u); err != nil {
					return usage(cmd.CommandPath(), "--tracker %w", err)
				}
			}
			for _, u := range r.webSeeds {
				if !isURL(u) {
					return usage(cmd.CommandPath(), "--webseed %q is not an http or https URL", u)
				}
			}
			r.pieceSize = size
			return a.create(cmd.Context(), args[0], output, r)
		},
	}
	fs := cmd.Flags()
	fs.StringVarP(&output, "output", "o", "", "write to `FILE` (default NAME.torrent)")
	fs.StringArrayVar(&r.trackers, "tracker", nil, "announce `URL`; tried in this order (repeatable)")
	fs.StringArrayVar(&r.webSeeds, "webseed", nil, "`URL` of an HTTP server that has the content (repeatable)")
	fs.StringVar(&format, "format", metainfo.V1.String(), "v1, v2 or hybrid")
	fs.StringVar(&pieceSize, "piece-size", "auto", "auto, or a power of two from 16KiB to 64MiB")
	fs.BoolVar(&r.private, "private", false, "peers come from the tracker only")
	fs.StringVar(&r.comment, "comment", "", "free text")
	fs.StringArrayVar(&r.exclude, "exclude", nil, excludeHelp)
	return cmd
}

const excludeHelp = "leave out what matches `GLOB`: a name anywhere, or with a slash a path below the top (repeatable)"

func (a *app) create(ctx context.Context, path, output string, r recipe) error {
	var err error
	if r.created, err = a.sourceDate(); err != nil {
		return usage("create", "%w", err)
	}
	t, _, err := a.makeTorrent(ctx, path, r)
	if err != nil {
		return err
	}
	if output == "" {
		output = t.Info.Name + ".torrent"
	}
	if err := writeFile(output, t.Marshal()); err != nil {
		return fail("write "+output, bare(err))
	}
	in := &t.Info
	a.rep.Say("created   %s  %s  %s pieces of %s  %s", report.Escape(output), units.FormatBytes(in.ContentLength()),
		units.FormatCount(int64(in.NumPieces())), pieceSize(in), t.WireHash())
	doc := docOf(t)
	doc.Path = output
	return a.result(doc, a.visible(output)+"\n")
}

// writeFile replaces a file in one step: who reads it sees the old or the new one.
func writeFile(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // gone after the rename
	_, err = f.Write(data)
	if err == nil {
		err = f.Chmod(0o666 &^ umask())
	}
	if err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return os.Rename(f.Name(), path)
}
