package config

import (
	"fmt"
	"net/url"
	"reflect"
	"strings"
)

// Change is a key whose value differs between two configurations.
type Change struct {
	Key      string // section.name, or name
	Old, New string // as a file would write them, without what may be a secret
}

// Diff lists what differs between two configurations in the keys that a command
// reads, those of its section and the global ones, in the order of the Config type.
func Diff(from, to *Config, section string) []Change {
	var out []Change
	after := KeysOf(*to)
	for i, k := range KeysOf(*from) {
		if k.Section != "" && k.Section != section || reflect.DeepEqual(k.Default, after[i].Default) {
			continue
		}
		c := Change{Key: k.path("."), Old: shown(k.Default), New: shown(after[i].Default)}
		if c.Old == c.New {
			c.New += " (another)"
		}
		out = append(out, c)
	}
	return out
}

// Take sets keys of c, as Diff names them, to what they are in from.
func (c *Config) Take(from *Config, keys []string) {
	wanted := map[string]bool{}
	for _, k := range keys {
		wanted[k] = true
	}
	take(reflect.ValueOf(c).Elem(), reflect.ValueOf(from).Elem(), "", wanted)
}

func take(to, from reflect.Value, prefix string, wanted map[string]bool) {
	for i := range to.NumField() {
		tag := to.Type().Field(i).Tag.Get("mapstructure")
		switch {
		case strings.HasSuffix(tag, ",squash"):
			take(to.Field(i), from.Field(i), prefix, wanted)
		case to.Field(i).Kind() == reflect.Struct:
			take(to.Field(i), from.Field(i), tag+".", wanted)
		case wanted[prefix+tag]:
			to.Field(i).Set(from.Field(i))
		}
	}
}

// shown is a value for a log: a URL without its user, path and query, where a passkey
// may stand.
func shown(v any) string {
	switch v := v.(type) {
	case []string:
		texts := make([]string, len(v))
		for i, s := range v {
			texts[i] = shownText(s)
		}
		return "[" + strings.Join(texts, ", ") + "]"
	case string:
		if v == "" {
			return `""`
		}
		return shownText(v)
	}
	return fmt.Sprint(v)
}

func shownText(s string) string {
	u, err := url.Parse(s)
	if err != nil {
		if scheme, _, is := strings.Cut(s, "://"); is {
			return scheme + "://..."
		}
		return s
	}
	if u.Host == "" {
		return s
	}
	plain := u.Scheme + "://" + u.Host
	if s == plain || s == plain+"/" || s == plain+"/announce" {
		return s
	}
	return plain + "/..."
}
