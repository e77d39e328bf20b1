package lsd

import (
	"crypto/sha1"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A node speaks a second or two after it began, and then not for 5 minutes. So in
// these tests one hears, and another begins when it does.

// TestReal: nodes on one host and on two find each other over both families.
func TestReal(t *testing.T) {
	t.Parallel()
	nsA, nsB := cable(t)
	const common, other = hexA, hexB
	a := startNode(t, nsA, "a", nodeConfig{Port: 6881, Hashes: []string{common, other}})
	a.expect(joined("eth0")...)
	b := startNode(t, nsB, "b", nodeConfig{Port: 6882, Hashes: []string{common}})
	b.expect(joined("eth0")...)
	c := startNode(t, nsA, "c", nodeConfig{Port: 6883, Hashes: []string{other, common}})
	a.expect("found "+common+" "+hostB+":6882", "found "+common+" ["+hostB6+"]:6882",
		"found "+common+" "+hostA+":6883", "found "+other+" ["+hostA6+"]:6883")
	b.expect("found "+common+" "+hostA+":6883", "found "+common+" ["+hostA6+"]:6883")
	for _, v := range []*process{a, b, c} {
		seen := map[string]bool{}
		for _, line := range v.said() {
			own := strings.HasSuffix(line, map[*process]string{a: ":6881", b: ":6882", c: ":6883"}[v])
			if seen[line] || own || v == b && strings.Contains(line, other) {
				t.Errorf("%s said: %s", v.name, line)
			}
			seen[line] = true
		}
	}
}

// joined is what a node says that uses these interfaces, of those that are there.
func joined(names ...string) (lines []string) {
	for _, n := range names {
		for _, g := range groups {
			lines = append(lines, fmt.Sprint("joined ", n, " ", g))
		}
	}
	return lines
}

// TestRealLoopback: two on one host without a network, where they are told to use
// loopback. Who listens on another interface of the host hears nothing of it.
func TestRealLoopback(t *testing.T) {
	t.Parallel()
	ns, _ := cable(t)
	outside := startNode(t, ns, "outside", nodeConfig{Port: 6883, Hashes: []string{hexA}, Interfaces: []string{"eth0", "eth7"}})
	outside.expect(joined("eth0")...)
	a := startNode(t, ns, "a", nodeConfig{Port: 6881, Hashes: []string{hexA}, Interfaces: []string{"lo"}})
	a.expect(joined("lo")...)
	startNode(t, ns, "b", nodeConfig{Port: 6882, Hashes: []string{hexA}, Interfaces: []string{"lo"}})
	a.expect("found " + hexA + " 127.0.0.1:6882")
	if said := outside.said(); len(said) != 2 {
		t.Errorf("on another interface: %q", said)
	}
}

// TestRealLibtorrent: libtorrent and we find each other over both families, and
// it connects to where we said. Nothing else could tell it.
func TestRealLibtorrent(t *testing.T) {
	t.Parallel()
	nsA, nsB := cable(t)
	python := pythonWithLibtorrent(t)
	script, err := filepath.Abs(filepath.Join("testdata", "libtorrent_lsd.py"))
	if err != nil {
		t.Fatal(err)
	}
	hears := startNode(t, nsA, "hears", nodeConfig{Port: 6881, Hashes: []string{hexB, hexA}})
	hears.expect(joined("eth0")...)
	startIn(t, nsB, "libtorrent", nil, python, script, hexA, hostB+":6882,["+hostB6+"]:6882")
	hears.expect("found "+hexA+" "+hostB+":6882", "found "+hexA+" ["+hostB6+"]:6882")
	// We speak once in 5 minutes, so it is one that begins now that it hears.
	speaks := startNode(t, nsA, "speaks", nodeConfig{Port: 6883, Hashes: []string{hexB, hexA}})
	speaks.expect("dialed "+hexA+" "+hostB, "dialed "+hexA+" "+hostB6)
}

func pythonWithLibtorrent(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"/usr/bin/python3", "python3"} {
		if exec.Command(name, "-c", "import libtorrent").Run() == nil {
			return name
		}
	}
	missing(t, errors.New("no module libtorrent: Debian's package python3-libtorrent"))
	return ""
}

// TestRealTransmission: Transmission and we find each other, and it connects to
// where we said. Version 3 reads only the first infohash of a packet.
func TestRealTransmission(t *testing.T) {
	t.Parallel()
	nsA, nsB := cable(t)
	if _, err := exec.LookPath("transmission-daemon"); err != nil {
		missing(t, errors.New("no command transmission-daemon: Debian's package of that name"))
	}
	info := "d6:lengthi1e4:name1:x12:piece lengthi16384e6:pieces20:" + strings.Repeat("\xaa", 20) + "e"
	hash := fmt.Sprintf("%x", sha1.Sum([]byte(info)))
	watch, home := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(watch, "x.torrent"), []byte("d4:info"+info+"e"), 0o600); err != nil {
		t.Fatal(err)
	}
	hears := startNode(t, nsA, "hears", nodeConfig{Port: 6881, Hashes: []string{hexA, hash}})
	hears.expect(joined("eth0")...)
	startIn(t, nsB, "transmission", nil, "transmission-daemon", "-f", "-g", home, "-w", home, "-c", watch,
		"--lpd", "--no-dht", "--no-utp", "--no-portmap", "-et", "-P", "6882", "-p", "9091")
	hears.expect("found " + hash + " " + hostB + ":6882")
	speaks := startNode(t, nsA, "speaks", nodeConfig{Port: 6883, Hashes: []string{hash, hexA}})
	speaks.expect("dialed " + hash + " " + hostB)
}
