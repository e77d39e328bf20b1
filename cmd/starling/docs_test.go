package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestDocsNameWhatExists holds the pages to the code: a test, a file, a package's
// constant or field that a page names in backticks must be there, and so must
// what it links to.
func TestDocsNameWhatExists(t *testing.T) {
	src := readSources(t, "../..")
	tests := regexp.MustCompile("`((?:Test|Fuzz|Benchmark)[A-Z]\\w*)`")
	names := regexp.MustCompile("`(p2p|tcp|monitor|peer|piece|store|choke|metainfo|tracker|swarm|benc|inbox)\\.(?:\\w+\\.)?(\\w+)`")
	files := regexp.MustCompile("`([\\w/.]+\\.(?:go|txtar))`")
	links := regexp.MustCompile(`\]\(([^)#:]+)\)`)
	for _, page := range []string{"README.md", "docs/architecture.md", "docs/cli.md", "docs/deploy.md", "docs/fleet.md", "docs/limits.md", "docs/metrics.md", "docs/operations.md", "docs/wire.md"} {
		b, err := os.ReadFile(filepath.Join("../..", page))
		if err != nil {
			t.Fatal(err)
		}
		text := string(b)
		for _, m := range tests.FindAllStringSubmatch(text, -1) {
			if !src.has(".", "func "+m[1]+"(") {
				t.Errorf("%s: there is no %s", page, m[1])
			}
		}
		for _, m := range names.FindAllStringSubmatch(text, -1) {
			if m[2] != "txtar" && m[2] != "js" && !src.has(folders[m[1]], m[2]) {
				t.Errorf("%s: package %s has no %s", page, m[1], m[2])
			}
		}
		for _, m := range files.FindAllStringSubmatch(text, -1) {
			if !src.hasFile(m[1]) {
				t.Errorf("%s: there is no file %s", page, m[1])
			}
		}
		for _, m := range links.FindAllStringSubmatch(text, -1) {
			if _, err := os.Stat(filepath.Join("../..", filepath.Dir(page), m[1])); err != nil {
				t.Errorf("%s: %v", page, err)
			}
		}
	}
}

// folders are where the packages that the pages name lie; inbox is a type of tcp.
var folders = map[string]string{
	"p2p": "p2p", "tcp": "p2p/tcp", "monitor": "p2p/monitor", "peer": "peer", "wire": "peer/wire", "magnet": "peer/magnet", "piece": "piece", "store": "piece/store", "choke": "choke", "webseed": "peer/webseed",
	"metainfo": "metainfo", "tracker": "tracker", "swarm": "tracker/swarm", "fleet": "tracker/fleet", "benc": "internal/benc", "inbox": "p2p/tcp", "descriptors": "internal/descriptors",
}

// sources is the text of the Go files of each folder, and of all under ".".
type sources struct {
	text  map[string]string
	files []string
}

func readSources(t *testing.T, root string) *sources {
	s := &sources{text: map[string]string{}}
	err := fs.WalkDir(os.DirFS(root), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != "." && strings.HasPrefix(d.Name(), ".") {
			return fs.SkipDir
		}
		s.files = append(s.files, path)
		if filepath.Ext(path) != ".go" {
			return nil
		}
		b, err := os.ReadFile(filepath.Join(root, path))
		dir := filepath.ToSlash(filepath.Dir(path))
		if !strings.HasSuffix(path, "_test.go") {
			s.text[dir] += string(b)
		}
		s.text["."] += string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *sources) has(dir, what string) bool {
	if strings.HasPrefix(what, "func ") {
		return strings.Contains(s.text[dir], what)
	}
	return regexp.MustCompile(`\b` + what + `\b`).MatchString(s.text[dir])
}

func (s *sources) hasFile(name string) bool {
	for _, f := range s.files {
		if f == name || strings.HasSuffix(f, "/"+name) {
			return true
		}
	}
	return false
}
