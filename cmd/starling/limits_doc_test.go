package main

import (
	"errors"
	"fmt"
	"go/ast"
	"go/constant"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestLimitsDoc holds the values in docs/limits.md to the code: a row that names a
// constant must have its value, in one of the ways to write it.
func TestLimitsDoc(t *testing.T) {
	page, err := os.ReadFile("../../docs/limits.md")
	if err != nil {
		t.Fatal(err)
	}
	name := regexp.MustCompile("`(?:(\\w+)\\.)?(?:\\w+\\.)?(\\w+)`")
	fset := token.NewFileSet()
	std := importer.ForCompiler(fset, "source", nil)
	scopes, checked := map[string]*types.Scope{}, 0
	for line := range strings.Lines(string(page)) {
		cells := strings.Split(line, " | ")
		if len(cells) != 5 {
			continue
		}
		pkg := ""
		for _, m := range name.FindAllStringSubmatch(cells[2], -1) {
			if m[1] != "" {
				pkg = m[1]
			}
			dir := folders[pkg]
			if dir == "" {
				continue
			}
			if scopes[dir] == nil {
				scopes[dir] = constantsOf(t, fset, std, dir)
			}
			c, ok := scopes[dir].Lookup(m[2]).(*types.Const)
			if !ok || c.Val().Kind() == constant.Unknown {
				continue
			}
			checked++
			texts := waysToWrite(c)
			found := false
			for _, text := range texts {
				found = found || regexp.MustCompile(`(^|[^\d,.])`+regexp.QuoteMeta(text)+`($|[^\d,]|,\D)`).MatchString(cells[1])
			}
			if !found {
				t.Errorf("%s.%s is %s, and the page says %q", pkg, m[2], strings.Join(texts, " or "), cells[1])
			}
		}
	}
	if checked < 60 {
		t.Errorf("only %d values were compared", checked)
	}
}

// constantsOf type-checks as much of a package as its constants need: of what it
// imports, only package time.
func constantsOf(t *testing.T, fset *token.FileSet, std types.Importer, dir string) *types.Scope {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("../..", dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var files []*ast.File
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") || strings.HasSuffix(path, "_other.go") || strings.HasSuffix(path, "_bsd.go") {
			continue
		}
		f, err := parser.ParseFile(fset, path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	conf := types.Config{IgnoreFuncBodies: true, Importer: onlyTime{std}, Error: func(error) {}}
	pkg, _ := conf.Check(dir, fset, files, nil) // what it could not resolve is no constant of ours
	return pkg.Scope()
}

// onlyTime imports package time and nothing else.
type onlyTime struct{ types.Importer }

func (o onlyTime) Import(path string) (*types.Package, error) {
	if path != "time" {
		return nil, errors.New("not needed")
	}
	return o.Importer.Import(path)
}

// waysToWrite is how a page may write a constant.
func waysToWrite(c *types.Const) []string {
	v, exact := constant.Int64Val(constant.ToInt(c.Val()))
	if !exact {
		return []string{c.Val().String()}
	}
	var ways []string
	unit := func(size int64, name string) {
		if v >= size && v%size == 0 {
			ways = append(ways, fmt.Sprintf("%d %s", v/size, name))
		}
	}
	if strings.HasSuffix(c.Type().String(), "time.Duration") {
		unit(int64(time.Hour), "h")
		unit(int64(time.Minute), "min")
		unit(int64(time.Second), "s")
		unit(int64(time.Millisecond), "ms")
		return ways
	}
	unit(1<<40, "TiB/s")
	unit(1<<30, "GiB")
	unit(1<<20, "MiB")
	unit(1<<10, "KiB")
	unit(1e6, "MB/s")
	return append(ways, thousands(v), fmt.Sprint(v))
}

// thousands writes a number with commas.
func thousands(v int64) string {
	s := fmt.Sprint(v)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
