package main

import (
	"bytes"
	"slices"
	"testing"

	"starling/metainfo"
)

// TestNumbered counts the files of one directory in each format as libtorrent 2.0.8
// does when a link names them: its numbers are below, those of padding left out.
func TestNumbered(t *testing.T) {
	files := []metainfo.File{
		{Path: []string{"f1"}, Length: 100}, {Path: []string{"f2"}, Length: 40_000}, {Path: []string{"f3"}},
		{Path: []string{"f4"}, Length: 16 << 10}, {Path: []string{"f5"}, Length: 70_000},
	}
	for format, libtorrents := range map[metainfo.Format][]int{
		metainfo.V1: {0, 1, 2, 3, 4}, metainfo.V2: {0, 2, 4, 5, 6}, metainfo.Hybrid: {0, 2, 4, 5, 6},
	} {
		b, err := metainfo.NewBuilderOf(format, "d", files, 16<<10)
		if err == nil {
			err = b.HashReader(bytes.NewReader(make([]byte, 100+40_000+16<<10+70_000)))
		}
		if err != nil {
			t.Fatal(err)
		}
		in := b.Info()
		chosen := func(only ...metainfo.Range) (names []string) {
			s := selection{only: numbered(in, only)}
			for i, f := range in.Files {
				if s.wants(in, i) {
					names = append(names, f.Path[0])
				}
			}
			return names
		}
		for n := range 9 {
			var want []string
			if i := slices.Index(libtorrents, n); i >= 0 {
				want = files[i].Path
			}
			if got := chosen(metainfo.Range{From: n, To: n}); !slices.Equal(got, want) {
				t.Errorf("format %v: so=%d names %q, want %q", format, n, got, want)
			}
		}
		last := metainfo.Range{From: libtorrents[3], To: 100}
		if got := chosen(metainfo.Range{From: 0, To: 0}, last); !slices.Equal(got, []string{"f1", "f4", "f5"}) {
			t.Errorf("format %v: two ranges name %q", format, got)
		}
		if got := chosen(); len(got) != len(files) {
			t.Errorf("format %v: no range names %q", format, got)
		}
	}
}
