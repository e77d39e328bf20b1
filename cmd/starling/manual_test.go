package main

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"starling/cmd/starling/internal/manpage"
)

// manual is the pages of every command, by the names of their files.
func manual(t *testing.T) map[string]string {
	t.Helper()
	root := newRoot(&app{getenv: func(string) string { return "" }})
	out := map[string]string{}
	for _, p := range manpage.Pages(root, manOptions(time.Unix(0, 0))) {
		out[p.Name] = string(p.Text)
	}
	return out
}

// TestManual: every command has a page, every option of its is on it, and so is every
// exit code of the one const block that has them.
func TestManual(t *testing.T) {
	pages := manual(t)
	codes := exitCodes(t)
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		name := strings.ReplaceAll(c.CommandPath(), " ", "-") + ".1"
		text, ok := pages[name]
		if !ok {
			t.Errorf("there is no page %s", name)
		}
		for _, code := range codes {
			if !strings.Contains(text, "\n.TP\n\\fB"+strconv.Itoa(code)+"\\fR\n") {
				t.Errorf("%s does not have exit code %d", name, code)
			}
		}
		for _, line := range strings.Split(c.Flags().FlagUsages(), "\n") {
			for _, word := range strings.Fields(line) {
				if flag, ok := strings.CutPrefix(word, "--"); ok && c.Flags().Lookup(flag) != nil && !strings.Contains(text, `\fB\-\-`+strings.ReplaceAll(flag, "-", `\-`)+`\fR`) {
					t.Errorf("%s does not have --%s", name, flag)
				}
			}
		}
		delete(pages, name)
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(newRoot(&app{}))
	if len(pages) > 0 {
		t.Errorf("pages of no command: %d", len(pages))
	}
	var explained []int
	for _, e := range exitMeanings {
		explained = append(explained, e.Code)
		if !strings.Contains(exitCodesHelp, strconv.Itoa(e.Code)) {
			t.Errorf("--help does not have exit code %d", e.Code)
		}
	}
	if !slices.Equal(explained, codes) {
		t.Errorf("explained are the codes %v, of %v", explained, codes)
	}
}

// exitCodes reads the const block of exit.go.
func exitCodes(t *testing.T) []int {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "exit.go", nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	var out []int
	for _, d := range file.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.CONST || len(g.Specs) < 2 {
			continue
		}
		for _, s := range g.Specs {
			lit := s.(*ast.ValueSpec).Values[0].(*ast.BasicLit)
			n, err := strconv.Atoi(lit.Value)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, n)
		}
	}
	if len(out) < 14 {
		t.Fatalf("exit codes: %v", out)
	}
	return out
}

// TestManualFormats has groff read every page: it warns of what a man program would
// show wrong.
func TestManualFormats(t *testing.T) {
	groff, err := exec.LookPath("groff")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("no groff: install the package groff-base")
		}
		t.Skip("needs the package groff-base")
	}
	dir := t.TempDir()
	args := []string{"-man", "-Tutf8", "-ww", "-z"}
	for name, text := range manual(t) {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, path)
	}
	out, err := exec.Command(groff, args...).CombinedOutput()
	if err != nil || len(bytes.TrimSpace(out)) > 0 {
		t.Errorf("groff: %v\n%s", err, out)
	}
}
