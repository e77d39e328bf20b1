package view

import (
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"starling/tracker/fleet"
)

// Rows of the short tables of a swarm's page.
const (
	stragglersShown = 8
	edgesShown      = 20
	groupsShown     = 200
	// groupsByName is how many groups stand by name, where the eye finds them
	// again; of more the slowest come first.
	groupsByName = 24
)

// rolloutPage is the data of rollout.html.
type rolloutPage struct {
	Title   string
	Swarm   fleet.SwarmInfo
	Status  fleet.Status
	By      string
	AllDone bool
	Groups  []fleet.Group
	More    int // groups that are not shown
	Late    []fleet.Straggler
	Edges   []fleet.Edge
	Strip   []bar
	Rarest  string // in words
	Hosts   []fleet.HostInfo
	Value   string // of the label that is filtered by
	Sorts   []choice
	Bys     []choice
	Labels  []choice
	Pager   pager
	At      string // the time of the numbers
}

// choice is an option of a select.
type choice struct {
	Value, Text string
	Chosen      bool
}

// bar is one bar of the strip of availability, in its SVG's units: 8 wide with its
// gap, 40 high.
type bar struct{ X, Y, Height float64 }

func (v *view) serveSwarm(w http.ResponseWriter, r *http.Request, text string) {
	hash, ok := parseHash(text)
	s, known := v.src.Swarm(hash)
	if !ok || !known {
		v.refuse(w, http.StatusNotFound, "No such swarm",
			"The tracker knows no swarm "+shown(text)+". It forgets one whose last peer has been gone for a while.")
		return
	}
	p := rolloutPage{Swarm: s.SwarmInfo, Title: swarmName(s.SwarmInfo), At: clock()}
	p.AllDone = s.Hosts > 0 && s.Done == s.Hosts
	p.setStatus(v.src, hash, r.URL.Query().Get("by"))
	edges, _ := v.src.Edges(hash, edgesShown)
	p.Edges = edges.Edges
	a, _ := v.src.Availability(hash)
	p.Strip, p.Rarest = strip(a.Copies, s.Hosts), rarestText(a.Copies)
	p.setHosts(v.src, hash, r.URL)
	v.render(w, http.StatusOK, "rollout.html", p)
}

// shown cuts a stranger's text for a sentence.
func shown(s string) string {
	if len(s) > 64 {
		s = s[:64] + "..."
	}
	return strings.ToValidUTF8(s, "")
}

func (p *rolloutPage) setHosts(src Source, hash [20]byte, u *url.URL) {
	q := u.Query()
	at := pageNumber(q)
	hq := fleet.Query{Sort: q.Get("sort"), Offset: (at - 1) * hostsPerPage, Limit: hostsPerPage}
	if !slices.Contains(fleet.Sorts, hq.Sort) {
		hq.Sort = "done"
	}
	label := ""
	if l := q.Get("label"); slices.Contains(p.Status.Labels, l) && q.Get("value") != "" {
		label, p.Value = l, q.Get("value")
		hq.Labels = []fleet.Label{{Name: label, Value: p.Value}}
	}
	hosts, _ := src.Hosts(hash, hq)
	p.Hosts, p.Pager = hosts.Hosts, newPager(u, at, hostsPerPage, hosts.Total)
	p.Sorts = []choice{
		{"done", "slowest first", hq.Sort == "done"}, {"node", "by name", hq.Sort == "node"},
		{"down", "fastest first", hq.Sort == "down"},
	}
	for _, l := range p.Status.Labels {
		p.Labels = append(p.Labels, choice{l, l, l == label})
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
		return "Every part is on " + hostsText(low) + "."
	}
	return "The rarest part is on " + hostsText(low) + ", the commonest on " + copiesText(high) + "."
}

// rarestCell is the rarest part's number of hosts in a table.
func rarestCell(copies *float64) string {
	if copies == nil {
		return "-"
	}
	return copiesText(*copies)
}
