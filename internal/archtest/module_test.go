package archtest

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestModule holds this module against the rules.
func TestModule(t *testing.T) {
	root := moduleRoot(t)
	fsys := os.DirFS(root)
	found, err := check(fsys)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range found {
		t.Error(f)
	}
	// A check that reads nothing finds nothing.
	sources, err := load(fsys)
	if err != nil {
		t.Fatal(err)
	}
	pures := 0
	for _, s := range sources {
		if pure(s.path) {
			pures++
		}
	}
	if len(sources) < 30 || pures < 15 {
		t.Errorf("only %d files read, %d of them pure", len(sources), pures)
	}
}

// TestRulesNameWhatExists: a rule about a folder that was renamed guards
// nothing. A few folders may be empty or absent as yet.
func TestRulesNameWhatExists(t *testing.T) {
	root := moduleRoot(t)
	later := []string{"deploy", "overlay", "sim"}
	folders := slices.Concat(pureFolders, slices.Collect(maps.Keys(imports)))
	for _, f := range folders {
		f = strings.TrimSuffix(f, "/...")
		if _, err := os.Stat(filepath.Join(root, f)); err != nil && !slices.Contains(later, f) {
			t.Errorf("a rule names %s: %v", f, err)
		}
	}
}

// moduleRoot walks up to the folder of go.mod.
func moduleRoot(t *testing.T) string {
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && strings.HasPrefix(string(text), "module "+module+"\n") {
			return dir
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod of module " + module + " above")
		}
		dir = filepath.Dir(dir)
	}
}
