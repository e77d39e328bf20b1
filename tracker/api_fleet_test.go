package tracker

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"starling/internal/benc"
	"starling/metainfo"
	"starling/tracker/fleet"
	"starling/tracker/swarm"
)

// hash1Hex is hash1 as the interface writes it.
var hash1Hex = strings.Repeat("a7", 20)

// report announces that host n, which listens on its number, has done of 1000 bytes.
func (r *running) report(t testing.TB, n, done int, more string) []byte {
	t.Helper()
	status, body := get(t, r.addr, announcePath(hash1, n, fmt.Sprintf(
		"&left=%d&x_report=1&x_size=1000&x_done=%d&x_node=n%d&numwant=0%s", 1000-done, done, n, more)))
	if status != http.StatusOK {
		t.Fatalf("announce: %d %s", status, body)
	}
	return body
}

// api fetches a document of the JSON interface.
func api[T any](t testing.TB, addr, path string) (doc T) {
	t.Helper()
	status, body := get(t, addr, "/api/v1/"+path)
	if status != http.StatusOK {
		t.Fatalf("%s: %d %s", path, status, body)
	}
	if err := json.Unmarshal(body, &doc); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return doc
}

func TestFleetAPI(t *testing.T) {
	srv := start(t, DefaultConfig(), nil)
	if got := field(t, srv.report(t, 1, 1000, "&x_label_rack=r1&x_state=seeding"), "x_report"); got != "2" {
		t.Errorf("the reply to a report has x_report %q", got)
	}
	srv.report(t, 2, 810, "&x_label_rack=r2&x_state=downloading&x_why=disk&x_left_s=14&x_down=5&x_from=7f0000010001-5")
	_, body := get(t, srv.addr, announcePath(hash1, 3, "&left=0"))
	if got := field(t, body, "x_report"); got != "" {
		t.Errorf("who cannot report is told to: %q", got)
	}
	list := api[fleet.Swarms](t, srv.addr, "swarms")
	if list.V != 1 || list.Total != 1 || len(list.Swarms) != 1 || list.Swarms[0].InfoHash != hash1Hex || list.Swarms[0].Hosts != 3 || list.Swarms[0].Done != 2 {
		t.Errorf("%+v", list)
	}
	at := "swarms/" + hash1Hex
	one := api[fleet.Swarm](t, srv.addr, at)
	if one.Hosts != 3 || one.Done != 2 || one.Seeders != 2 || one.Leechers != 1 || one.Size != 1000 || one.DownBPS != 5 || len(one.Groups) != 1 {
		t.Errorf("%+v", one)
	}
	st := api[fleet.Status](t, srv.addr, at+"/status?by=rack&label.rack=r2")
	if st.By != "rack" || st.Hosts != 1 || st.Groups[0].Name != "r2" || st.Groups[0].Slowest.Why != "disk" || *st.LeftS != 14 {
		t.Errorf("%+v", st)
	}
	hosts := api[fleet.Hosts](t, srv.addr, at+"/hosts?sort=node&limit=2&offset=1")
	if hosts.Total != 3 || len(hosts.Hosts) != 2 || hosts.Hosts[0].Node != "n1" || hosts.Hosts[0].Labels["rack"] != "r1" || hosts.Hosts[0].State != "seeding" || hosts.Hosts[0].Client != "XX0001" {
		t.Errorf("%+v", hosts)
	}
	if e := api[fleet.Edges](t, srv.addr, at+"/edges"); len(e.Edges) != 1 || e.Edges[0] != (fleet.Edge{From: "n1", To: "n2", BPS: 5}) {
		t.Errorf("%+v", e)
	}
	if a := api[fleet.Availability](t, srv.addr, at+"/availability"); a.Buckets != fleet.Buckets || a.Seeds != 1 {
		t.Errorf("%+v", a)
	}
	for path, want := range map[string]int{
		"swarms/" + strings.Repeat("00", 20): 404, "swarms/zz": 400, at + "/hosts?sort=luck": 400, at + "/hosts?limit=x": 400,
		at + "/hosts?offset=-1": 400, at + "/status?%zz": 400, "swarms?limit=-1": 400, at + "/luck": 404, "events?swarm=1": 400,
		"swarms/" + strings.ToUpper(hash1Hex): 200, at + strings.Repeat("00", 12): 200, at + strings.Repeat("zz", 12): 400,
	} {
		if got, body := get(t, srv.addr, "/api/v1/"+path); got != want {
			t.Errorf("%s: %d %s, want %d", path, got, body, want)
		}
	}
	srv.report(t, 2, 1000, "&event=stopped")
	srv.report(t, 4, 500, "")
	srv.report(t, 4, 500, "&event=stopped")
	srv.age()
	hosts = api[fleet.Hosts](t, srv.addr, at+"/hosts?sort=node")
	if hosts.Total != 3 || hosts.Hosts[2].Node != "n2" || hosts.Hosts[2].State != "left" {
		t.Errorf("after two goodbyes: %+v", hosts)
	}
}

// reported is of how many hosts there are reports.
func (r *running) reported() int {
	r.reports.mu.Lock()
	defer r.reports.mu.Unlock()
	return r.reports.store.Totals().Hosts
}

// age makes every view anew, as if time had passed.
func (r *running) age() {
	r.reports.viewMu.Lock()
	defer r.reports.viewMu.Unlock()
	clear(r.reports.views)
	r.reports.listed = -listAge
}

// TestFleetOfHybrid: a hybrid that the tracker serves is one swarm by both of its
// infohashes, and a host that announces both is one host.
func TestFleetOfHybrid(t *testing.T) {
	srv := start(t, DefaultConfig(), nil)
	b, err := metainfo.NewBuilderOf(metainfo.Hybrid, "h", []metainfo.File{{Length: 5}}, 16<<10)
	if err == nil {
		err = b.HashReader(strings.NewReader("hello"))
	}
	if err != nil {
		t.Fatal(err)
	}
	tor, err := b.Torrent()
	if err == nil {
		err = srv.Torrents().Add("h", tor.Marshal())
	}
	if err != nil {
		t.Fatal(err)
	}
	first, second := tor.InfoHash, tor.InfoHashV2.Short()
	for _, h := range []metainfo.Hash{first, second} {
		var enc strings.Builder
		escape(&enc, string(h[:]))
		get(t, srv.addr, announcePath(enc.String(), 7, "&left=0&x_report=1&x_size=5&x_done=5&x_node=a"))
	}
	list := api[fleet.Swarms](t, srv.addr, "swarms")
	if list.Total != 1 || list.Swarms[0].Name != "h" || list.Swarms[0].Hosts != 1 || list.Swarms[0].Size != 5 {
		t.Errorf("%+v", list)
	}
	for _, h := range []string{first.String(), second.String(), tor.InfoHashV2.String()} {
		if one := api[fleet.Swarm](t, srv.addr, "swarms/"+h); one.Name != "h" || one.Hosts != 1 || one.InfoHash != first.String() {
			t.Errorf("by %s: %+v", h, one)
		}
	}
	srv.Torrents().Remove("h")
	if p := srv.torrents.primary(second); p != second {
		t.Error("a torrent that is gone still names the swarm of another")
	}
}

// TestViewOff: without the view nobody is asked for reports, and nothing is shown.
func TestViewOff(t *testing.T) {
	cfg := DefaultConfig()
	cfg.View = false
	srv := start(t, cfg, nil)
	if got := field(t, srv.report(t, 1, 1, ""), "x_report"); got != "" {
		t.Errorf("asks for reports: %q", got)
	}
	for _, path := range []string{"swarms", "swarms/" + hash1Hex + "/status", "events"} {
		if got, _ := get(t, srv.addr, "/api/v1/"+path); got != http.StatusNotFound {
			t.Errorf("%s: %d", path, got)
		}
	}
}

// TestReportOverUDP: reports go in the URL data of BEP 41, and the answer says when
// the next is due; who does not ask gets no peer without an address.
func TestReportOverUDP(t *testing.T) {
	srv, at := startUDP(t, DefaultConfig(), "127.0.0.1:0")
	report := []Param{{"x_report", "1"}, {"x_size", "10"}, {"x_done", "4"}, {"x_node", "u"}}
	c := NewClient(ClientConfig{Tiers: [][]string{{"udp://" + at.String() + "/announce"}}, Floor: time.Second})
	defer c.Close()
	req := Request{InfoHash: [20]byte{9}, PeerID: [20]byte{8}, Port: 5, Left: 6, CanReport: true, Report: report[1:]}
	r, err := c.Announce(t.Context(), req)
	if err != nil || r.ReportIn != 2*time.Second || len(r.Peers) != 0 {
		t.Fatalf("%+v, %v", r, err)
	}
	if srv.reported() != 0 {
		t.Error("it was told before it asked")
	}
	if r, err = c.Announce(t.Context(), req); err != nil || srv.reported() != 1 {
		t.Errorf("%d hosts, %v", srv.reported(), err)
	}
	st, ok := srv.Status(req.InfoHash, "", nil)
	if !ok || st.Groups[0].Slowest == nil || st.Groups[0].Slowest.Node != "u" || *st.Groups[0].Slowest.Done != 0.4 {
		t.Errorf("%+v", st)
	}
	req.CanReport = false
	if r, err = c.Announce(t.Context(), req); err != nil || r.ReportIn != 0 {
		t.Errorf("%+v, %v", r, err)
	}
	for _, v4 := range []bool{true, false} {
		b := appendUDPReport(make([]byte, maxUDPAnswer), v4, 60)
		if len(b) != maxUDPAnswer || udpReportIn(b[maxUDPAnswer-18:], !v4) != 60 {
			t.Errorf("a full packet: %d bytes", len(b))
		}
	}
}

// TestReportsOnlyWhereAsked: a client tells a tracker how it does only after that
// tracker asked, and no other one.
func TestReportsOnlyWhereAsked(t *testing.T) {
	var said []string
	asks := false
	c := NewClient(ClientConfig{
		Tiers: [][]string{{"http://a/announce"}, {"http://b/announce"}},
		Get: func(_ context.Context, u *url.URL) (int, []byte, error) {
			if u.Host == "a" && !asks {
				return 500, nil, nil
			}
			said = append(said, u.Host+" "+u.Query().Get("x_report")+" "+u.Query().Get("x_node"))
			reply := "d8:intervali60e5:peers0:e"
			if u.Host == "a" {
				reply = "d8:intervali60e5:peers0:8:x_reporti1ee"
			}
			return 200, []byte(reply), nil
		},
	})
	req := Request{Port: 1, CanReport: true, Report: []Param{{"x_node", "me"}}}
	for i, want := range []time.Duration{0, minReport, minReport} {
		asks = i > 0
		if i == 1 { // the first tracker is back, and asks
			c.tiers = NewTiers([][]string{{"http://a/announce"}, {"http://b/announce"}}, nil)
		}
		r, err := c.Announce(t.Context(), req)
		if err != nil || r.ReportIn != want {
			t.Fatalf("%d: %+v, %v", i, r, err)
		}
	}
	asks = false
	if _, err := c.Announce(t.Context(), req); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(said, ", "); got != "b 1 , a 1 , a 1 me, b 1 " {
		t.Errorf("said %q", got)
	}
}

func TestReportIn(t *testing.T) {
	for seconds, want := range map[int64]time.Duration{-1: 0, 0: 0, 1: minReport, 10: 10 * time.Second, 1 << 40: maxReport} {
		reply := benc.AppendInt([]byte("d8:intervali60e5:peers0:8:x_report"), seconds)
		if r, err := parseReply(append(reply, 'e'), time.Second); err != nil || r.ReportIn != want {
			t.Errorf("%d: %v, %v", seconds, r.ReportIn, err)
		}
	}
	if _, ok := parseHash(hex.EncodeToString(make([]byte, 32))); !ok {
		t.Error("a v2 infohash is refused")
	}
}

// TestOthersAreBounded: of peers that report nothing, and of swarms that nobody reports
// of, a bounded number is shown.
func TestOthersAreBounded(t *testing.T) {
	s, err := New(DefaultConfig(), slog.New(slog.DiscardHandler), NewMetrics(prometheus.NewRegistry()))
	if err != nil {
		t.Fatal(err)
	}
	r := new(swarm.Response)
	for n := range maxOthers + 50 {
		q := &swarm.Request{Addr: netip.AddrPortFrom(loopback, uint16(1+n)), Left: 1}
		for _, hash := range [][20]byte{{1}, {2, byte(n), byte(n >> 8)}} {
			if q.InfoHash = hash; s.shards.announce(0, q, r) != nil {
				t.Fatal("not announced")
			}
		}
	}
	if st, ok := s.Status([20]byte{1}, "", nil); !ok || st.Hosts != maxOthers {
		t.Errorf("%d hosts", st.Hosts)
	}
	if list := s.Swarms(0, 5); list.Total != maxOthers || len(list.Swarms) != 5 {
		t.Errorf("%d swarms", list.Total)
	}
}

// TestFleetAtOnce has hosts report, come and go while all of it is looked at.
func TestFleetAtOnce(t *testing.T) {
	srv := start(t, DefaultConfig(), nil)
	_, lines := streamOf(t, srv.addr, "?swarm="+hash1Hex)
	var hosts sync.WaitGroup
	for h := range 4 {
		hosts.Go(func() {
			sc := new(scratch)
			for i := range 400 {
				event := ""
				if i%7 == 6 {
					event = "&event=stopped"
				}
				srv.announce(sc, fmt.Appendf(nil, "info_hash=%s&%s&port=%d%s&numwant=0%s", hash1, okID, 1+100*h+i%100, event, wholeReport), loopback)
			}
		})
	}
	for range 30 {
		srv.age()
		api[fleet.Swarms](t, srv.addr, "swarms")
		for _, what := range []string{"", "/status?by=rack", "/hosts", "/edges", "/availability"} {
			if status, body := get(t, srv.addr, "/api/v1/swarms/"+hash1Hex+what); status != http.StatusOK && status != http.StatusNotFound {
				t.Errorf("%s: %d %s", what, status, body)
			}
		}
	}
	hosts.Wait()
	next(t, lines, "swarm")
	srv.age()
	if st := api[fleet.Status](t, srv.addr, "swarms/"+hash1Hex+"/status?by=host"); st.Hosts != srv.reported() || st.Hosts == 0 {
		t.Errorf("%d hosts, want %d", st.Hosts, srv.reported())
	}
}
