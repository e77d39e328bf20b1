package config

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"
)

func TestDiff(t *testing.T) {
	a, b := Default(), Default()
	if d := Diff(&a, &b, "leech"); d != nil {
		t.Errorf("of the same: %v", d)
	}
	a.Leech.Tracker = []string{"http://h/announce", "http://u:pw@t:1/KEY/announce?k=2"}
	b.Leech.Tracker = []string{"http://h/announce", "http://u:pw@t:1/OTHER/announce?k=2"}
	b.LogLevel, b.Leech.UpLimit, b.Leech.SeedForever, b.Tracker.Interval = "debug", 1<<20, true, time.Minute
	b.NodeLabel = []string{"rack=r1"}
	want := []Change{
		{"log-level", "warn", "debug"},
		{"node-label", "[]", "[rack=r1]"},
		{"leech.tracker", "[http://h/announce, http://t:1/...]", "[http://h/announce, http://t:1/...] (another)"},
		{"leech.seed-forever", "false", "true"},
		{"leech.up-limit", "0", "1MiB/s"},
	}
	got := Diff(&a, &b, "leech")
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	for _, c := range got {
		for _, secret := range []string{"pw", "KEY", "OTHER", "k=2"} {
			if strings.Contains(c.Old+c.New, secret) {
				t.Errorf("%v tells the secret %q", c, secret)
			}
		}
	}
	a.Take(&b, []string{"leech.up-limit", "log-level", "tracker.interval"})
	if a.Leech.UpLimit != 1<<20 || a.LogLevel != "debug" || a.Tracker.Interval != time.Minute || a.Leech.SeedForever || a.NodeLabel != nil {
		t.Errorf("after taking three keys: %+v", a)
	}
}

// A refusal says where: the file's line, or the environment variable.
func TestWhere(t *testing.T) {
	for text, want := range map[string]string{
		"log-level: loud\n": "c.yaml:1: log-level: ",
		"\n# a comment\nleech:\n  up-limit: 1MiB/s\n  timeout: 30\n": "c.yaml:5: leech.timeout: write a duration",
		"leech:\n  max-peers: 0\n  choke: mean\n":                    "c.yaml:2: leech.max-peers: 0 is less than 1; ",
		"seed: {data: x}\nleech:\n  peer: [a]\n":                     "c.yaml:3: leech.peer: \"a\" is not HOST:PORT",
		"Leech:\n  Peer: [{a: b}]\n":                                 "c.yaml:2: leech.peer: expected type",
		"leech:\n  up-limit: 3mbit\nlech: 1\n":                       "c.yaml:3: lech: unknown key",
		"leech:\n  a: 1\n  b: 2\n":                                   "c.yaml:2: leech.a: unknown key; ",
		"leech:\n  timeout: 3s\n bad: 3\n":                           "c.yaml:2: yaml: did not find expected key",
		"\nbad\n":                                                    "c.yaml:2: yaml: KEY: VALUE expected",
		"leech: 3\n":                                                 "c.yaml:1: leech: KEY: VALUE expected",
		"quiet: maybe\n":                                             "c.yaml:1: quiet: neither true nor false",
		"leech: {max-peers: many}\n":                                 "c.yaml:1: leech.max-peers: not a whole number",
		"- leech\n":                                                  "c.yaml:1: yaml: KEY: VALUE expected",
		"quiet: true\nleech: {}\nquiet: false\n":                     "c.yaml:3: yaml: mapping key \"quiet\" already defined at line 1",
	} {
		_, err := load(t, text, nil)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v, want one line with %q", text, err, want)
		}
	}
	t.Setenv("STARLING_LEECH_CHOKE", "mean")
	if _, err := load(t, "leech: {choke: cooperative}", nil); err == nil || !strings.HasPrefix(err.Error(), "STARLING_LEECH_CHOKE: leech.choke: ") {
		t.Errorf("from the environment: %v", err)
	}
	flags := pflag.NewFlagSet("leech", pflag.ContinueOnError)
	flags.String("choke", "", "")
	if err := flags.Parse([]string{"--choke=odd"}); err != nil {
		t.Fatal(err)
	}
	if _, err := load(t, "leech: {choke: cooperative}", flags); err == nil || !strings.HasPrefix(err.Error(), "leech.choke: \"odd\"") {
		t.Errorf("from a flag: %v", err)
	}
}
