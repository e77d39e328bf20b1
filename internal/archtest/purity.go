package archtest

import (
	"go/ast"
	"go/token"
	"slices"
)

// checkPurity reports whatever ties a file to the world: concurrency, the
// network, the file system, a clock, global randomness, a log.
func checkPurity(s *source) []string {
	var found []string
	for _, spec := range s.file.Imports {
		if p := importPath(spec); withinAny(p, impure) && !slices.Contains(pureNet, p) {
			found = append(found, s.finding(spec.Pos(), "imports %s: this file is pure", p))
		}
	}
	jobs := jobMethods(s.file)
	found = append(found, s.uses(func(pos token.Pos, pkg, name string) string {
		switch pkg {
		case "math/rand", "math/rand/v2":
			if !slices.Contains(randNames, name) {
				return "this file is pure, randomness is an argument"
			}
		default:
			inJob := slices.ContainsFunc(jobs, func(f *ast.FuncDecl) bool { return f.Pos() <= pos && pos < f.End() })
			if slices.Contains(impureNames[pkg], name) && !(pkg == "context" && inJob) {
				return "this file is pure, time is an argument"
			}
		}
		return ""
	})...)
	ast.Inspect(s.file, func(n ast.Node) bool {
		if what := concurrency(n); what != "" {
			found = append(found, s.finding(n.Pos(), "has %s: this file is pure", what))
		}
		return true
	})
	return found
}

// jobMethods are the methods Do(context.Context) of a file.
func jobMethods(file *ast.File) []*ast.FuncDecl {
	var jobs []*ast.FuncDecl
	for _, d := range file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || f.Recv == nil || f.Name.Name != "Do" || f.Type.Results != nil || f.Type.Params.NumFields() != 1 {
			continue
		}
		if t, ok := f.Type.Params.List[0].Type.(*ast.SelectorExpr); ok && t.Sel.Name == "Context" {
			jobs = append(jobs, f)
		}
	}
	return jobs
}

// concurrency names what a node does with goroutines or channels, if anything.
func concurrency(n ast.Node) string {
	switch n := n.(type) {
	case *ast.GoStmt:
		return "a go statement"
	case *ast.ChanType:
		return "a channel type"
	case *ast.SelectStmt:
		return "a select"
	case *ast.SendStmt:
		return "a send"
	case *ast.UnaryExpr:
		if n.Op == token.ARROW {
			return "a receive"
		}
	}
	return ""
}
