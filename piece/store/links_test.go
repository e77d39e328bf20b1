package store

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

func TestScanLinks(t *testing.T) {
	x := newTorrent(t, 64, file("t/a", 9, true), file("t/d/c", 2, true), file("t/d/e/f", 3, true))
	x.write(t, "t")
	for p, target := range map[string]string{
		"link": "d/c", "d/up": "../a", "chain": "link", "dir": "d/e", "through": "dir/f", "d/e/round": "../../d/./e/../c",
		"far": "d/../dir//f", "loop": "loop", "above": "dir/..",
	} {
		must(t, os.Symlink(target, x.path("t", p)))
	}
	must(t, os.Chmod(x.path("t", "a"), 0o755))
	tree, err := Scan(ctx, x.path("t"), nil)
	must(t, err)
	var got []string
	for _, l := range tree.Links {
		got = append(got, l.Path+"="+strings.Join(l.Target, "/"))
	}
	want := []string{
		"t/above=d", "t/chain=link", "t/d/e/round=d/c", "t/d/up=a", "t/dir=d/e", "t/far=d/e/f",
		"t/link=d/c", "t/loop=loop", "t/through=d/e/f",
	}
	if slices.Sort(got); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if len(tree.Files) != 3 || tree.Total != 14 || !tree.Files[0].Exec || tree.Files[1].Exec {
		t.Errorf("files %+v", tree.Files)
	}
}

func TestScanRefusesLinks(t *testing.T) {
	for i, c := range []struct{ target, why string }{
		{"../secret", `"d/l" points at "../../secret", which is outside`},
		{"../t/a", "which is outside"},
		{"/etc/passwd", "an absolute path"},
		{"a/../../a", "which is outside"},
		{"nowhere", "where nothing is"},
		{"d/nowhere/x", "where nothing is"},
		{".", "the directory of the torrent itself"},
		{"x.tmp", "which is left out"},
		{"hollow", "which is left out"},
		{"round/a", "through too many links"},
		{"out/x", "an absolute path"},
	} {
		x := newTorrent(t, 64, file("t/a", 9, true), file("t/x.tmp", 2, true), file("t/d/c", 1, true))
		x.write(t, "t")
		must(t, os.Mkdir(x.path("t", "hollow"), 0o755))
		must(t, os.Symlink("/etc", x.path("t", "out")))
		must(t, os.Symlink("round", x.path("t", "round")))
		must(t, os.WriteFile(x.path("secret"), nil, 0o600))
		must(t, os.Symlink("../"+c.target, x.path("t", "d", "l")))
		if strings.HasPrefix(c.target, "/") {
			must(t, os.Remove(x.path("t", "d", "l")))
			must(t, os.Symlink(c.target, x.path("t", "d", "l")))
		}
		tree, err := Scan(ctx, x.path("t"), []string{"*.tmp", "out", "round"})
		if !errors.Is(err, ErrLink) || !strings.Contains(fmt.Sprint(err), c.why) {
			t.Errorf("%d: %q: %v, %+v, want %q", i, c.target, err, tree, c.why)
		}
	}
}
