package scenario

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.starlark.net/starlark"
)

// callParam declares a parameter and returns its value: the default, or what the
// caller has set, of the same type.
func callParam(s *script, c *call) (starlark.Value, error) {
	var (
		name, help string
		def        starlark.Value
	)
	if err := c.unpack("name", &name, "default", &def, "help?", &help); err != nil {
		return nil, err
	}
	switch {
	case name == "" || strings.ContainsAny(name, "= \t\n,"):
		return nil, fmt.Errorf("param: %q is not a name: no spaces, commas or =", name)
	case slices.ContainsFunc(s.out.Params, func(p Param) bool { return p.Name == name }):
		return nil, fmt.Errorf("param: %s is declared twice", name)
	case len(s.out.Params) == MaxParams:
		return nil, fmt.Errorf("param: more than %d parameters", MaxParams)
	}
	value := def
	if text, ok := s.opts.Set[name]; ok {
		v, err := parseAs(def, text)
		if err != nil {
			return nil, fmt.Errorf("parameter %s: %w", name, err)
		}
		value = v
	}
	s.out.Params = append(s.out.Params, Param{Name: name, Help: help, Default: plain(def), Value: plain(value)})
	return value, nil
}

// parseAs reads text as a value of the type that def has.
func parseAs(def starlark.Value, text string) (starlark.Value, error) {
	switch def.(type) {
	case starlark.Int:
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("%q is not a whole number", text)
		}
		return starlark.MakeInt64(n), nil
	case starlark.Float:
		f, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return nil, fmt.Errorf("%q is not a number", text)
		}
		return starlark.Float(f), nil
	case starlark.Bool:
		b, err := strconv.ParseBool(text)
		if err != nil {
			return nil, fmt.Errorf("%q is not true or false", text)
		}
		return starlark.Bool(b), nil
	case starlark.String:
		return starlark.String(text), nil
	}
	return nil, fmt.Errorf("a default of type %s: want a number, text, True or False", def.Type())
}

// plain is a value as --set takes it.
func plain(v starlark.Value) string {
	if text, ok := v.(starlark.String); ok {
		return string(text)
	}
	return strings.ToLower(v.String())
}
