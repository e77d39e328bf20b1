package config

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"starling/internal/units"
)

// load reads a configuration file of the given text.
func load(t *testing.T, text string, flags *pflag.FlagSet) (*Config, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "c.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, _, err := Load(Source{File: file, Section: "leech", Local: flags, Getenv: os.Getenv})
	return c, err
}

func TestDefaultsAreValidAndSurviveLoading(t *testing.T) {
	want := Default()
	if err := want.Validate(); err != nil {
		t.Fatal(err)
	}
	c, file, err := Load(Source{Getenv: func(string) string { return "" }})
	if err != nil || file != "" {
		t.Fatalf("%q, %v", file, err)
	}
	if got := KeysOf(*c); !reflect.DeepEqual(got, KeysOf(want)) {
		t.Errorf("got  %v\nwant %v", got, KeysOf(want))
	}
}

func TestPrecedence(t *testing.T) {
	const text = "log-level: error\nleech: {up-limit: 1MiB/s, timeout: 1m, peer: ['a:1', 'b:2'], listen: ':1'}\n"
	flags := pflag.NewFlagSet("leech", pflag.ContinueOnError)
	var rate units.Rate
	flags.Var(&rate, "up-limit", "")
	flags.Duration("timeout", 0, "")
	flags.StringArray("peer", nil, "")
	flags.StringArray("exclude", nil, "")

	c, err := load(t, text, flags)
	if err != nil {
		t.Fatal(err)
	}
	if c.LogLevel != "error" || c.Leech.UpLimit != 1<<20 || c.Leech.Timeout != time.Minute || len(c.Leech.Peer) != 2 || c.Leech.Choke != "tit-for-tat" {
		t.Errorf("file: %+v", c.Leech)
	}

	t.Setenv("STARLING_LEECH_UP_LIMIT", "20mbit")
	t.Setenv("STARLING_LEECH_PEER", "h:1,h:2,h:3")
	t.Setenv("STARLING_LOG_LEVEL", "debug")
	t.Setenv("STARLING_LEECH_SEED_FOREVER", "true")
	if c, err = load(t, text, flags); err != nil {
		t.Fatal(err)
	}
	if c.LogLevel != "debug" || c.Leech.UpLimit != 2_500_000 || c.Leech.Timeout != time.Minute || len(c.Leech.Peer) != 3 || !c.Leech.SeedForever {
		t.Errorf("environment: %+v", c.Leech)
	}

	if err := flags.Parse([]string{"--up-limit=0", "--timeout=5s", "--peer=x:1", "--exclude=a,b", "--exclude=c d"}); err != nil {
		t.Fatal(err)
	}
	if c, err = load(t, text, flags); err != nil {
		t.Fatal(err)
	}
	if c.Leech.UpLimit != 0 || c.Leech.Timeout != 5*time.Second || !reflect.DeepEqual(c.Leech.Peer, []string{"x:1"}) || !reflect.DeepEqual(c.Leech.Exclude, []string{"a,b", "c d"}) {
		t.Errorf("flags: %+v", c.Leech)
	}
}

func TestRefusals(t *testing.T) {
	for text, want := range map[string]string{
		"typo: 1":                                    "c.yaml:1: typo: unknown key",
		"leech: {seeed-for: 3s}":                     "leech.seeed-for: unknown key",
		"leech: {timeout: 30}":                       "with its unit",
		"leech: {timeout: soon}":                     "not a duration",
		"leech: {timeout: -1s}":                      "leech.timeout: -1s is negative",
		"leech: {up-limit: 30}":                      "200MiB/s or 20mbit",
		"leech: {max-peers: many}":                   "max-peers",
		"leech: {max-peers: 0}":                      "leech.max-peers: 0 is less than 1",
		"leech: {choke: mean}":                       "not one of tit-for-tat, cooperative",
		"leech: {listen: '6881'}":                    "not HOST:PORT",
		"leech: {peer: ['h:0']}":                     "port \"0\"",
		"leech: {no-seed: true, seed-forever: true}": "exclude each other",
		"leech: {tracker: ['ftp://x/a']}":            "\"ftp://x/...\" is not an http, https or udp URL",
		"leech: {tracker: ['http://x:y/a']}":         "\"http://...\" is not an http, https or udp URL",
		"leech: {tracker: ['10.0.0.5:6969']}":        "\"10.0.0.5:6969\" is not an http, https or udp URL like http://HOST:6969/announce",
		"leech: {tracker: ['udp://x/announce']}":     "\"udp://x/announce\" has no port",
		"tracker: {udp-listen: '6969'}":              "tracker.udp-listen: \"6969\" is not HOST:PORT",
		"log-level: loud":                            "log level \"loud\"",
		"progress: fancy":                            "progress \"fancy\"",
		"{quiet: true, verbose: true}":               "exclude each other",
		"monitor: 'h:0'":                             "monitor: \"h:0\": port \"0\"",
		"allow-host: ['http://a']":                   "allow-host: \"http://a\" is not the name of a host",
		"allow-host: ['a:80']":                       "allow-host: \"a:80\" is not the name of a host",
		"allow-host: ['*.a']":                        "allow-host: \"*.a\" is not the name of a host",
		"node-label: ['1a=b']":                       "not KEY=VALUE",
		"share: {piece-size: 3MiB}":                  "power of two",
		"leech: [1]":                                 "leech",
		"a: [":                                       "yaml",
		"leech: {up-limit: 1MiB/s\x00}":              "yaml",
	} {
		c, err := load(t, text, nil)
		if err == nil {
			t.Errorf("%s: accepted: %+v", text, c)
			continue
		}
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %q does not say %q", text, err, want)
		}
	}
	for file, want := range map[string]string{
		"/does/not/exist": "/does/not/exist: no such file or directory",
		t.TempDir():       ": is a directory",
	} {
		_, _, err := Load(Source{File: file, Getenv: os.Getenv})
		if err == nil || !strings.HasSuffix(err.Error(), want) || strings.Count(err.Error(), file) != 1 {
			t.Errorf("the file %s: %v, want %q", file, err, want)
		}
	}
}

func TestPlaces(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "starling", "config.yaml")
	os.MkdirAll(filepath.Dir(file), 0o700)
	if err := os.WriteFile(file, []byte("quiet: true\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	getenv := func(k string) string { return map[string]string{"XDG_CONFIG_HOME": dir}[k] }
	c, got, err := Load(Source{Getenv: getenv})
	if err != nil || got != file || !c.Quiet {
		t.Errorf("%q, %v, %+v", got, err, c)
	}
}

// No text of a configuration file panics, and what is accepted is valid.
func FuzzLoad(f *testing.F) {
	f.Add("log-level: debug\nleech: {timeout: 1m}\n")
	f.Add("leech: {peer: ['a:1'], up-limit: 20mbit}")
	f.Add("a: &a [*a]")
	f.Add("share:\n  piece-size: 64MiB\nnode-label: [rack=r1]\n")
	file := filepath.Join(f.TempDir(), "c.yaml")
	f.Fuzz(func(t *testing.T, text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c, _, err := Load(Source{File: file, Getenv: func(string) string { return "" }})
		if err == nil {
			if err := c.Validate(); err != nil {
				t.Error(err)
			}
		}
	})
}
