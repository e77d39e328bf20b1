package deploy

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var units = []string{"starling-tracker.service", "starling-seed@.service", "starling-leech@.service"}

// mostExposed is the level of `systemd-analyze security` that no unit may reach.
const mostExposed = 2.5

// TestUnits asks systemd whether it understands the units and how far they are shut in.
func TestUnits(t *testing.T) {
	analyze := need(t, "systemd-analyze", "systemd")
	// verify looks for the programs that a unit starts.
	root := t.TempDir()
	for _, dir := range []string{"usr/lib/systemd/system", "usr/bin", "bin"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write(t, filepath.Join(root, "usr/bin/starling"), "", 0o755)
	write(t, filepath.Join(root, "bin/kill"), "", 0o755)
	for _, u := range units {
		write(t, filepath.Join(root, "usr/lib/systemd/system", u), read(t, "systemd/"+u), 0o644)
	}
	level := regexp.MustCompile(`Overall exposure level for \S+: (\d+\.\d+)`)
	for _, u := range units {
		name := strings.Replace(u, "@.", "@model.", 1)
		if out := run(t, analyze, "verify", "--man=no", "--recursive-errors=no", "--root="+root, name); out != "" {
			t.Errorf("verify %s:\n%s", u, out)
		}
		out := run(t, analyze, "security", "--offline=true", "systemd/"+u)
		m := level.FindStringSubmatch(out)
		if m == nil {
			t.Fatalf("%s: no exposure level in\n%s", u, out)
		}
		if got, err := strconv.ParseFloat(m[1], 64); err != nil || got >= mostExposed {
			t.Errorf("%s: exposure %s, want below %v\n%s", u, m[1], mostExposed, out)
		}
	}
}

// setting is a unit's value of a key, "" where it has none.
func setting(unit, key string) string {
	for line := range strings.Lines(unit) {
		if v, ok := strings.CutPrefix(line, key+"="); ok {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

// TestServices runs what the units run, in order, with a service manager's socket: each
// says that it is ready when it serves, that it reloads, that it lives, that it stops, and
// ends with a code that its unit takes for success. What the leech fetches is what the
// seed has.
func TestServices(t *testing.T) {
	starling, state, conf := build(t), t.TempDir(), t.TempDir()
	for _, dir := range []string{"data", "torrents", "fetched"} {
		if err := os.Mkdir(filepath.Join(state, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	local := strings.NewReplacer("/var/lib/starling", state, `":6969"`, `"127.0.0.1:0"`, `":6881"`, `"127.0.0.1:0"`, `":0"`, `"127.0.0.1:0"`, ":6970", ":0")
	for _, name := range []string{"tracker", "seed", "leech"} {
		text := local.Replace(read(t, "systemd/"+name+".yaml"))
		if name == "leech" { // the seed's folder is not to be fetched into
			text = strings.Replace(text, state+"/data", state+"/fetched", 1)
		}
		write(t, filepath.Join(conf, name+".yaml"), text, 0o644)
	}
	content := strings.Repeat("all of it ", 300_000)
	write(t, filepath.Join(state, "data/model"), content, 0o644)

	in := func(tracker string) *strings.Replacer {
		return strings.NewReplacer("/usr/bin/starling", starling, "/etc/starling", conf, "/var/lib/starling", state, "%i", "model", "${TRACKER}", tracker)
	}
	serve := func(unit, tracker string) *service {
		text := read(t, "systemd/"+unit)
		if setting(text, "Type") != "notify" || setting(text, "WatchdogSec") == "" {
			t.Errorf("%s does not hear what is said here", unit)
		}
		return startService(t, unit, strings.Fields(in(tracker).Replace(setting(text, "ExecStart"))), setting(text, "SuccessExitStatus"))
	}
	tracker := serve(units[0], "")
	status := tracker.hear("READY=1")
	at := regexp.MustCompile(`tracker (127\.0\.0\.1:\d+)`).FindStringSubmatch(status)
	if at == nil {
		t.Fatalf("the tracker's status has no address: %q", status)
	}
	url := "http://" + at[1]
	run(t, starling, "-q", "create", filepath.Join(state, "data/model"), "-o", filepath.Join(state, "torrents/model.torrent"), "--tracker", url+"/announce")
	tracker.hear("WATCHDOG=1")

	seed := serve(units[1], url)
	seed.hear("READY=1")
	waitForTorrent(t, url+"/torrents/model.torrent")
	leech := serve(units[2], url)
	leech.hear("READY=1")
	waitForFile(t, filepath.Join(state, "fetched/model"), content)
	for _, s := range []*service{leech, seed, tracker} {
		s.reload()
		s.hear("WATCHDOG=1")
		s.stop()
	}
}
