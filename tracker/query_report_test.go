package tracker

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"starling/tracker/fleet"
)

// wholeReport is all that a host may say.
var wholeReport = "&x_report=1&x_size=1000&x_done=810&x_down=123&x_up=456&x_left_s=14&x_state=downloading&x_why=disk" +
	"&x_from=0a0000011ae1-700.web-30.fd0000000000000000000000000000011ae2-5&x_have=" +
	base64.RawURLEncoding.EncodeToString(bytes.Repeat([]byte{200}, fleet.Buckets)) +
	"&x_node=gpu%20r12&x_label_rack=r12&x_label_zone=%C3%A9"

func reportOf(t testing.TB, more string) *fleet.Report {
	t.Helper()
	q, r := new(query), new(reporting)
	if err := parseAnnounce([]byte(okHash+"&"+okID+"&port=1"+more), q); err != nil {
		t.Fatal(err)
	}
	return r.report(q)
}

func TestParseReport(t *testing.T) {
	r := reportOf(t, wholeReport)
	if r.Size != 1000 || r.Done != 810 || r.Down != 123 || r.Up != 456 || r.LeftS != 14 || r.State != fleet.Downloading || r.Why != fleet.WhyDisk {
		t.Errorf("%+v", r)
	}
	want := []fleet.Source{
		{Addr: netip.MustParseAddrPort("10.0.0.1:6881"), BPS: 700}, {BPS: 30}, {Addr: netip.MustParseAddrPort("[fd00::1]:6882"), BPS: 5},
	}
	if !slices.Equal(r.From, want) || r.Have[0] != 200 || r.Have[fleet.Buckets-1] != 200 {
		t.Errorf("from %v, have %v", r.From, r.Have)
	}
	if string(r.Node) != "gpu r12" || len(r.Labels) != 2 || string(r.Labels[1].Value) != "é" {
		t.Errorf("%q %q", r.Node, r.Labels)
	}
}

// TestParseReportLenient: what is not what it should be is left out, and the rest of
// the report stands.
func TestParseReportLenient(t *testing.T) {
	for more, ok := range map[string]func(r *fleet.Report) bool{
		"&x_size=5":                               func(r *fleet.Report) bool { return r.Size == 5 && r.Done == 0 && r.LeftS == -1 },
		"&x_size=-5":                              func(r *fleet.Report) bool { return r.Size == -1 },
		"&x_size=1&x_done=x":                      func(r *fleet.Report) bool { return r.Done == -1 },
		"&x_left_s=0":                             func(r *fleet.Report) bool { return r.LeftS == 0 },
		"&x_left_s=-1":                            func(r *fleet.Report) bool { return r.LeftS == -1 },
		"&x_left_s=99999999999999999999":          func(r *fleet.Report) bool { return r.LeftS == -1 },
		"&x_state=left&x_why=luck":                func(r *fleet.Report) bool { return r.State == fleet.Silent && r.Why == fleet.WhyNone },
		"&x_have=AAAA":                            func(r *fleet.Report) bool { return r.Have == [fleet.Buckets]byte{} },
		"&x_have=" + strings.Repeat("*", 86):      func(r *fleet.Report) bool { return r.Have == [fleet.Buckets]byte{} },
		"&x_from=0a0000011ae1-7.zz-1.web-1":       func(r *fleet.Report) bool { return len(r.From) == 1 },
		"&x_from=0a0000011ae1--7":                 func(r *fleet.Report) bool { return len(r.From) == 0 },
		"&x_from=" + strings.Repeat("web-1.", 20): func(r *fleet.Report) bool { return len(r.From) == fleet.MaxFrom },
		"&x_node=%00":                             func(r *fleet.Report) bool { return r.Node == nil },
		"&x_node=%FF":                             func(r *fleet.Report) bool { return r.Node == nil },
		"&x_node=" + strings.Repeat("n", 128):     func(r *fleet.Report) bool { return len(r.Node) == 128 },
		"&x_node=" + strings.Repeat("n", 129):     func(r *fleet.Report) bool { return r.Node == nil },
		"&x_label_a-b=1&x_label_ok=2":             func(r *fleet.Report) bool { return len(r.Labels) == 1 && string(r.Labels[0].Name) == "ok" },
		strings.Repeat("&x_label_a="+strings.Repeat("v", 128), 9): func(r *fleet.Report) bool {
			return len(r.Labels) == fleet.MaxLabels && len(r.Labels[7].Value) == 128
		},
	} {
		if r := reportOf(t, more); !ok(r) {
			t.Errorf("%.60s: %+v", more, r)
		}
	}
}

// FuzzReportQuery wants a report within its bounds of whatever an announce holds, and
// the same from the same parameters in URL data of UDP.
func FuzzReportQuery(f *testing.F) {
	f.Add([]byte(wholeReport))
	f.Add([]byte("&x_from=web-1.web&x_have=____&x_label_=&x_left_s=31622400&x_size=9223372036854775807"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		q, udp, r := new(query), new(query), new(reporting)
		err := parseAnnounce(append([]byte(okHash+"&"+okID+"&port=1&"), raw...), q)
		udp.readHints(raw)
		if err != nil {
			return // it has another hash, id or port
		}
		told := r.report(q)
		if len(told.From) > fleet.MaxFrom || len(told.Labels) > fleet.MaxLabels || len(told.Node) > fleet.MaxText || told.LeftS < -1 || told.LeftS >= maxLeftS {
			t.Fatalf("out of bounds: %+v", told)
		}
		for _, l := range told.Labels {
			if len(l.Value) > fleet.MaxText || len(l.Name) > fleet.MaxText || !utf8.Valid(l.Value) || !isLabelName(l.Name) {
				t.Fatalf("label %q", l)
			}
		}
		if !utf8.Valid(told.Node) || bytes.ContainsFunc(told.Node, func(c rune) bool { return c < ' ' }) {
			t.Fatalf("node %q", told.Node)
		}
		one, two := fmt.Sprintf("%+v", told), ""
		udp.InfoHash, udp.PeerID, udp.Addr = q.InfoHash, q.PeerID, q.Addr
		if two = fmt.Sprintf("%+v", new(reporting).report(udp)); one != two {
			t.Fatalf("over UDP it is another:\n%s\n%s", one, two)
		}
		s := fleet.New(fleet.Default(reportTTL))
		for range 2 {
			if err := s.Note(0, told); err == nil {
				s.Leave(1, told.Hash, told.Addr, told.ID)
			}
		}
		v := s.View(2, told.Hash)
		v.Seal()
		if st := v.Status("", nil); st.Mean < 0 || st.Mean > 1 || st.Done > st.Hosts {
			t.Fatalf("%+v", st)
		}
	})
}

// TestReportCostsNothingElse: an announce without a report allocates nothing, and
// neither does one with a report whose names are known.
func TestReportCostsNothingElse(t *testing.T) {
	const hosts, runs, tries = 300, 200, 5
	for what, more := range map[string]string{"plain": "", "with a report": wholeReport} {
		srv, err := New(DefaultConfig(), slog.New(slog.DiscardHandler), NewMetrics(prometheus.NewRegistry()))
		if err != nil {
			t.Fatal(err)
		}
		var all [][]byte
		for port := range hosts {
			all = append(all, fmt.Appendf(nil, "%s&%s&port=%d&numwant=0%s", okHash, okID, 1000+port, more))
		}
		announce := announcing(t, srv, all)
		for range hosts {
			announce()
		}
		least := 1.0
		for range tries { // what is left of other tests may allocate meanwhile
			least = min(least, testing.AllocsPerRun(runs, announce))
		}
		if least > 0 {
			t.Errorf("%s: it allocates", what)
		}
		reports, of := hosts+tries*(runs+1), hosts
		if more == "" {
			reports, of = 0, 0
		}
		if ok, n := testutil.ToFloat64(srv.metrics.fleet.reports[reportOK]), srv.reports.store.Totals().Hosts; ok != float64(reports) || n != of {
			t.Errorf("%s: %v reports of %d hosts were taken", what, ok, n)
		}
	}
}

func BenchmarkParseReport(b *testing.B) {
	raw := []byte("info_hash=" + strings.Repeat("%a7", 20) + "&" + okID +
		"&port=6881&uploaded=0&downloaded=0&left=1000000&compact=1&numwant=0" + wholeReport)
	q, r := new(query), new(reporting)
	b.ReportAllocs()
	for b.Loop() {
		if err := parseAnnounce(raw, q); err != nil {
			b.Fatal(err)
		}
		r.report(q)
	}
}
