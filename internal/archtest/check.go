package archtest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// source is a parsed file. Its path is relative to the module's root, with
// slashes.
type source struct {
	path string
	fset *token.FileSet
	file *ast.File
}

// dir is the folder of the file's package.
func (s *source) dir() string { return path.Dir(s.path) }

// finding says what is wrong and where.
func (s *source) finding(pos token.Pos, format string, args ...any) string {
	return fmt.Sprintf("%s:%d: %s", s.path, s.fset.Position(pos).Line, fmt.Sprintf(format, args...))
}

// check reads the module in fsys and returns all that breaks a rule, in the
// order of the paths. The error is one of reading or parsing.
func check(fsys fs.FS) ([]string, error) {
	sources, err := load(fsys)
	if err != nil {
		return nil, err
	}
	found, err := checkFolders(fsys)
	if err != nil {
		return nil, err
	}
	found = append(found, checkDocs(sources)...)
	for _, s := range sources {
		found = append(found, checkImports(s)...)
		found = append(found, checkBanned(s)...)
		if pure(s.path) {
			found = append(found, checkPurity(s)...)
		}
	}
	return found, nil
}

// load parses all non-test files of the module, whatever system they are
// built for. Nested modules, testdata and hidden folders are not of it.
func load(fsys fs.FS) ([]*source, error) {
	var all []*source
	err := fs.WalkDir(fsys, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if p != "." && (d.Name() == "testdata" || d.Name() == "vendor" || strings.HasPrefix(d.Name(), ".") || exists(fsys, p+"/go.mod")) {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(p, ".go") || strings.HasSuffix(p, "_test.go") {
			return nil
		}
		text, err := fs.ReadFile(fsys, p)
		if err != nil {
			return err
		}
		s := &source{path: p, fset: token.NewFileSet()}
		s.file, err = parser.ParseFile(s.fset, p, text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		all = append(all, s)
		return nil
	})
	return all, err
}

func exists(fsys fs.FS, name string) bool {
	_, err := fs.Stat(fsys, name)
	return err == nil
}

// checkFolders looks at the names of the root's folders.
func checkFolders(fsys fs.FS) ([]string, error) {
	entries, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return nil, err
	}
	var found []string
	for _, e := range entries {
		if !e.IsDir() || strings.HasPrefix(e.Name(), ".") || e.Name() == "dist" || slices.Contains(topLevel, e.Name()) {
			continue
		}
		found = append(found, e.Name()+": a folder at the top that docs/architecture.md does not name")
	}
	return found, nil
}

// checkDocs wants a doc.go with a package comment in each package.
func checkDocs(sources []*source) []string {
	documented := map[string]bool{}
	var dirs []string
	for _, s := range sources {
		if !slices.Contains(dirs, s.dir()) {
			dirs = append(dirs, s.dir())
		}
		if path.Base(s.path) == "doc.go" && strings.TrimSpace(s.file.Doc.Text()) != "" {
			documented[s.dir()] = true
		}
	}
	var found []string
	for _, d := range dirs {
		if !documented[d] {
			found = append(found, d+": no doc.go with a package comment")
		}
	}
	return found
}
