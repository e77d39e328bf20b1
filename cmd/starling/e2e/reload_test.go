//go:build linux

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// reload writes the configuration and sends SIGHUP, and returns the event that says
// what came of it.
func (p *proc) reload(file, config string) doc {
	p.t.Helper()
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		p.t.Fatal(err)
	}
	mark := p.said()
	if err := p.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		p.t.Fatal(err)
	}
	return p.findFrom(mark, "the end of a reload", patience, func(d *doc) bool { return strings.HasPrefix(d.Event, "reload") })
}

// changesOf is what a reload found, as KEY OLD NEW and whether it was applied.
func changesOf(d doc) (out []string) {
	for _, c := range d.Changes {
		out = append(out, fmt.Sprintf("%s %s %s %t", c.Key, c.Old, c.New, c.Applied))
	}
	return out
}

func wantChanges(t *testing.T, d doc, want ...string) {
	t.Helper()
	got := changesOf(d)
	if d.Event != "reloaded" || strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Fatalf("%s: %s\ngot  %q\nwant %q", d.Event, d.Detail, got, want)
	}
	for _, c := range d.Changes {
		if !strings.Contains(d.Detail, c.Key+" "+c.Old+" -> "+c.New) {
			t.Errorf("%q does not say %v", d.Detail, c)
		}
	}
}

const (
	reloadOK   = "_config_last_reload_successful"
	reloadTime = "_config_last_reload_success_timestamp_seconds"
)

// TestReloadTracker: a file with an error changes nothing and says where it is; a good
// one is applied to the running tracker, but for what needs a restart.
func TestReloadTracker(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	torrents := map[string]string{"a": "", "b": ""}
	for name := range torrents {
		folder := filepath.Join(dir, name)
		writeRandom(t, filepath.Join(dir, name+".bin"), mib, 3)
		if err := os.Mkdir(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		once(t, 0, "-q", "create", filepath.Join(dir, name+".bin"), "-o", filepath.Join(folder, name+".torrent"))
		torrents[name] = folder
	}
	file := filepath.Join(dir, "tracker.yaml")
	config := func(interval, folder, more string) string {
		return fmt.Sprintf("tracker:\n  listen: 127.0.0.1:0\n  udp-listen: 'off'\n  admin-listen: 127.0.0.1:0\n  interval: %s\n  torrents: %s\n%s", interval, folder, more)
	}
	if err := os.WriteFile(file, []byte(config("90s", torrents["a"], "")), 0o600); err != nil {
		t.Fatal(err)
	}
	p := start(t, "tracker", "tracker", "-c", file)
	at := p.ready()
	// state is what the tracker shows of its configuration: its torrents, and the
	// interval of a seed, another each time.
	port := 0
	state := func(folder string, interval, slack int) {
		t.Helper()
		port++
		list, err := get("http://" + at["tracker"] + "/api/v1/torrents")
		if err != nil || !strings.Contains(list, `"`+folder+`"`) || strings.Count(list, `"name"`) != 1 {
			t.Fatalf("torrents, want %q alone: %s, %v", folder, list, err)
		}
		reply, err := get("http://" + at["tracker"] + "/announce?info_hash=" + loadHash(0) + "&peer_id=" + strings.Repeat("p", 20) + fmt.Sprintf("&port=%d", port) + "&left=0&uploaded=0&downloaded=0&compact=1")
		_, text, _ := strings.Cut(reply, "8:intervali")
		got := 0
		if _, scan := fmt.Sscanf(text, "%de", &got); err != nil || scan != nil || max(got-interval, interval-got) > slack {
			t.Fatalf("interval %d, want %d±%d: %q, %v, %v", got, interval, slack, reply, err, scan)
		}
	}
	state("a", 90, 9)
	before := mustScrape(t, at["admin"])
	if before["starling_tracker"+reloadOK] != 1 || before["starling_tracker"+reloadTime] == 0 {
		t.Errorf("metrics at the start: %v, %v", before["starling_tracker"+reloadOK], before["starling_tracker"+reloadTime])
	}

	for text, where := range map[string]string{
		config("90s", torrents["b"], "  max-peers-per-ip: many\n"): ":7: tracker.max-peers-per-ip: ",
		config("100ms", torrents["b"], ""):                         ":5: tracker.interval: 100ms is neither 0 nor from 1s to 24h",
		config("90s", torrents["b"], "typo: 1\n"):                  ":7: typo: unknown key",
		config("90s", torrents["b"], " broken"):                    ":6: yaml: ",
		config("30s", filepath.Join(dir, "none"), ""):              "torrents folder: ",
	} {
		d := p.reload(file, text)
		if d.Event != "reload_failed" || !strings.HasPrefix(d.Detail, "configuration unchanged: "+file) || !strings.Contains(d.Detail, where) {
			t.Errorf("%s: %q, want a failure with %q", d.Event, d.Detail, where)
		}
		state("a", 90, 9)
		if m := mustScrape(t, at["admin"]); m["starling_tracker"+reloadOK] != 0 || m["starling_tracker"+reloadTime] != before["starling_tracker"+reloadTime] {
			t.Errorf("metrics after a failure: %v, %v", m["starling_tracker"+reloadOK], m["starling_tracker"+reloadTime])
		}
	}

	next := strings.Replace(config("30s", torrents["b"], "log-level: debug\n"), "listen: 127.0.0.1:0", "listen: 127.0.0.1:1", 1)
	restart := "tracker.listen 127.0.0.1:0 127.0.0.1:1 false"
	wantChanges(t, p.reload(file, next), "log-level warn debug true", restart,
		"tracker.torrents "+torrents["a"]+" "+torrents["b"]+" true", "tracker.interval 1m30s 30s true")
	state("b", 30, 3)
	if m := mustScrape(t, at["admin"]); m["starling_tracker"+reloadOK] != 1 || m["starling_tracker"+reloadTime] <= before["starling_tracker"+reloadTime] {
		t.Errorf("metrics after a success: %v, %v", m["starling_tracker"+reloadOK], m["starling_tracker"+reloadTime])
	}
	// What needs a restart still does, and is said again.
	wantChanges(t, p.reload(file, next), restart)
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	mark := p.said()
	if err := p.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	p.findFrom(mark, "a failure without the file", patience, func(d *doc) bool { return d.Event == "reload_failed" })
	state("b", 30, 3)
	p.term()
}

// TestReloadPeers changes the rate limits of a seed and a leecher while they transfer.
func TestReloadPeers(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const size = 8 * mib
	writeRandom(t, filepath.Join(dir, "d", "file"), size, 4)
	slow := "seed: {up-limit: 256KiB/s}\nleech: {down-limit: 256KiB/s}\n"
	files := map[string]string{}
	for _, name := range []string{"seed", "leech"} {
		files[name] = filepath.Join(dir, name+".yaml")
		if err := os.WriteFile(files[name], []byte(slow), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := newSwarm(t, dir, "d", "-c", files["seed"])
	l := s.leech("leech", "-c", files["leech"], "--seed-forever")
	l.event("first_byte", patience)
	metricsAt := l.ready()["metrics"]
	bad := l.reload(files["leech"], "leech: {down-limit: 3}\n")
	if bad.Event != "reload_failed" || !strings.Contains(bad.Detail, files["leech"]+":1: leech.down-limit: ") {
		t.Errorf("%s: %s", bad.Event, bad.Detail)
	}
	if m := mustScrape(t, metricsAt); m["starling_peer"+reloadOK] != 0 {
		t.Errorf("metrics after a failure: %v", m["starling_peer"+reloadOK])
	}
	fast := strings.ReplaceAll(slow, "256KiB/s", "0")
	wantChanges(t, s.seed.reload(files["seed"], fast), "seed.up-limit 256KiB/s 0 true")
	wantChanges(t, l.reload(files["leech"], fast), "leech.down-limit 256KiB/s 0 true")
	began := time.Now()
	l.event("complete", patience)
	if took := time.Since(began); took > size/(256<<10)*time.Second/2 {
		t.Errorf("took %s from the reload on: the limits still hold", took)
	}
	if m := mustScrape(t, metricsAt); m["starling_peer"+reloadOK] != 1 {
		t.Errorf("metrics after a success: %v", m["starling_peer"+reloadOK])
	}
	s.arrived("leech")
}
