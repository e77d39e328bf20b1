package peer

import (
	"encoding/hex"
	"os"
	"strings"
	"testing"
	"time"

	"starling/p2p"
)

// The examples of docs/wire.md are conversations, in blocks that are fenced with
// "wire NAME". This test plays each with the real engine and the real encoder,
// so that the page cannot drift from the code:
//
//	= ADDR     a connection comes from ADDR
//	> HEX      what we are sent on it; a line that begins with a space goes on
//	< HEX      what we send, which must be this to the byte
//	x REASON   we close it
//	d ADDR     we dial ADDR
//	~ TIME     time passes
//	# TEXT     a comment, also behind hex
const wireDoc = "../docs/wire.md"

func TestWireDoc(t *testing.T) {
	page, err := os.ReadFile(wireDoc)
	if err != nil {
		t.Fatal(err)
	}
	blocks := wireBlocks(string(page))
	for name := range wireScenes {
		if _, ok := blocks[name]; !ok {
			t.Errorf("docs/wire.md has no example %q", name)
		}
	}
	for name, text := range blocks {
		scene, ok := wireScenes[name]
		if !ok {
			t.Errorf("docs/wire.md has an example %q that is not played here", name)
			continue
		}
		t.Run(name, func(t *testing.T) {
			newWireHost(scene).play(t, text)
		})
	}
}

// play compares each line of an example with what the code does.
func (h *wireHost) play(t *testing.T, lines []string) {
	t.Helper()
	for _, line := range lines {
		verb, rest, _ := strings.Cut(line, " ")
		if (verb == "=" || verb == ">" || verb == "~") && len(h.said) > 0 {
			t.Fatalf("before %q the page lacks:\n%s", line, strings.Join(h.said, "\n"))
		}
		switch verb {
		case "=":
			h.accept(rest)
		case ">":
			b, err := hex.DecodeString(rest)
			if err != nil {
				t.Fatalf("%q: %v", line, err)
			}
			if err := h.receive(b); err != nil {
				t.Fatalf("%q: %v", line, err)
			}
		case "~":
			d, err := time.ParseDuration(rest)
			if err != nil {
				t.Fatalf("%q: %v", line, err)
			}
			h.pass(d)
		case "<", "x", "d":
			if len(h.said) == 0 || h.said[0] != line {
				t.Fatalf("the page says\n%s\nand the code\n%s", line, strings.Join(h.said, "\n"))
			}
			h.said = h.said[1:]
		default:
			t.Fatalf("line %q", line)
		}
	}
	if len(h.said) > 0 {
		t.Fatalf("at the end the page lacks:\n%s", strings.Join(h.said, "\n"))
	}
}

// wireBlocks returns the lines of each example, without comments and with the
// hex of a frame in one word.
func wireBlocks(page string) map[string][]string {
	blocks := map[string][]string{}
	name := ""
	for line := range strings.Lines(page) {
		line, _, _ = strings.Cut(strings.TrimRight(line, "\n"), "#")
		info, fence := strings.CutPrefix(line, "```")
		switch {
		case fence && name != "":
			name = ""
		case fence:
			name, _ = strings.CutPrefix(info, "wire ")
			if name == info {
				name = "" // another kind of block
			}
		case name == "" || strings.TrimSpace(line) == "":
		case line[0] == ' ' && len(blocks[name]) > 0:
			all := blocks[name]
			all[len(all)-1] += strings.ReplaceAll(line, " ", "")
		default:
			verb, rest, _ := strings.Cut(line, " ")
			blocks[name] = append(blocks[name], verb+" "+strings.ReplaceAll(rest, " ", ""))
		}
	}
	return blocks
}

// FuzzConversation sends an engine any frames, as far as a host would deliver
// them, starting from those of docs/wire.md. It must keep its invariants.
func FuzzConversation(f *testing.F) {
	page, err := os.ReadFile(wireDoc)
	if err != nil {
		f.Fatal(err)
	}
	for _, lines := range wireBlocks(string(page)) {
		var all []byte
		for _, line := range lines {
			if text, ok := strings.CutPrefix(line, "> "); ok {
				b, err := hex.DecodeString(text)
				if err != nil {
					f.Fatal(err)
				}
				all = append(all, b...)
			}
		}
		f.Add(all)
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		for _, scene := range []string{"serve", "fetch", "guided"} {
			h := newWireHost(wireScenes[scene])
			h.accept("10.0.0.1:50001")
			for b := input; len(b) >= p2p.HeaderSize; {
				_, length := p2p.ParseHeader(b)
				end := min(p2p.HeaderSize+int(length), len(b))
				if h.receive(b[:end]) != nil || h.open[h.page] == nil {
					break // the host closes it, or the engine has
				}
				b = b[end:]
				h.pass(100 * time.Millisecond)
				if err := h.engine.Check(); err != nil {
					t.Fatal(err)
				}
			}
			h.pass(3 * time.Minute)
			if h.open[h.page] != nil {
				t.Fatal("open though nothing came for three minutes")
			}
		}
	})
}
