package main

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"starling/metainfo"
	"starling/piece"
)

// selection says which files of a torrent are wanted: those that match an
// include pattern (all, if there is none) and no exclude pattern.
type selection struct {
	include, exclude []string
	// only are the indices that a magnet link names (BEP 53), made
	// ours by numbered; nil: all.
	only []metainfo.Range
}

func (s selection) all() bool { return len(s.include) == 0 && len(s.exclude) == 0 && s.only == nil }

func (s selection) validate() error {
	for _, list := range [][]string{s.include, s.exclude} {
		for _, glob := range list {
			if _, err := path.Match(glob, ""); err != nil {
				return fmt.Errorf("pattern %q: %w", glob, err)
			}
		}
	}
	return nil
}

// wants says whether file i of a torrent is wanted. Padding never is: the pieces
// of the files around it are.
func (s selection) wants(in *metainfo.Info, i int) bool {
	named := func(r metainfo.Range) bool { return r.From <= i && i <= r.To }
	if in.Files[i].Pad || s.only != nil && !slices.ContainsFunc(s.only, named) {
		return false
	}
	parts := in.Files[i].Path
	if parts == nil {
		parts = []string{in.Name}
	}
	return (len(s.include) == 0 || matches(parts, s.include)) && !matches(parts, s.exclude)
}

// numbered turns the numbers that a magnet link gives files into our indices. Those of
// v1 are as the info dictionary lists the files (BEP 53), padding too. With a v2 side
// we count as libtorrent does, which reads the file tree: it has no padding, and each
// file that does not end with a piece counts as if it had some behind it.
func numbered(in *metainfo.Info, only []metainfo.Range) []metainfo.Range {
	if only == nil || !in.HasV2() {
		return only
	}
	out := []metainfo.Range{}  // not nil, which is all
	number, before := 0, false // whether the file before is named
	for i := range in.Files {
		f := &in.Files[i]
		if f.Pad {
			continue
		}
		named := slices.ContainsFunc(only, func(r metainfo.Range) bool { return r.From <= number && number <= r.To })
		switch {
		case named && before:
			out[len(out)-1].To = i
		case named:
			out = append(out, metainfo.Range{From: i, To: i})
		}
		before = named
		if number++; f.Length%in.PieceLength != 0 {
			number++
		}
	}
	return out
}

// matches holds a pattern without a slash against every component of a path, so
// that it names a file or a whole directory anywhere; one with a slash against
// the path below the torrent's name and the directories on the way to it.
func matches(parts []string, globs []string) bool {
	for _, glob := range globs {
		anchored := strings.Contains(glob, "/")
		glob = strings.Trim(glob, "/")
		for i, part := range parts {
			subject := part
			if anchored {
				subject = strings.Join(parts[:i+1], "/")
			}
			if ok, _ := path.Match(glob, subject); ok {
				return true
			}
		}
	}
	return false
}

// pieces returns the pieces that hold a byte of a wanted file, nil for all, and
// how many bytes the wanted files have.
func (s selection) pieces(in *metainfo.Info) (wanted *piece.Bitfield, size int64, files int) {
	wanted = piece.NewBitfield(in.NumPieces())
	for i, f := range in.Files {
		if !s.wants(in, i) {
			continue
		}
		files++
		size += f.Length
		for p := f.Offset / in.PieceLength; f.Length > 0 && p*in.PieceLength < f.Offset+f.Length; p++ {
			wanted.Set(int(p))
		}
	}
	if s.all() {
		wanted = nil
	}
	return wanted, size, files
}
