package fleet

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// mutation is a bug that somebody might put in: one text of a file replaced by
// another.
type mutation struct {
	name, file, old, new string
}

var mutations = []mutation{
	{"serve while choked", "peer/upload.go",
		"if r.amChoking || len(r.queue) >= r.room()", "if len(r.queue) >= r.room()"},
	{"keep the queue of who is choked", "peer/choking.go",
		"		e.rejectAll(r)\n", ""},
	{"HAVE before verify", "peer/verify.go",
		"	f.complete = complete\n",
		"	f.complete = complete\n	for _, o := range e.order {\n		if complete && o.phase == ready {\n" +
			"			e.send(o, p2p.T(\"HAVE\"), []byte{0, 0, byte(run.Piece >> 8), byte(run.Piece)})\n		}\n	}\n"},
	{"forget a failed request", "peer/download.go",
		"	e.pick.Unrequested(q.run)\n", ""},
	{"forget the requests of who is gone", "peer/conns.go",
		"	e.releaseAll(r)\n", ""},
	{"count who is gone", "peer/conns.go",
		"			e.pick.RemoveRemote(r.have)\n		}\n		e.node.RemovePeer(r.addr)", "		}\n		e.node.RemovePeer(r.addr)"},
	{"take a corrupt piece for received", "piece/mark.go",
		"		p.drop(q)\n		p.shelve(i)\n	}\n}\n\n// Lost", "	}\n}\n\n// Lost"},
	{"take for received what the disk refused", "peer/verify.go",
		"	e.pick.Unreceived(run)\n", ""},
	{"blame the first of several senders", "peer/blame.go",
		"	if f.oneSender() {", "	if len(f.from) > 0 {"},
	{"publish one piece short", "peer/verify.go",
		"|| !e.pick.Done() {", "|| e.pick.Left() > e.geo.PieceLength {"},
	{"no interest in what is new", "peer/haves.go",
		"	e.interest(r)\n	e.ask(r)\n", "	e.ask(r)\n"},
	{"a cancelled request is answered twice", "peer/upload.go",
		"		r.queue = slices.Delete(r.queue, i, i+1)\n		e.reject(r, run)\n", "		e.reject(r, run)\n"},
	{"no answer to a request that came late", "peer/upload.go",
		"		e.reject(r, run)\n		return nil\n	}\n	r.queue", "		return nil\n	}\n	r.queue"},
	{"never let go of a payload", "peer/verify.go",
		"	j.data.Release()\n	j.data = nil\n", "	j.data = nil\n"},
	{"claim every piece when one lacks", "peer/conns.go",
		"	case n == e.geo.NumPieces():\n		e.send", "	case n >= e.geo.NumPieces()-1:\n		e.send"},
	{"dial again at once", "peer/candidates.go",
		"	c.next = now.Add(wait*9/10 +", "	c.next = now.Add(0*wait +"},
	{"a piece is complete one block early", "piece/mark.go",
		"	return fresh && q.missing() == 0, fresh", "	return fresh && q.missing() <= 1, fresh"},
	{"count a late answer twice", "peer/download.go",
		"	if !late {\n		r.outstanding", "	if true {\n		r.outstanding"},
}

const mutantSeeds = "100"

// TestMutationsAreFound builds the simulator with one bug put in at a time, and
// wants each found within 100 rng seeds of a swarm under faults; and nothing in
// those seeds without one.
func TestMutationsAreFound(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a program for each mutation")
	}
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range append([]mutation{{name: "none"}}, mutations...) {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			bin := build(t, root, &m)
			out, err := exec.CommandContext(t.Context(), bin, "1", mutantSeeds).CombinedOutput()
			found := strings.TrimSpace(string(out))
			var exit *exec.ExitError
			switch {
			case err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 1):
				t.Fatalf("%v: %s", err, found)
			case m.file == "" && found != "":
				t.Errorf("without a bug: %s", found)
			case m.file != "" && found == "":
				t.Errorf("not found in %s rng seeds", mutantSeeds)
			}
			t.Logf("%s: %s", m.name, found)
		})
	}
}

// build makes the program in testdata/mutant with a mutation in it.
func build(t *testing.T, root string, m *mutation) string {
	t.Helper()
	dir := t.TempDir()
	bin := filepath.Join(dir, "mutant")
	args := []string{"build", "-ldflags=-s -w", "-o", bin} // without what a debugger needs: half the time
	if m.file != "" {
		args = append(args, "-overlay", m.overlay(t, root, dir))
	}
	cmd := exec.CommandContext(t.Context(), "go", append(args, "./sim/fleet/testdata/mutant")...)
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return bin
}

// overlay writes the mutated file and what tells the compiler to read it instead.
func (m *mutation) overlay(t *testing.T, root, dir string) string {
	t.Helper()
	source := filepath.Join(root, filepath.FromSlash(m.file))
	text, err := os.ReadFile(source)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(text), m.old); n != 1 {
		t.Fatalf("%s has the text to change %d times, want once: the mutation is out of date", m.file, n)
	}
	changed, config := filepath.Join(dir, "changed.go"), filepath.Join(dir, "overlay.json")
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {source: changed}})
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{changed: []byte(strings.Replace(string(text), m.old, m.new, 1)), config: overlay} {
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return config
}
