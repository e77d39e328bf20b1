package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/spf13/pflag"

	"starling/cmd/starling/internal/config"
	"starling/metainfo"
	"starling/peer"
	"starling/piece/store"
	"starling/tracker"
)

// A flag of a command that can be configured is a key, and a key is a flag.
func TestFlagsAndKeysAreTheSame(t *testing.T) {
	root := newRoot(&app{getenv: os.Getenv})
	keys := map[string]bool{}
	for _, k := range config.Keys() {
		keys[k.Section+"/"+k.Name] = true
		if meaning(root, k) == "" {
			t.Errorf("key %q of section %q has no flag", k.Name, k.Section)
		}
	}
	for _, section := range []string{"", "tracker", "seed", "leech", "share", "status", "wait"} {
		flags := root.PersistentFlags()
		if section != "" {
			cmd, _, err := root.Find([]string{section})
			if err != nil {
				t.Fatal(err)
			}
			flags = cmd.LocalNonPersistentFlags()
		}
		flags.VisitAll(func(f *pflag.Flag) {
			if f.Name != "config" && f.Name != "help" && !keys[section+"/"+f.Name] {
				t.Errorf("flag --%s of %q is no key", f.Name, section)
			}
		})
	}
}

func TestClassify(t *testing.T) {
	wrap := func(err error) error { return fmt.Errorf("context: %w", err) }
	for _, c := range []struct {
		err  error
		code int
	}{
		{errors.New("anything"), exitOther},
		{&metainfo.Error{What: "metainfo", Err: errors.New("x")}, exitNotFound},
		{fs.ErrNotExist, exitNotFound},
		{store.ErrExists, exitExists},
		{store.ErrInconsistent, exitNotFound},
		{fmt.Errorf("%w: %w", store.ErrNoSymlinks, syscall.EPERM), exitDisk},
		{&store.SpaceError{Path: "p", Need: 1, Free: 0}, exitDisk},
		{syscall.ENOSPC, exitDisk},
		{store.ErrPermission, exitDisk},
		{syscall.EROFS, exitDisk},
		{&store.SyncError{Err: syscall.EIO}, exitDisk},
		{store.ErrLocked, exitOther},
		{store.ErrChanged, exitIntegrity},
		{&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}, exitUnreached},
		{&net.OpError{Op: "listen", Err: syscall.EADDRINUSE}, exitOther},
		{&net.DNSError{Name: "nowhere"}, exitUnreached},
		{context.DeadlineExceeded, exitUnreached},
	} {
		if f := fail("test", wrap(c.err)); f.code != c.code {
			t.Errorf("%v: exit code %d, want %d", c.err, f.code, c.code)
		}
	}
	inner := fail("inner", store.ErrExists)
	if outer := fail("outer", wrap(inner)); outer != inner {
		t.Errorf("a failure is not kept: %v", outer)
	}
}

func TestSelection(t *testing.T) {
	in := &metainfo.Info{Name: "top", PieceLength: 100, Pieces: make([]byte, 20*4), Multi: true, Files: []metainfo.File{
		{Path: []string{"a.bin"}, Length: 150},
		{Path: []string{"sub", "a.txt"}, Length: 50, Offset: 150},
		{Path: []string{"sub", "deep", "b.bin"}, Length: 150, Offset: 200},
		{Path: []string{"z"}, Length: 0, Offset: 350},
	}}
	for _, c := range []struct {
		include, exclude, files, pieces string
	}{
		{"", "", "0123", "all"},
		{"*.bin", "", "02", "0123"},
		{"sub", "", "12", "123"},
		{"sub/*.txt", "", "1", "1"},
		{"*/deep", "", "2", "23"},
		{"", "sub", "03", "01"},
		{"*.bin", "sub/deep/", "0", "01"},
		{"z", "", "3", ""},
		{"top", "", "", ""},
	} {
		list := func(s string) []string { return strings.Fields(s) }
		s := selection{include: list(c.include), exclude: list(c.exclude)}
		files, pieces := "", ""
		for i := range in.Files {
			if s.wants(in, i) {
				files += itoa(i)
			}
		}
		wanted, _, n := s.pieces(in)
		if wanted == nil {
			pieces = "all"
		} else {
			for i := range wanted.Ones() {
				pieces += itoa(i)
			}
		}
		if files != c.files || pieces != c.pieces || n != len(c.files) {
			t.Errorf("include %q exclude %q: files %q (%d) pieces %q, want %q and %q", c.include, c.exclude, files, n, pieces, c.files, c.pieces)
		}
	}
	if (selection{include: []string{"["}}).validate() == nil {
		t.Error("a broken pattern is accepted")
	}
}

func TestText(t *testing.T) {
	if got := ranges([]int{0, 1, 2, 3, 7, 9, 10}, 10); got != "0-3, 7, 9-10" {
		t.Errorf("ranges: %q", got)
	}
	if got := ranges([]int{1, 3, 5, 6}, 2); got != "1, 3 and 2 more" {
		t.Errorf("ranges: %q", got)
	}
	if got := shellWords("leech", "a b", "it's", "", "~x", "$(rm)", "http://h:1/x%20y.torrent"); got != `leech 'a b' 'it'\''s' '' '~x' '$(rm)' http://h:1/x%20y.torrent` {
		t.Errorf("shellWords: %s", got)
	}
	for in, want := range map[string]string{
		"magnet:?xt=urn:btih:aa&xs=http%3A%2F%2Fh%2Ft": "http://h/t",
		"magnet:?as=https://h/t&xs=http://h/u":         "https://h/t",
		"magnet:?xs=ftp://h/t&xt=x":                    "",
		"magnet:?xs=%zz":                               "",
	} {
		if got := magnetSource(in); got != want {
			t.Errorf("magnetSource(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestTiersOf(t *testing.T) {
	m := &metainfo.Torrent{AnnounceList: [][]string{{"a", "b"}, {"c"}}}
	if got := fmt.Sprint(tiersOf([]string{"x", "b"}, m)); got != "[[x] [b] [a] [c]]" {
		t.Errorf("tiers %s", got)
	}
	if newAnnouncer(nil, nil, netip.Addr{}) != nil {
		t.Error("an announcer without a tracker")
	}
}

// The metrics of a peer and of a tracker, in the registries that they are served from.
func TestMetricsLint(t *testing.T) {
	for name, register := range map[string]func() int{
		"peer": func() int {
			reg := newRegistry()
			peer.NewMetrics(reg)
			return lint(t, reg)
		},
		"tracker": func() int {
			reg := newRegistry()
			tracker.NewMetrics(reg)
			return lint(t, reg)
		},
	} {
		if n := register(); n > 0 {
			t.Errorf("%s: %d problems", name, n)
		}
	}
}

func lint(t *testing.T, reg prometheus.Gatherer) int {
	t.Helper()
	problems, err := testutil.GatherAndLint(reg)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	return len(problems)
}
