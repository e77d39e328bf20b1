package metainfo

import (
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
)

// corpus reads the committed inputs of a fuzz target.
func corpus(t *testing.T, target string) map[string]string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", "fuzz", target, "*"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("%s: %v, %d files", target, err, len(paths))
	}
	inputs := make(map[string]string)
	for _, p := range paths {
		b, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		_, line, _ := strings.Cut(string(b), "\n")
		from, to := strings.Index(line, "("), strings.LastIndex(line, ")")
		s, err := strconv.Unquote(line[from+1 : to])
		if err != nil {
			t.Fatalf("%s: %v", p, err)
		}
		inputs[filepath.Base(p)] = s
	}
	return inputs
}

// Every hostile torrent is refused, with a line that says why, and for memory in
// proportion to it: a file tree may stand for more than it is long, which
// TestTreeBoundsMemory bounds as a whole.
func TestHostileTorrents(t *testing.T) {
	for _, target := range []string{"FuzzParse", "FuzzParseV2"} {
		for name, in := range corpus(t, target) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			tor, err := Parse([]byte(in))
			runtime.ReadMemStats(&after)
			if err == nil {
				t.Errorf("%s/%s is read as %+v", target, name, tor)
				continue
			}
			if msg := err.Error(); strings.ContainsAny(msg, "\n\r\x1b") || len(msg) > 1000 {
				t.Errorf("%s/%s: %q is no message", target, name, msg)
			}
			if grown := after.TotalAlloc - before.TotalAlloc; grown > 64<<10+200*uint64(len(in)) {
				t.Errorf("%s/%s: %d bytes allocated for %d", target, name, grown, len(in))
			}
		}
	}
}
