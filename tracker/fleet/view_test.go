package fleet

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"
)

// member is host n of a swarm whose content has 1000 bytes: it has done and needs left
// seconds.
type member struct {
	n    int
	rack string
	done int64
	left int64
	why  Why
}

func viewOf(t testing.TB, members ...member) *View {
	t.Helper()
	s := newStore(t, nil)
	for _, m := range members {
		r := told(m.n, m.done, 1000)
		r.LeftS, r.Why, r.Down = m.left, m.why, 10*m.done
		if m.rack != "" {
			r.Labels = []RawLabel{{[]byte("rack"), []byte(m.rack)}}
		}
		s.must(t, 0, r)
	}
	v := s.View(3*time.Second, hash)
	v.Seal()
	return v
}

func TestStatus(t *testing.T) {
	v := viewOf(t,
		member{1, "r1", 1000, 0, WhyNone}, member{2, "r1", 1000, 0, WhyNone},
		member{3, "r2", 1000, 0, WhyNone}, member{4, "r2", 810, 14, WhyDisk}, member{5, "r2", 900, 5, WhyPeers},
		member{6, "", 500, 9, WhySeed},
	)
	st := v.Status("rack", nil)
	if st.Hosts != 6 || st.Done != 3 || st.GroupsTotal != 3 || *st.LeftS != 14 || !slices.Equal(st.Labels, []string{"rack"}) {
		t.Errorf("%+v", st)
	}
	var got []string
	for _, g := range st.Groups {
		line := fmt.Sprintf("%s %d/%d %.3f", g.Name, g.Done, g.Hosts, g.Mean)
		if g.Slowest != nil {
			line += fmt.Sprintf(" %s %.2f %s %ds", g.Slowest.Node, *g.Slowest.Done, g.Slowest.Why, *g.Slowest.LeftS)
		}
		got = append(got, line)
	}
	want := []string{"r2 1/3 0.903 n4 0.81 disk 14s", " 0/1 0.500 n6 0.50 seed 9s", "r1 2/2 1.000"}
	if !slices.Equal(got, want) {
		t.Errorf("groups %q, want %q", got, want)
	}
	if st := v.Status("rack", []Label{{"rack", "r2"}}); st.Hosts != 3 || len(st.Groups) != 1 {
		t.Errorf("of one rack: %+v", st)
	}
	if st := v.Status(ByHost, nil); st.GroupsTotal != 6 || st.Groups[0].Name != "n4" {
		t.Errorf("by host: %+v", st.Groups)
	}
	if st := v.Status("", nil); len(st.Groups) != 1 || st.Groups[0].Hosts != 6 {
		t.Errorf("in one group: %+v", st.Groups)
	}
}

// TestStragglers: who holds the others up is named, worst first, and nobody while all
// are equally far.
func TestStragglers(t *testing.T) {
	crowd := func(more ...member) *View {
		var all []member
		for n := 1; n <= 9; n++ {
			all = append(all, member{n, "", 500, int64(10 + n%3), WhyPeers})
		}
		return viewOf(t, append(all, more...)...)
	}
	for what, c := range map[string]struct {
		v    *View
		want []string
	}{
		"all equal":             {crowd(), nil},
		"one takes long":        {crowd(member{20, "", 100, 90, WhyLimit}), []string{"n20 limit"}},
		"two do, one unknown":   {crowd(member{20, "", 100, 90, WhyLimit}, member{21, "", 0, -1, WhyChoked}), []string{"n21 choked", "n20 limit"}},
		"nobody knows anything": {viewOf(t, member{1, "", 0, -1, WhyPeers}, member{2, "", 0, -1, WhyPeers}), nil},
		"half are done":         {viewOf(t, member{1, "", 1000, 0, WhyNone}, member{2, "", 999, 1, WhyPeers}), []string{"n2 peers"}},
		"all are done":          {viewOf(t, member{1, "", 1000, 0, WhyNone}), nil},
		"nobody":                {viewOf(t), nil},
	} {
		var got []string
		for _, s := range c.v.Status("", nil).Stragglers {
			got = append(got, s.Node+" "+s.Why)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", what, got, c.want)
		}
	}
	var many []member
	for n := range 60 {
		many = append(many, member{n, "", 1000, 0, WhyNone})
	}
	for n := range 40 {
		many = append(many, member{100 + n, "", 10, 50, WhyDisk})
	}
	if got := viewOf(t, many...).Status("", nil); len(got.Stragglers) != MaxStragglers {
		t.Errorf("%d stragglers", len(got.Stragglers))
	}
}

// TestMaxGroups: an answer's groups are bounded, and it says how many there are.
func TestMaxGroups(t *testing.T) {
	var all []member
	for n := range MaxGroups + 5 {
		all = append(all, member{n, "", 1, -1, WhyNone})
	}
	if st := viewOf(t, all...).Status(ByHost, nil); len(st.Groups) != MaxGroups || st.GroupsTotal != MaxGroups+5 {
		t.Errorf("%d groups of %d", len(st.Groups), st.GroupsTotal)
	}
}

// TestQuietPeers: peers that tell nothing count, and are done only as seeds.
func TestQuietPeers(t *testing.T) {
	s := newStore(t, nil)
	s.must(t, 0, told(1, 500, 1000))
	v := s.View(0, hash)
	v.Add([]Peer{
		{Addr: at(1), ID: [20]byte{1}}, {Addr: at(2), ID: [20]byte([]byte("-TR2940-0123456789ab")), Seed: true},
		{Addr: at(3), ID: [20]byte([]byte("M7-9-2--0123456789ab")), SeenS: 60},
	})
	v.Seal()
	st := v.Status("", nil)
	if want := (1 + 0.5 + 0.5) / 3; st.Hosts != 3 || st.Done != 1 || st.Mean != want || len(st.Stragglers) != 0 {
		t.Errorf("%+v", st)
	}
	hosts := v.Hosts(Query{Limit: 9}).Hosts
	if len(hosts) != 3 || hosts[0].Node != "n1" || hosts[1].Client != "M7-9-2--" || hosts[1].Done != nil || hosts[1].LeftS != nil || hosts[1].SeenS != 60 ||
		hosts[2].Client != "TR2940" || *hosts[2].LeftS != 0 || hosts[2].Node != "10.0.0.2:6881" {
		t.Errorf("%+v", hosts)
	}
	sum := v.Summary()
	if list := s.Summary(hash, 1, 2); list.Hosts != sum.Hosts || list.Done != sum.Done || list.Mean != sum.Mean || *list.AvailabilityMin != *sum.AvailabilityMin {
		t.Errorf("the list says %+v, the swarm's page %+v", list, sum)
	}
	young := newStore(t, nil).View(0, hash) // only the seed has told anything
	young.Add([]Peer{{Addr: at(1), ID: [20]byte{1}, Seed: true}, {Addr: at(2), ID: [20]byte{2}}, {Addr: at(3), ID: [20]byte{3}}, {Addr: at(4), ID: [20]byte{4}}})
	young.Seal()
	if st := young.Status("", nil); st.Mean != 0.25 {
		t.Errorf("one of four is done, and nobody knows of the others: mean %v", st.Mean)
	}
	six := told(1, 500, 1000)
	six.Addr = netip.MustParseAddrPort("[fd00::1]:6881")
	s.must(t, 0, six)
	if list := s.Summary(hash, 1, 3); list.Hosts != 3 || list.Done != 1 {
		t.Errorf("a host is listed over IPv4 and IPv6: the list says %+v", list)
	}
	if sum := s.Summary(other, 0, 5); sum.Hosts != 5 || sum.Done != 0 || sum.AvailabilityMin != nil {
		t.Errorf("nobody reports: %+v", sum)
	}
}

// TestNames: no two hosts are called the same, whatever they say.
func TestNames(t *testing.T) {
	s := newStore(t, nil)
	for n, addr := range []string{"10.0.0.1:6881", "10.0.0.2:6881", "10.0.0.2:7", "10.0.0.3:6881", "10.0.0.4:6881"} {
		r := told(n, int64(n), 1000)
		r.Addr, r.Node = netip.MustParseAddrPort(addr), []byte([]string{"debian", "debian", "debian", "alone", ""}[n])
		s.must(t, 0, r)
	}
	v := s.View(0, hash)
	v.Seal()
	want := []string{"10.0.0.4:6881", "alone", "debian:7", "debian@10.0.0.1:6881", "debian@10.0.0.2:6881"}
	var got []string
	for _, h := range v.Hosts(Query{Sort: "node", Limit: 9}).Hosts {
		got = append(got, h.Node)
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if st := v.Status(ByHost, nil); st.GroupsTotal != 5 {
		t.Errorf("%d groups of 5 hosts", st.GroupsTotal)
	}
}

func TestHosts(t *testing.T) {
	v := viewOf(t, member{3, "a", 100, 90, WhyPeers}, member{1, "b", 300, 70, WhyPeers}, member{2, "a", 200, 80, WhyPeers}, member{4, "a", 1000, 0, WhyNone})
	for _, c := range []struct {
		q     Query
		total int
		want  []string
	}{
		{Query{Sort: "done", Limit: 9}, 4, []string{"n3", "n2", "n1", "n4"}},
		{Query{Sort: "node", Limit: 2, Offset: 1}, 4, []string{"n2", "n3"}},
		{Query{Sort: "down", Limit: 9}, 4, []string{"n4", "n1", "n2", "n3"}},
		{Query{Limit: 9, Labels: []Label{{"rack", "a"}}}, 3, []string{"n3", "n2", "n4"}},
		{Query{Limit: 9, Offset: 99}, 4, nil}, {Query{Limit: -1, Offset: -5}, 4, nil},
	} {
		page := v.Hosts(c.q)
		var got []string
		for _, h := range page.Hosts {
			got = append(got, h.Node)
		}
		if !slices.Equal(got, c.want) || page.Total != c.total || page.Hosts == nil {
			t.Errorf("%+v: %q of %d, want %q", c.q, got, page.Total, c.want)
		}
	}
	var all []member
	for n := range MaxHostsPage + 1 {
		all = append(all, member{n, "", 1, -1, WhyNone})
	}
	if page := viewOf(t, all...).Hosts(Query{Limit: 1 << 30}); len(page.Hosts) != MaxHostsPage {
		t.Errorf("%d hosts on a page", len(page.Hosts))
	}
}

// TestChanged: a host is shown again when it changes, and not because time passes.
func TestChanged(t *testing.T) {
	s := newStore(t, nil)
	for n := range 5 {
		s.must(t, 0, told(n, 10, 100))
	}
	prints, from := map[netip.AddrPort]uint64{}, 0
	changed := func(now time.Duration, most int) (names []string) {
		v := s.View(now, hash)
		v.Seal()
		var hosts []HostInfo
		hosts, from = v.Changed(from, most, func(at netip.AddrPort, p uint64) bool {
			was := prints[at]
			prints[at] = p
			return was != p
		})
		for _, h := range hosts {
			names = append(names, h.Node)
		}
		return names
	}
	if got := changed(0, 3); len(got) != 3 {
		t.Errorf("at first %q", got)
	}
	if got := changed(time.Second, 9); len(got) != 2 {
		t.Errorf("then %q", got)
	}
	s.must(t, time.Second, told(3, 11, 100))
	s.must(t, time.Second, told(4, 10, 100))
	if got := changed(2*time.Second, 9); !slices.Equal(got, []string{"n3"}) {
		t.Errorf("after a change %q", got)
	}
	// Where more change each time than there is room for, all have their turn.
	turns := map[string]int{}
	for i := range 10 {
		for n := range 5 {
			s.must(t, 2*time.Second, told(n, int64(20+i), 100))
		}
		for _, name := range changed(2*time.Second, 2) {
			turns[name]++
		}
	}
	for n := range 5 {
		if name := fmt.Sprintf("n%d", n); turns[name] != 4 {
			t.Errorf("%s was shown %d times, want 4", name, turns[name])
		}
	}
}

// TestEdges: who feeds whom is told by name; one name of two processes is made two.
func TestEdges(t *testing.T) {
	s := newStore(t, nil)
	one, two := told(1, 0, 10), told(2, 0, 10)
	two.Node = one.Node
	two.Addr = netip.AddrPortFrom(at(1).Addr(), 7)
	one.From = []Source{{at(3), 500}, {netip.MustParseAddrPort("192.0.2.7:1"), 700}, {netip.AddrPort{}, 30}, {at(3), 0}}
	two.From = []Source{{one.Addr, 600}}
	three := told(3, 10, 10)
	three.Node = nil
	for _, r := range []*Report{one, two, three} {
		s.must(t, 0, r)
	}
	v := s.View(0, hash)
	v.Seal()
	want := []Edge{
		{"192.0.2.7:1", "n1:6881", 700}, {"n1:6881", "n1:7", 600}, {"10.0.0.3:6881", "n1:6881", 500}, {WebSeed, "n1:6881", 30},
	}
	if got := v.Edges(9).Edges; !slices.Equal(got, want) {
		t.Errorf("%+v", got)
	}
	if got := v.Edges(1).Edges; len(got) != 1 {
		t.Errorf("%d edges, want 1", len(got))
	}
	many := newStore(t, nil)
	for n := range MaxEdges/MaxFrom + 3 {
		r := told(n, 0, 1)
		for k := range MaxFrom {
			r.From = append(r.From, Source{at(1000 + k), int64(1 + n)})
		}
		many.must(t, 0, r)
	}
	v = many.View(0, hash)
	v.Seal()
	// The weakest hosts' edges are those that are left out.
	if got := v.Edges(1 << 30).Edges; len(got) != MaxEdges || got[0].BPS != MaxEdges/MaxFrom+3 || got[MaxEdges-1].BPS != 4 {
		t.Errorf("%d edges, from %d to %d", len(got), got[0].BPS, got[len(got)-1].BPS)
	}
}

func TestAvailability(t *testing.T) {
	s := newStore(t, nil)
	seed, left, half := told(1, 10, 10), told(2, 10, 10), told(3, 5, 10)
	for k := range Buckets {
		seed.Have[k], left.Have[k] = 255, 255
		if k < Buckets/2 {
			half.Have[k] = 51
		}
	}
	for _, r := range []*Report{seed, left, half} {
		s.must(t, 0, r)
	}
	s.Leave(0, hash, left.Addr, left.ID)
	v := s.View(0, hash)
	v.Seal()
	a := v.Availability()
	if a.Seeds != 1 || len(a.Copies) != a.Buckets || a.Copies[0] != 1.2 || a.Copies[Buckets-1] != 1 {
		t.Errorf("%+v", a)
	}
	if sum := v.Summary(); *sum.AvailabilityMin != 1 || sum.Hosts != 3 || sum.Done != 2 {
		t.Errorf("%+v", sum)
	}
}

func TestClient(t *testing.T) {
	for id, want := range map[string]string{
		"-SL0001-abcdefghijkl": "SL0001", "-TR\x00940-0123456789ab": "-TR", "\x00\x01234567890123456789": "", "M7-9-2--0123456789ab": "M7-9-2--",
	} {
		if got := Client([20]byte([]byte(id)[:20])); got != want {
			t.Errorf("%q: %q, want %q", id, got, want)
		}
	}
}

func TestParseWords(t *testing.T) {
	for i, name := range States {
		want := State(i)
		if want == Left {
			want = Silent // nobody says it of himself
		}
		if got := ParseState([]byte(name)); got != want {
			t.Errorf("state %q: %v", name, got)
		}
	}
	for i, name := range Whys {
		if got := ParseWhy([]byte(name)); got != Why(i) || got.String() != name {
			t.Errorf("reason %q: %v", name, got)
		}
	}
	if ParseWhy([]byte("luck")) != WhyNone || ParseState([]byte("luck")) != Silent {
		t.Error("an unknown word is known")
	}
}
