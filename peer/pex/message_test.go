package pex

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"starling/p2p"
)

func at(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }

func ats(list ...string) (out []netip.AddrPort) {
	for _, s := range list {
		out = append(out, at(s))
	}
	return out
}

func same(a, b Message) bool {
	return slices.Equal(a.Added, b.Added) && slices.Equal(a.Dropped, b.Dropped)
}

// The bytes of 10.0.0.1:6881, 10.0.0.2:6882 and [2001:db8::1]:6883.
const (
	one = "\x0a\x00\x00\x01\x1a\xe1"
	two = "\x0a\x00\x00\x02\x1a\xe2"
	six = "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x1a\xe3"
)

func TestAppend(t *testing.T) {
	a1, a2, a6 := at("10.0.0.1:6881"), at("10.0.0.2:6882"), at("[2001:db8::1]:6883")
	for _, c := range []struct {
		m    Message
		want string
	}{
		{Message{}, "de"},
		{Message{Added: []Peer{{a1, Seed}}}, "d5:added6:" + one + "7:added.f1:\x02e"},
		{Message{Added: []Peer{{Addr: a6}}}, "d6:added618:" + six + "8:added6.f1:\x00e"},
		{Message{Dropped: ats("10.0.0.2:6882")}, "d7:dropped6:" + two + "e"},
		{
			Message{Added: []Peer{{a6, UTP | Reachable}, {a2, Encryption}, {at("[::ffff:10.0.0.1]:6881"), Holepunch}}, Dropped: ats("[2001:db8::1]:6883", "10.0.0.1:6881")},
			"d5:added12:" + two + one + "7:added.f2:\x01\x086:added618:" + six + "8:added6.f1:\x14" + "7:dropped6:" + one + "8:dropped618:" + six + "e",
		},
	} {
		if got := string(c.m.Append(nil)); got != c.want {
			t.Errorf("%v: %q, want %q", c.m, got, c.want)
		}
	}
}

func TestParse(t *testing.T) {
	a1, a2, a6 := at("10.0.0.1:6881"), at("10.0.0.2:6882"), at("[2001:db8::1]:6883")
	for _, c := range []struct {
		name, in string
		want     Message
	}{
		{"nothing", "de", Message{}},
		{"all fields empty", "d5:added0:7:added.f0:6:added60:8:added6.f0:7:dropped0:8:dropped60:e", Message{}},
		{"no flags", "d5:added12:" + one + two + "7:dropped0:e", Message{Added: []Peer{{a1, 0}, {a2, 0}}}},
		{"empty flags", "d5:added6:" + one + "7:added.f0:e", Message{Added: []Peer{{a1, 0}}}},
		{"unknown bits of flags", "d5:added6:" + one + "7:added.f1:\xe2e", Message{Added: []Peer{{a1, Seed | 0xe0}}}},
		{"both families", "d5:added6:" + one + "7:added.f1:\x026:added618:" + six + "8:added6.f1:\x10" + "7:dropped6:" + two + "e",
			Message{Added: []Peer{{a1, Seed}, {a6, Reachable}}, Dropped: ats("10.0.0.2:6882")}},
		{"dropped6", "d8:dropped618:" + six + "e", Message{Dropped: ats("[2001:db8::1]:6883")}},
		{"unknown keys", "d5:added6:" + one + "7:added.f1:\x003:foodee", Message{Added: []Peer{{a1, 0}}}},
		{"twice", "d5:added12:" + one + one + "7:added.f2:\x02\x00e", Message{Added: []Peer{{a1, Seed}}}},
		{"twice dropped", "d7:dropped12:" + one + one + "e", Message{Dropped: ats("10.0.0.1:6881")}},
		{"added and dropped", "d5:added6:" + one + "7:added.f1:\x007:dropped6:" + one + "e", Message{Added: []Peer{{a1, 0}}}},
		{"no port", "d5:added6:\x0a\x00\x00\x01\x00\x007:added.f1:\x00e", Message{}},
		{"unspecified", "d5:added6:\x00\x00\x00\x00\x1a\xe17:added.f1:\x00e", Message{}},
		{"multicast", "d5:added6:\xe0\x00\x00\x01\x1a\xe17:added.f1:\x00e", Message{}},
		{"broadcast", "d7:dropped6:\xff\xff\xff\xff\x1a\xe1e", Message{}},
		{"flags stay with their peer", "d5:added18:" + "\x0a\x00\x00\x03\x00\x00" + one + two + "7:added.f3:\x01\x02\x04e",
			Message{Added: []Peer{{a1, Seed}, {a2, UTP}}}},
		{"IPv4 in IPv6 form, and as itself", "d5:added6:" + one + "7:added.f1:\x026:added618:" + strings.Repeat("\x00", 10) + "\xff\xff" + one + "8:added6.f1:\x01e",
			Message{Added: []Peer{{a1, Seed}}}},
	} {
		got, err := Parse([]byte(c.in))
		if err != nil || !same(got, c.want) {
			t.Errorf("%s: %v, %v, want %v", c.name, got, err, c.want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	list := func(key string, n, size int) string {
		return fmt.Sprintf("%d:%s%d:%s", len(key), key, n*size, strings.Repeat("\x0a", n*size))
	}
	for _, c := range []struct {
		name, in, why string
		reason        p2p.Reason
	}{
		{"nothing", "", "ends inside", p2p.ReasonBadMessage},
		{"a list", "le", "not a dictionary", p2p.ReasonBadMessage},
		{"bytes behind", "dee", "bytes follow", p2p.ReasonBadMessage},
		{"unsorted", "d7:dropped0:5:added0:e", "not sorted", p2p.ReasonBadMessage},
		{"twice", "d5:added0:5:added0:e", "comes twice", p2p.ReasonBadMessage},
		{"a list of peers", "d5:addedlee", `"added" is not a string`, p2p.ReasonBadMessage},
		{"a number", "d8:dropped6i1ee", `"dropped6" is not a string`, p2p.ReasonBadMessage},
		{"ragged added", "d5:added7:" + one + "xe", "7 bytes", p2p.ReasonBadMessage},
		{"ragged dropped", "d7:dropped5:12345e", "5 bytes", p2p.ReasonBadMessage},
		{"ragged added6", "d6:added66:" + one + "e", "6 bytes", p2p.ReasonBadMessage},
		{"ragged dropped6", "d8:dropped619:" + six + "xe", "19 bytes", p2p.ReasonBadMessage},
		{"too few flags", "d5:added12:" + one + two + "7:added.f1:\x00e", "1 flags for 2 IPv4 peers", p2p.ReasonBadMessage},
		{"too many flags", "d6:added618:" + six + "8:added6.f2:\x00\x00e", "2 flags for 1 IPv6 peers", p2p.ReasonBadMessage},
		{"flags of nobody", "d7:added.f1:\x00e", "1 flags for 0 IPv4 peers", p2p.ReasonBadMessage},
		{"too many peers", "d" + list("added", 500, 6) + list("dropped", 501, 6) + "e", "1001 addresses", p2p.ReasonTooLarge},
		{"too long", "d" + list("added", MaxPayload/6, 6) + "e", "more than 32768", p2p.ReasonTooLarge},
		{"nested", "d1:a" + strings.Repeat("l", 50) + strings.Repeat("e", 51), "nested too deeply", p2p.ReasonBadMessage},
	} {
		m, err := Parse([]byte(c.in))
		if p2p.ReasonOf(err) != c.reason || !strings.Contains(fmt.Sprint(err), c.why) || !same(m, Message{}) {
			t.Errorf("%s: %v, %v, want %v with %q", c.name, m, err, c.reason, c.why)
		}
	}
	if _, err := Parse([]byte("d" + list("added", 500, 6) + list("dropped", 500, 6) + "e")); err != nil {
		t.Errorf("1000 addresses: %v", err)
	}
}

// FuzzParse: what parses is bounded, has no address twice, and comes back the
// same.
func FuzzParse(f *testing.F) {
	f.Add([]byte("d5:added12:" + one + two + "7:added.f2:\x02\x006:added618:" + six + "8:added6.f1:\x10" + "7:dropped6:" + one + "8:dropped60:e"))
	f.Add([]byte("d5:added6:" + one + "7:dropped0:e"))
	f.Add([]byte("de"))
	f.Fuzz(func(t *testing.T, in []byte) {
		m, err := Parse(in)
		if err != nil {
			if r := p2p.ReasonOf(err); r != p2p.ReasonBadMessage && r != p2p.ReasonTooLarge {
				t.Errorf("error %v has reason %v", err, r)
			}
			return
		}
		if n := len(m.Added) + len(m.Dropped); n > maxEntries || n*size4 > len(in) {
			t.Fatalf("%d addresses out of %d bytes", n, len(in))
		}
		sound(t, m)
		again, err := Parse(m.Append(nil))
		if err != nil || !same(again, m) {
			t.Errorf("%v came back as %v, %v", m, again, err)
		}
	})
}

// sound checks what holds for every message.
func sound(t *testing.T, m Message) {
	t.Helper()
	seen := map[netip.AddrPort]bool{}
	list := slices.Clone(m.Dropped)
	for _, p := range m.Added {
		list = append(list, p.Addr)
	}
	for _, a := range list {
		if seen[a] || !possible(a) || a.Addr().Zone() != "" || a.Addr().Is4In6() {
			t.Fatalf("%v in %v", a, m)
		}
		seen[a] = true
	}
}
