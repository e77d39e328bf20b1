package view

import (
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"

	"starling/tracker/fleet"
)

// made is a Source of reports that a test made up.
type made struct {
	names map[[20]byte]string
	order [][20]byte
	views map[[20]byte]*fleet.View
}

// hashOf is the hash of a test's swarm.
func hashOf(n byte) [20]byte { return [20]byte{0xa0, n} }

// newMade returns a source with swarms whose hosts report what fn says.
func newMade(t testing.TB, swarms, hosts int, fn func(i int, r *fleet.Report)) *made {
	t.Helper()
	store := fleet.New(fleet.Default(time.Hour))
	m := &made{names: map[[20]byte]string{}, views: map[[20]byte]*fleet.View{}}
	for s := range swarms {
		hash := hashOf(byte(s))
		m.order = append(m.order, hash)
		m.names[hash] = fmt.Sprintf("swarm-%d", s)
		for i := range hosts {
			r := fleet.Report{
				Hash: hash, Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), 6881), State: fleet.Downloading,
				Size: 1000, Done: 500, LeftS: 10, Node: fmt.Appendf(nil, "host-%03d", i),
				Labels: []fleet.RawLabel{{Name: []byte("rack"), Value: fmt.Appendf(nil, "r%d", i%3)}},
			}
			fn(i, &r)
			if err := store.Note(0, &r); err != nil {
				t.Fatal(err)
			}
		}
		v := store.View(0, hash)
		v.Seal()
		m.views[hash] = v
	}
	return m
}

func (m *made) info(h [20]byte) fleet.SwarmInfo {
	i := m.views[h].Summary()
	i.InfoHash, i.Name = hex.EncodeToString(h[:]), m.names[h]
	return i
}

func (m *made) Swarms(offset, limit int) fleet.Swarms {
	out := fleet.Swarms{V: 1, Total: len(m.order)}
	for _, h := range m.order[min(offset, len(m.order)):min(offset+limit, len(m.order))] {
		out.Swarms = append(out.Swarms, m.info(h))
	}
	return out
}

func (m *made) Swarm(h [20]byte) (fleet.Swarm, bool) {
	if m.views[h] == nil {
		return fleet.Swarm{}, false
	}
	return fleet.Swarm{V: 1, SwarmInfo: m.info(h)}, true
}

func (m *made) Status(h [20]byte, by string, labels []fleet.Label) (fleet.Status, bool) {
	return m.views[h].Status(by, labels), true
}
func (m *made) Hosts(h [20]byte, q fleet.Query) (fleet.Hosts, bool) { return m.views[h].Hosts(q), true }
func (m *made) Edges(h [20]byte, limit int) (fleet.Edges, bool)     { return m.views[h].Edges(limit), true }
func (m *made) Availability(h [20]byte) (fleet.Availability, bool) {
	return m.views[h].Availability(), true
}

// page asks a source's page for a path and returns the answer.
func page(t testing.TB, src Source, path string) (*http.Response, string) {
	t.Helper()
	w := httptest.NewRecorder()
	New(src).ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w.Result(), w.Body.String()
}

// rollout is the page of the first swarm with a query.
func rollout(t testing.TB, src Source, query string) string {
	t.Helper()
	resp, body := page(t, src, "/swarms/"+hex.EncodeToString([]byte{0xa0})+strings.Repeat("0", 38)+query)
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("status %d\n%s", resp.StatusCode, body)
	}
	return body
}

// wants fails the test for each text that is not in body.
func wants(t testing.TB, body string, texts ...string) {
	t.Helper()
	for _, w := range texts {
		if !strings.Contains(body, w) {
			t.Errorf("not on the page: %s", w)
		}
	}
}

// rows are the hosts of the page's last long table, in order.
func rows(body string) []string {
	var out []string
	table := body[strings.Index(body, `<table id="hosts"`):]
	for _, m := range regexp.MustCompile(`<th scope="row"><span class="who">([^<]*)`).FindAllStringSubmatch(table, -1) {
		out = append(out, m[1])
	}
	return out
}

func none(int, *fleet.Report) {}

func TestRolloutNumbers(t *testing.T) {
	src := newMade(t, 1, 60, func(i int, r *fleet.Report) {
		for k := range r.Have {
			r.Have[k] = 127
		}
		switch i {
		case 0:
			r.Done, r.State, r.Up = 1000, fleet.Seeding, 7<<20
			for k := range r.Have {
				r.Have[k] = 255
			}
		case 7:
			r.Done, r.LeftS, r.Why = 100, 90, fleet.WhyDisk
		case 8:
			r.Down = 3 << 20
			r.From = []fleet.Source{{Addr: netip.MustParseAddrPort("10.0.0.0:6881"), BPS: 3 << 20}}
		}
	})
	body := rollout(t, src, "")
	wants(t, body, ">swarm-0</h1>", `1 <small>of 60</small>`, "90 s", "3.0 MiB/s", "host-007", "its disk is slow, 90 s left",
		"Every part is on 30.3 hosts.", `<td>host-000</td><td>host-008</td><td class="num">3.0 MiB/s</td>`, `<th scope="row">r2</th>`,
		"1 to 50 of 60", `href="?page=2"`)
	wants(t, rollout(t, src, "?page=2"), "has all of it", "7.0 MiB/s")
	if got := rows(body); len(got) != 50 || got[0] != "host-007" {
		t.Errorf("%d rows, the first %v: want 50, the slowest first", len(got), got[:1])
	}
}

func TestRolloutQuery(t *testing.T) {
	src := newMade(t, 1, 120, func(i int, r *fleet.Report) { r.Down = int64(i) })
	if got := rows(rollout(t, src, "?sort=node&page=2")); len(got) != 50 || got[0] != "host-050" {
		t.Errorf("the second page by name begins with %v, %d rows", got[:1], len(got))
	}
	if got := rows(rollout(t, src, "?sort=down")); got[0] != "host-119" {
		t.Errorf("the fastest is said to be %v", got[0])
	}
	body := rollout(t, src, "?label=rack&value=r1&sort=node")
	if got := rows(body); len(got) != 40 || got[0] != "host-001" || got[1] != "host-004" {
		t.Errorf("%d hosts of rack r1: %v", len(got), got)
	}
	wants(t, body, "40 hosts of 120", `value="r1"`, `<option selected>rack</option>`)
	wants(t, rollout(t, src, "?label=rack&value=nowhere"), "No host like that.")
	wants(t, rollout(t, src, "?by=host"), `<th scope="row">host-119</th>`)
	// What cannot be is as if it were not asked for.
	for _, q := range []string{"?page=0", "?page=-9", "?page=9999999999999999999", "?page=x", "?sort=x", "?by=x", "?label=x&value=y", "?%zz"} {
		if got := rows(rollout(t, src, q)); len(got) != 50 {
			t.Errorf("%s: %d rows", q, len(got))
		}
	}
	if got := rows(rollout(t, src, "?page=1000")); len(got) != 0 {
		t.Errorf("a page beyond the last has %v", got)
	}
}

func TestAllDone(t *testing.T) {
	src := newMade(t, 1, 5, func(_ int, r *fleet.Report) { r.Done, r.State, r.LeftS = 1000, fleet.Seeding, 0 })
	wants(t, rollout(t, src, ""), "data-done", "100 %", "on all 5 hosts", `id="left">done<`, "None: every host has all of it.")
}

func TestGroupsAreBounded(t *testing.T) {
	src := newMade(t, 1, 700, none)
	body := rollout(t, src, "?by=host")
	if n := strings.Count(body[:strings.Index(body, `<table id="hosts"`)], `<tr><th scope="row">`); n != groupsShown {
		t.Errorf("%d groups on the page, want %d", n, groupsShown)
	}
	wants(t, body, "And 500 more.")
}

// Groups stand by name with the numbers in them by size; more than a few of them stand
// with the slowest first.
func TestGroupsOrder(t *testing.T) {
	group := regexp.MustCompile(`<tr><th scope="row">([^<]*)</th>`)
	names := func(hosts int) (out []string) {
		src := newMade(t, 1, hosts, func(i int, r *fleet.Report) {
			r.LeftS = int64(100 + i)
			r.Labels = []fleet.RawLabel{{Name: []byte("rack"), Value: fmt.Appendf(nil, "r%d", i)}}
			if i == 0 {
				r.Labels = nil
			}
		})
		for _, m := range group.FindAllStringSubmatch(rollout(t, src, "?by=rack"), -1) {
			out = append(out, m[1])
		}
		return out
	}
	if got := strings.Join(names(12), " "); got != "r1 r2 r3 r4 r5 r6 r7 r8 r9 r10 r11 no rack" {
		t.Errorf("a dozen: %s", got)
	}
	if got := names(groupsByName + 1); len(got) != groupsByName+1 || got[0] != "r24" || got[1] != "r23" {
		t.Errorf("more: %v", got)
	}
}

func TestList(t *testing.T) {
	src := newMade(t, 130, 1, none)
	resp, body := page(t, src, "/")
	if n := strings.Count(body, "data-hash="); resp.StatusCode != http.StatusOK || n != swarmsPerPage {
		t.Errorf("status %d, %d swarms", resp.StatusCode, n)
	}
	wants(t, body, "130 swarms", "1 to 100 of 130", "swarm-99", `href="/swarms/a063`, "0 of 1", "50.0 %")
	_, body = page(t, src, "/?page=2")
	wants(t, body, "101 to 130 of 130", "swarm-129", `data-offset="100"`)
	_, body = page(t, newMade(t, 0, 0, none), "/")
	wants(t, body, "Nothing is on its way", "starling share PATH")
}

func TestRefusals(t *testing.T) {
	src := newMade(t, 1, 1, none)
	for _, path := range []string{
		"/swarms/" + strings.Repeat("b", 40), "/swarms/x", "/swarms/", "/swarms/" + strings.Repeat("%3Cb%3E", 300), "/nothing", "/assets/none.js", "/assets/",
	} {
		resp, body := page(t, src, path)
		if resp.StatusCode != http.StatusNotFound || strings.Contains(body, "<b>") || len(body) > 4096 {
			t.Errorf("%.60s: status %d, %d bytes", path, resp.StatusCode, len(body))
		}
	}
	w := httptest.NewRecorder()
	New(src).ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/", nil))
	if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "GET, HEAD" {
		t.Errorf("POST: %d, Allow %q", w.Code, w.Header().Get("Allow"))
	}
}

// A stranger names a host, a label and its value.
func TestStrangersText(t *testing.T) {
	evil := `"><script>x</script>`
	src := newMade(t, 1, 2, func(i int, r *fleet.Report) {
		r.Node = []byte(evil)
		r.Labels = []fleet.RawLabel{{Name: []byte("rack"), Value: []byte(evil)}}
		r.LeftS = int64(10 + 90*i)
		r.From = []fleet.Source{{Addr: netip.MustParseAddrPort("10.0.0.1:6881"), BPS: 9}}
	})
	src.names[hashOf(0)] = evil
	for _, body := range []string{rollout(t, src, "?by="+evil[:1]+"&value="+"%22%3E%3Cscript%3E"), rollout(t, src, "?by=host")} {
		if n := strings.Count(body, "<script"); n != 2 {
			t.Errorf("%d scripts on the page, want its own two", n)
		}
	}
	if _, body := page(t, src, "/"); strings.Count(body, "<script") != 2 {
		t.Error("the list has a stranger's script")
	}
}
