package archtest

import (
	"go/ast"
	"go/token"
	"path"
	"slices"
	"strconv"
	"strings"
)

// checkBanned looks for names that no file may use.
func checkBanned(s *source) []string {
	return s.uses(func(_ token.Pos, pkg, name string) string {
		if slices.Contains(banned[pkg], name) {
			return "no metric goes to the process-wide registry"
		}
		return ""
	})
}

// uses asks about each name of an imported package that the file mentions, and
// reports those that are answered with a reason.
func (s *source) uses(why func(pos token.Pos, pkg, name string) string) []string {
	packages := map[string]string{}
	for _, spec := range s.file.Imports {
		packages[localName(spec)] = importPath(spec)
	}
	var found []string
	ast.Inspect(s.file, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if x, ok := sel.X.(*ast.Ident); ok && packages[x.Name] != "" {
			if reason := why(sel.Pos(), packages[x.Name], sel.Sel.Name); reason != "" {
				found = append(found, s.finding(sel.Pos(), "uses %s.%s: %s", x.Name, sel.Sel.Name, reason))
			}
		}
		return true
	})
	return found
}

func importPath(spec *ast.ImportSpec) string {
	p, err := strconv.Unquote(spec.Path.Value)
	if err != nil {
		panic(err) // the parser has accepted it
	}
	return p
}

// localName is the name by which a file knows an import: the given one, or the
// last element of the path that is not a major version.
func localName(spec *ast.ImportSpec) string {
	if spec.Name != nil {
		return spec.Name.Name
	}
	p := importPath(spec)
	if last := path.Base(p); len(last) > 1 && last[0] == 'v' && strings.Trim(last[1:], "0123456789") == "" {
		p = path.Dir(p)
	}
	return path.Base(p)
}
