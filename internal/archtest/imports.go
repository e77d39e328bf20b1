package archtest

import (
	"path"
	"slices"
	"strings"
)

// checkImports holds a file against the tables of imports.
func checkImports(s *source) []string {
	var found []string
	for _, spec := range s.file.Imports {
		p := importPath(spec)
		if why := refuse(s.dir(), p); why != "" {
			found = append(found, s.finding(spec.Pos(), "imports %s: %s", p, why))
		}
		if spec.Name != nil && spec.Name.Name == "." {
			found = append(found, s.finding(spec.Pos(), "imports %s with a dot, which hides where names come from", p))
		}
	}
	return found
}

// refuse says why a package in dir may not import p, or nothing if it may.
func refuse(dir, p string) string {
	if p == module || within(p, module) {
		return refuseOwn(dir, strings.TrimPrefix(strings.TrimPrefix(p, module), "/"))
	}
	if first, _, _ := strings.Cut(p, "/"); !strings.Contains(first, ".") {
		if slices.Contains(onlyCmd, p) && !within(dir, "cmd") {
			return "only cmd may"
		}
		return ""
	}
	for m, users := range foreign {
		if within(p, m) {
			if withinAny(dir, users) {
				return ""
			}
			return "only " + strings.Join(users, ", ") + " may"
		}
	}
	return "a module that archtest does not know"
}

func refuseOwn(dir, p string) string {
	rule := dir
	for rule != "." && imports[rule] == nil {
		rule = path.Dir(rule)
	}
	if rule == "." {
		return dir + " has no rule in archtest"
	}
	if within(p, rule) || withinAny(p, imports[rule]) {
		return ""
	}
	if len(imports[rule]) == 0 {
		return rule + " imports nothing of this module"
	}
	return rule + " imports only " + strings.Join(imports[rule], ", ")
}

// within says whether path p is folder or below it.
func within(p, folder string) bool { return p == folder || strings.HasPrefix(p, folder+"/") }

func withinAny(p string, folders []string) bool {
	return slices.ContainsFunc(folders, func(f string) bool { return within(p, f) })
}
