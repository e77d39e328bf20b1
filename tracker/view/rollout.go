package view

import (
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Rows of the short tables of a swarm's page.
const (
	stragglersShown = 8
	edgesShown      = 20
	edgesAsked      = 200
	groupsShown     = 200
)

// rolloutPage is the data of rollout.html.
type rolloutPage struct {
	Title    string
	Swarm    Swarm
	Status   Status
	Left     time.Duration // of the slowest group; negative: not known
	AllDone  bool
	Groups   []Group
	MoreThan int // groups that are not shown
	Late     []Straggler
	Edges    []Edge
	Strip    []bar
	Seeds    int
	Rarest   string // in words
	Hosts    []Host
	Query    HostQuery
	Sorts    []choice
	Bys      []choice
	Labels   []choice
	Pager    pager
	At       string // the time of the numbers
}

// choice is an option of a select.
type choice struct {
	Value, Text string
	Chosen      bool
}

// bar is one bar of the strip of availability, in its SVG's units: 8 wide with its
// gap, 40 high.
type bar struct{ X, Y, Height float64 }

func (v *view) serveSwarm(w http.ResponseWriter, r *http.Request, hash string) {
	s, ok := v.src.Swarm(hash)
	if !ok {
		v.refuse(w, http.StatusNotFound, "No such swarm",
			"The tracker knows no swarm "+shown(hash)+". It forgets one whose last peer has been gone for a while.")
		return
	}
	q := r.URL.Query()
	p := rolloutPage{Swarm: s, Title: swarmName(&s), At: time.Now().UTC().Format("15:04:05 UTC")}
	p.AllDone = s.Hosts > 0 && s.Done == s.Hosts
	p.setStatus(v.src, hash, q.Get("by"))
	edges, _ := v.src.Edges(hash, edgesAsked)
	p.Edges = edges[:min(len(edges), edgesShown)]
	a, _ := v.src.Availability(hash)
	p.Strip, p.Seeds, p.Rarest = strip(a.Copies, s.Hosts), a.Seeds, rarestText(a.Copies)
	p.setHosts(v.src, hash, r.URL)
	v.render(w, http.StatusOK, "rollout.html", p)
}

// shown cuts a stranger's text for a sentence.
func shown(s string) string {
	if len(s) > 40 {
		return s[:40] + "..."
	}
	return s
}

// setStatus takes the groups by a label: the one asked for, else the first there
// is, else each host alone.
func (p *rolloutPage) setStatus(src Source, hash, by string) {
	st, _ := src.Status(hash, "host")
	labels := st.Labels
	if by == "" && len(labels) > 0 {
		by = labels[0]
	}
	if slices.Contains(labels, by) {
		st, _ = src.Status(hash, by)
	} else {
		by = "host"
	}
	p.Status, p.Left = st, -1
	for _, g := range st.Groups {
		p.Left = max(p.Left, g.Left)
	}
	p.Groups = st.Groups[:min(len(st.Groups), groupsShown)]
	p.MoreThan = len(st.Groups) - len(p.Groups)
	p.Late = st.Stragglers[:min(len(st.Stragglers), stragglersShown)]
	for _, l := range append(slices.Clone(labels), "host") {
		p.Bys = append(p.Bys, choice{l, l, l == by})
	}
}

func (p *rolloutPage) setHosts(src Source, hash string, u *url.URL) {
	q := u.Query()
	at := pageNumber(q)
	hq := HostQuery{Sort: q.Get("sort"), Offset: (at - 1) * hostsPerPage, Limit: hostsPerPage}
	if hq.Sort != "node" && hq.Sort != "down" {
		hq.Sort = "done"
	}
	if l := q.Get("label"); slices.Contains(p.Status.Labels, l) && q.Get("value") != "" {
		hq.Label, hq.Value = l, q.Get("value")
	}
	hosts, total, _ := src.Hosts(hash, hq)
	p.Hosts, p.Query, p.Pager = hosts, hq, newPager(u, at, hostsPerPage, total)
	p.Sorts = []choice{
		{"done", "slowest first", hq.Sort == "done"}, {"node", "by name", hq.Sort == "node"},
		{"down", "fastest first", hq.Sort == "down"},
	}
	for _, l := range p.Status.Labels {
		p.Labels = append(p.Labels, choice{l, l, l == hq.Label})
	}
}

// stripHeight is the height of the strip's SVG.
const stripHeight = 40

// strip makes the bars of the availability: full height where every host has the
// part. A part that nobody has gets none.
func strip(copies []float64, hosts int) []bar {
	bars := make([]bar, len(copies))
	for i, c := range copies {
		h := 0.0
		if c > 0 && hosts > 0 {
			h = math.Round(10*max(1, stripHeight*min(1, c/float64(hosts)))) / 10
		}
		bars[i] = bar{X: float64(8 * i), Y: stripHeight - h, Height: h}
	}
	return bars
}

// rarestText says how often the rarest and the commonest part are there.
func rarestText(copies []float64) string {
	if len(copies) == 0 {
		return "Nobody has told which parts it has."
	}
	low, high := slices.Min(copies), slices.Max(copies)
	if low <= 0 {
		return "There is a part that no host has."
	}
	if copiesText(low) == copiesText(high) {
		return fmt.Sprintf("Every part is on %s hosts.", copiesText(low))
	}
	return fmt.Sprintf("The rarest part is on %s hosts, the commonest on %s.", copiesText(low), copiesText(high))
}

// Name is what the page calls the host.
func (h *Host) Name() string {
	if h.Node != "" {
		return h.Node
	}
	return h.Addr
}

// LabelText lists the host's labels: "rack r1, zone b".
func (h *Host) LabelText() string {
	all := make([]string, len(h.Labels))
	for i, l := range h.Labels {
		all[i] = l.Name + " " + l.Value
	}
	return strings.Join(all, ", ")
}

// Words says how the host is doing.
func (h *Host) Words() string {
	switch {
	case h.State == "error", h.State == "checking":
		return reason(h.Why, h.State)
	case h.Done >= 1:
		return "has all of it"
	}
	return reason(h.Why, h.State)
}
