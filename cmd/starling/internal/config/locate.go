package config

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// fault is what is wrong with one key.
type fault struct{ key, why string }

func (f *fault) Error() string { return f.key + ": " + f.why }

// faults says what is wrong on one line: each fault after where it was said, which is
// FILE:LINE or the environment variable; a flag's is known from its key.
func faults(src *Source, file string, found []fault) error {
	lines := linesOf(file)
	type located struct {
		line int
		text string
	}
	var all []located
	for _, f := range found {
		text, line := f.Error(), 0
		switch k := keyAt(f.key); {
		case k != nil && src.changed(k):
		case k != nil && src.Getenv(k.Env()) != "":
			text = k.Env() + ": " + text
		case file != "":
			if line = lineAt(lines, f.key); line > 0 {
				text = file + ":" + strconv.Itoa(line) + ": " + text
			} else {
				text = file + ": " + text
			}
		}
		all = append(all, located{line, text})
	}
	slices.SortFunc(all, func(a, b located) int {
		if a.line != b.line {
			return a.line - b.line
		}
		return strings.Compare(a.text, b.text)
	})
	texts := make([]string, len(all))
	for i, l := range all {
		texts[i] = strings.ReplaceAll(l.text, "\n", " ")
	}
	return errors.New(strings.Join(texts, "; "))
}

// changed says whether a flag of the command line gives the key.
func (src *Source) changed(k *Key) bool {
	flags := src.Global
	if k.Section != "" {
		if flags = src.Local; k.Section != src.Section {
			return false
		}
	}
	if flags == nil {
		return false
	}
	f := flags.Lookup(k.Name)
	return f != nil && f.Changed
}

// keyAt is the key that a fault names as section.name, nil if there is none.
func keyAt(path string) *Key {
	for _, k := range Keys() {
		if k.path(".") == path {
			return &k
		}
	}
	return nil
}

// lineAt is the line of a key, else of its section; 0 if neither is known.
func lineAt(lines map[string]int, key string) int {
	key = strings.ToLower(key)
	if n := lines[key]; n > 0 {
		return n
	}
	section, _, _ := strings.Cut(key, ".")
	return lines[section]
}

// linesOf finds the lines of a file's keys, by section.key in lower case, which is how
// they are compared.
func linesOf(file string) map[string]int {
	out := map[string]int{}
	text, err := os.ReadFile(file)
	if err != nil {
		return out
	}
	var doc yaml.Node
	if yaml.Unmarshal(text, &doc) != nil || len(doc.Content) != 1 {
		return out
	}
	note := func(prefix string, m *yaml.Node) {
		for i := 0; m.Kind == yaml.MappingNode && i+1 < len(m.Content); i += 2 {
			out[prefix+strings.ToLower(m.Content[i].Value)] = m.Content[i].Line
		}
	}
	top := doc.Content[0]
	note("", top)
	for i := 0; top.Kind == yaml.MappingNode && i+1 < len(top.Content); i += 2 {
		note(strings.ToLower(top.Content[i].Value)+".", top.Content[i+1])
	}
	return out
}

var (
	yamlLine = regexp.MustCompile(`^yaml: line (\d+): (?s:(.*))$`)
	// typeLine is how the YAML decoder names the place of what is of another kind.
	typeLine = regexp.MustCompile(`^line (\d+): (.*)$`)
	// decodeText is how mapstructure names the key of an error.
	decodeText = regexp.MustCompile(`^'([^']*)' (?s:(.*))$`)
	element    = regexp.MustCompile(`\[[^\]]*\].*$`)
)

// parseError says what is wrong with a file that is no YAML, and where.
func parseError(file string, err error) error {
	err = unwrapParse(err)
	if m := yamlLine.FindStringSubmatch(err.Error()); m != nil {
		return fmt.Errorf("%s:%s: yaml: %s", file, m[1], m[2])
	}
	var kind *yaml.TypeError
	if errors.As(err, &kind) && len(kind.Errors) > 0 {
		if m := typeLine.FindStringSubmatch(kind.Errors[0]); m != nil {
			if strings.HasPrefix(m[2], "cannot unmarshal") {
				m[2] = "KEY: VALUE expected"
			}
			return fmt.Errorf("%s:%s: yaml: %s", file, m[1], m[2])
		}
	}
	return placed(file, err)
}

// decodeFaults reads the faults out of mapstructure's error.
func decodeFaults(err error) []fault {
	var joined interface{ Unwrap() []error }
	if errors.As(err, &joined) {
		var all []fault
		for _, e := range joined.Unwrap() {
			all = append(all, decodeFaults(e)...)
		}
		return all
	}
	text := strings.TrimSpace(err.Error())
	m := decodeText.FindStringSubmatch(text)
	if m == nil {
		return []fault{{"configuration", text}}
	}
	section, why := m[1], m[2]
	names, unknown := strings.CutPrefix(why, "has invalid keys: ")
	if !unknown {
		return []fault{{element.ReplaceAllString(section, ""), plainly(why)}}
	}
	var all []fault
	for _, name := range strings.Split(names, ", ") {
		if section != "" {
			name = section + "." + name
		}
		all = append(all, fault{name, "unknown key"})
	}
	return all
}

// plainly says what a decoder says of a type of Go as of a value in a file.
func plainly(why string) string {
	switch {
	case strings.HasPrefix(why, "cannot parse value as 'bool'"):
		return "neither true nor false"
	case strings.HasPrefix(why, "cannot parse value as 'int'"):
		return "not a whole number"
	case strings.HasPrefix(why, "expected a map or struct"):
		return "KEY: VALUE expected"
	}
	return why
}

// validFaults reads the faults out of what Validate returns.
func validFaults(err error) []fault {
	var joined interface{ Unwrap() []error }
	if !errors.As(err, &joined) {
		joined = single{err}
	}
	var all []fault
	for _, e := range joined.Unwrap() {
		var f *fault
		if errors.As(e, &f) {
			all = append(all, *f)
		} else {
			all = append(all, fault{"configuration", e.Error()})
		}
	}
	return all
}

type single struct{ error }

func (s single) Unwrap() []error { return []error{s.error} }
