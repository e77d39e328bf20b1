package browser

import (
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"starling/tracker/fleet"
)

// evil is what a host may call itself.
const evil = `<img src=x onerror=document.title=1>`

// newOdd returns a site with a swarm of hosts of all kinds: in thirty racks and a dozen
// zones, with numbers that lie between two roundings, with states and reasons of every
// sort, without a name, with a stranger's, and some that tell nothing.
func newOdd(t testing.TB) (*site, *rollout) {
	t.Helper()
	s := newBareSite(t)
	r := s.add(t, "odd", 1, 1, 4<<30, 60)
	states := []fleet.State{fleet.Downloading, fleet.Stalled, fleet.Checking, fleet.Error, fleet.Downloading}
	whys := []fleet.Why{fleet.WhyDisk, fleet.WhyNone, fleet.WhyLimit, fleet.WhyPeers, fleet.WhyTracker, fleet.WhySeed, fleet.WhyLink}
	var reports []fleet.Report
	for i := range 45 {
		rep := fleet.Report{
			Hash: r.hash, Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(20000+i)), Size: 4 << 30,
			Done: int64(i) * (4 << 30) / 50, Down: int64(i%9) * 1310720 / 2, Up: int64(i%4) * 2359296, LeftS: int64(i * i * 7),
			State: states[i%len(states)], Why: whys[i%len(whys)], Node: fmt.Appendf(nil, "n%02d", i),
			Labels: []fleet.RawLabel{{Name: []byte("rack"), Value: fmt.Appendf(nil, "r%d", i%30)}, {Name: []byte("zone"), Value: fmt.Appendf(nil, "z%d", i%12)}},
		}
		copy(rep.ID[:], fmt.Sprintf("-SL0001-%012d", i))
		for k := range rep.Have {
			rep.Have[k] = byte(5*i + k/2)
		}
		switch {
		case i%11 == 3:
			rep.LeftS = -1
		case i == 7:
			rep.Node, rep.Labels = nil, nil
		case i == 8:
			rep.Node = []byte(evil)
			rep.Labels = []fleet.RawLabel{{Name: []byte("zone"), Value: []byte(evil)}}
		case i == 6:
			rep.Node = []byte(strings.Repeat("long", 15))
		case i == 9: // alone in its zone, with a share that no binary fraction is
			rep.Done, rep.Size = 57, 100
			rep.Labels = []fleet.RawLabel{{Name: []byte("zone"), Value: []byte("alone")}}
		case i == 10:
			rep.Size, rep.Done = 1<<40, 1<<40-1 // all but a byte
		case i%10 == 4:
			rep.Done, rep.State, rep.Why, rep.LeftS = rep.Size, fleet.Seeding, fleet.WhyNone, 0
		}
		if i > 0 {
			rep.From = []fleet.Source{{Addr: netip.AddrPortFrom(rep.Addr.Addr(), uint16(20000+i/2)), BPS: rep.Down}}
		}
		reports = append(reports, rep)
	}
	s.tell(t, reports)
	for i, left := range []int{0, 5} { // other clients
		resp, err := http.Get(fmt.Sprintf("%s/announce?info_hash=%s&peer_id=-XX0001-%012d&port=%d&left=%d&compact=1", s.url, quoted(r.hash), i, 30000+i, left))
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || strings.Contains(string(body), "failure") {
			t.Fatalf("announce: %v %s", err, body)
		}
	}
	return s, r
}

// quoted is a hash in a query.
func quoted(hash [20]byte) string {
	var b strings.Builder
	for _, c := range hash {
		fmt.Fprintf(&b, "%%%02x", c)
	}
	return b.String()
}

// escaped is text in a query; a tracker takes a "+" for what it is.
func escaped(text []byte) string {
	return strings.ReplaceAll(url.QueryEscape(string(text)), "+", "%20")
}
