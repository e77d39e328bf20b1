//go:build linux

package e2e

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const (
	// memoryLimit is what a peer may take, and manyPieces what its torrent has.
	memoryLimit = 256 * mib
	manyPieces  = 100_000
	smallest    = 16 << 10 // bytes of a piece
)

// confined starts a starling that the system gives no more data than memoryLimit: it
// would die of one allocation too many.
func confined(t *testing.T, name string, args ...string) *proc {
	t.Helper()
	script := fmt.Sprintf(`ulimit -d %d && GOMEMLIMIT=%d exec "$0" "$@"`, memoryLimit>>10, memoryLimit*7/8)
	return command(t, name, append([]string{"sh", "-c", script, starlingBinary}, append(args, "--progress", "json")...))
}

// TestLittleMemory has 200 hostile connections at each of a seed and a leecher of a
// torrent of 100,000 pieces, with 256 MiB. Both live on, and what the leecher wants
// arrives after the attack.
func TestLittleMemory(t *testing.T) {
	long(t)
	t.Parallel()
	dir := t.TempDir()
	content, torrent := filepath.Join(dir, "d"), filepath.Join(dir, "d.torrent")
	writeRandom(t, filepath.Join(content, "wanted"), 24*mib, 31)
	if err := os.WriteFile(filepath.Join(content, "rest"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(filepath.Join(content, "rest"), manyPieces*smallest); err != nil { // a hole
		t.Fatal(err)
	}
	once(t, 0, "-q", "create", content, "-o", torrent, "--piece-size", "16KiB")
	s := &swarm{t: t, torrent: torrent, infohash: infohashOf(t, torrent)}
	listen := []string{"--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0", "--max-peers", "250"}
	seed := confined(t, "seed", append([]string{"seed", torrent, "--data", dir, "--up-limit", "2MiB/s"}, listen...)...)
	at := seed.event("ready", 2*time.Minute).Addresses
	s.seedAddr = at["peer"]
	leech := confined(t, "leech", append([]string{"leech", torrent, "-o", filepath.Join(dir, "out"), "--include", "wanted",
		"--seed-forever", "--peer", s.seedAddr}, listen...)...)
	leechAt := leech.ready()
	leech.event("first_byte", patience)

	hello := s.peerTarget().wrap[0]
	const hostile = 200
	who := func(i int) attacker { return greedy(i, hello()) }
	sieges := []*siege{besiege(t, at["peer"], hostile, who), besiege(t, leechAt["peer"], hostile, who)}
	most := map[string]float64{}
	for began := time.Now(); time.Since(began) < choose(12*time.Second, time.Minute); time.Sleep(250 * time.Millisecond) {
		for addr, name := range map[string]string{at["metrics"]: "seed", leechAt["metrics"]: "leech"} {
			now := 0.0
			for sample, n := range mustScrape(t, addr) {
				if strings.HasPrefix(sample, "starling_peer_connections{") {
					now += n
				}
			}
			most[name] = max(most[name], now)
		}
	}
	for _, one := range sieges {
		one.lift()
	}
	leech.event("complete", time.Minute)
	sameTree(t, filepath.Join(content, "wanted"), filepath.Join(dir, "out", "d", "wanted"))
	for _, p := range []*proc{seed, leech} {
		peak := p.peakRSS()
		t.Logf("%s: %.1f MiB at most, with up to %.0f connections", p.name, float64(peak)/mib, most[p.name])
		if peak > memoryLimit {
			t.Errorf("%s: %.1f MiB at most, want %d", p.name, float64(peak)/mib, memoryLimit/mib)
		}
	}
}

// greedy are those who want memory: who asks and does not read, who promises all and
// sends nothing, who tells long lists, and who begins a long message.
func greedy(i int, hello []byte) attacker {
	hello = hello[:len(hello)-8] // without HNON
	frame := func(typ string, data []byte) {
		hello = binary.BigEndian.AppendUint32(append(hello, typ...), uint32(len(data)))
		hello = append(hello, data...)
	}
	switch i % 4 {
	case 0:
		frame("HNON", nil)
		frame("INTR", nil)
		for k := range 64 {
			head := binary.BigEndian.AppendUint32(nil, uint32(64*i+k))
			frame("REQU", binary.BigEndian.AppendUint32(append(head, 0, 0, 0, 0), smallest))
		}
		return attacker{words: hello, deaf: true}
	case 1:
		frame("HALL", nil)
		frame("UNCH", nil)
	case 2:
		frame("HNON", nil)
		for k := range 64 {
			var list []byte
			for n := range 1024 {
				list = binary.BigEndian.AppendUint32(list, uint32((1024*k+n+i)%manyPieces))
			}
			frame("HAVE", list)
		}
	default:
		frame("HNON", nil)
		frame("META", []byte(strings.Repeat("d", 16<<10)))
		hello = hello[:len(hello)-1]
	}
	return attacker{words: hello}
}
