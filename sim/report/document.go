package report

import (
	"encoding/json"
	"io"
	"math"
	"time"

	"starling/sim/fleet"
)

// document is result.json. Its fields are a contract: they are only added to.
// Times are seconds; what never came is null.
type document struct {
	V           int               `json:"v"`
	Type        string            `json:"type"`
	Name        string            `json:"name"`
	Answer      string            `json:"answer"`
	RNGSeed     uint64            `json:"rng_seed"`
	TraceHash   string            `json:"trace_hash"`
	Virtual     float64           `json:"virtual_s"`
	Wall        float64           `json:"wall_s"`
	Events      uint64            `json:"events"`
	Messages    map[string]uint64 `json:"messages"`
	Size        int64             `json:"bytes"`
	PieceLength int64             `json:"piece_bytes"`
	Pieces      int               `json:"pieces"`
	Policy      string            `json:"choke"`
	Strategy    string            `json:"picker"`
	MaxRemotes  int               `json:"max_peers"`
	SeedCopies  float64           `json:"seed_copies"`
	Utilisation float64           `json:"uplink_utilisation"`
	LimitedBy   string            `json:"limited_by"`
	Why         string            `json:"why"`
	All         groupDoc          `json:"all"`
	Groups      []groupDoc        `json:"groups"`
	Replies     []replyDoc        `json:"replies"`
	Violations  []violationDoc    `json:"violations"`
	Notes       []string          `json:"notes"`
}

// fullDocument adds what is too long for a line.
type fullDocument struct {
	document
	Hosts    []hostDoc   `json:"hosts"`
	Samples  []sampleDoc `json:"samples"`
	Served   [][]int64   `json:"served_bytes,omitempty"`
	Unchoked [][]float64 `json:"unchoked_s,omitempty"`
}

type groupDoc struct {
	Name      string   `json:"name"`
	Hosts     int      `json:"hosts"`
	Completed int      `json:"completed"`
	P50       *float64 `json:"p50_s"`
	P90       *float64 `json:"p90_s"`
	P99       *float64 `json:"p99_s"`
	P999      *float64 `json:"p999_s"`
	Last      *float64 `json:"last_s"`
	Bound     *float64 `json:"bound_s"`
	BoundName string   `json:"bound"`
	Ratio     *float64 `json:"ratio"`
}

type hostDoc struct {
	Name      string   `json:"name"`
	Group     string   `json:"group"`
	Rack      string   `json:"rack"`
	Role      string   `json:"role"`
	Expected  bool     `json:"expected"`
	Arrived   *float64 `json:"arrived_s"`
	FirstByte *float64 `json:"first_byte_s"`
	Done      *float64 `json:"done_s"`
	Took      *float64 `json:"took_s"`
	Pieces    int      `json:"pieces"`
	Received  int64    `json:"bytes_received"`
	Sent      int64    `json:"bytes_sent"`
	Wasted    int64    `json:"bytes_wasted"`
	Corrupt   int      `json:"corrupt_pieces"`
	Bans      int      `json:"bans"`
	Remotes   int      `json:"peers"`
}

type sampleDoc struct {
	At         float64 `json:"at_s"`
	Done       int     `json:"done"`
	Progress   float64 `json:"progress"`
	UpBytes    int64   `json:"bytes_sent"`
	SeedBytes  int64   `json:"seed_bytes_sent"`
	Rarest     int     `json:"rarest"`
	Unchoked   int     `json:"unchoked"`
	Interested int     `json:"interested"`
}

type replyDoc struct {
	At   float64 `json:"at_s"`
	From string  `json:"from"`
	To   string  `json:"to"`
	Type string  `json:"type"`
	Data string  `json:"data"`
	Err  string  `json:"error"`
}

type violationDoc struct {
	At        float64 `json:"at_s"`
	Invariant string  `json:"invariant"`
	Host      string  `json:"host"`
	Detail    string  `json:"detail"`
}

// WriteJSON writes r's summary, all of result.json but hosts, samples and
// matrices, as one line of JSON. The error is w's.
func WriteJSON(w io.Writer, r *fleet.Result) error {
	return encode(w, "", newDocument(r))
}

func encode(w io.Writer, indent string, doc any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", indent)
	return enc.Encode(doc)
}

func newDocument(r *fleet.Result) document {
	d := document{
		V: 1, Type: "simulation", Name: r.Name, Answer: headline(r), RNGSeed: r.RNGSeed, TraceHash: r.TraceHash,
		Virtual: seconds(r.Virtual), Wall: seconds(r.Wall), Events: r.Events, Messages: r.Messages,
		Size: r.Size, PieceLength: r.PieceLength, Pieces: r.Pieces,
		Policy: r.Policy, Strategy: r.Strategy, MaxRemotes: r.MaxRemotes,
		SeedCopies: finite(r.SeedCopies), Utilisation: finite(r.Utilisation), LimitedBy: r.LimitedBy, Why: r.Why,
		All: newGroupDoc(&r.All), Groups: []groupDoc{}, Replies: []replyDoc{}, Violations: []violationDoc{},
		Notes: append([]string{}, r.Notes...),
	}
	if d.Messages == nil {
		d.Messages = map[string]uint64{}
	}
	for i := range r.Groups {
		d.Groups = append(d.Groups, newGroupDoc(&r.Groups[i]))
	}
	for _, p := range r.Replies {
		d.Replies = append(d.Replies, replyDoc{seconds(p.At), p.From, p.To, p.Type, p.Data, p.Err})
	}
	for _, v := range r.Violations {
		d.Violations = append(d.Violations, violationDoc{seconds(v.At), v.Invariant, v.Host, v.Detail})
	}
	return d
}

func newFullDocument(r *fleet.Result) fullDocument {
	d := fullDocument{document: newDocument(r), Hosts: []hostDoc{}, Samples: []sampleDoc{}, Served: r.Served}
	for i := range r.Hosts {
		h := &r.Hosts[i]
		d.Hosts = append(d.Hosts, hostDoc{
			Name: h.Name, Group: h.Group, Rack: h.Rack, Role: roleName(h.Role), Expected: h.Expected,
			Arrived: maybe(h.Arrived), FirstByte: maybe(h.FirstByte), Done: maybe(h.Done), Took: maybe(h.Took()),
			Pieces: h.Pieces, Received: h.Received, Sent: h.Sent, Wasted: h.Wasted,
			Corrupt: h.Corrupt, Bans: h.Bans, Remotes: h.Remotes,
		})
	}
	for i := range r.Samples {
		s := &r.Samples[i]
		d.Samples = append(d.Samples, sampleDoc{
			seconds(s.At), s.Done, finite(s.Progress), s.UpBytes, s.SeedBytes, s.Rarest, s.Unchoked, s.Interested,
		})
	}
	for _, row := range r.Unchoked {
		line := make([]float64, len(row))
		for j, t := range row {
			line[j] = seconds(t)
		}
		d.Unchoked = append(d.Unchoked, line)
	}
	return d
}

func newGroupDoc(g *fleet.GroupResult) groupDoc {
	d := groupDoc{
		Name: g.Name, Hosts: g.Hosts, Completed: g.Completed,
		Last: maybe(g.Last), BoundName: g.BoundName,
	}
	if g.Completed > 0 {
		d.P50, d.P90, d.P99, d.P999 = maybe(g.P50), maybe(g.P90), maybe(g.P99), maybe(g.P999)
	}
	if g.Bound > 0 {
		d.Bound = maybe(g.Bound)
	}
	if g.Ratio > 0 {
		v := finite(g.Ratio)
		d.Ratio = &v
	}
	return d
}

func roleName(r fleet.Role) string {
	switch r {
	case fleet.Seed:
		return "seed"
	case fleet.Node:
		return "node"
	}
	return "leecher"
}

// seconds keeps nanoseconds: nothing that distinguishes two runs is rounded
// away.
func seconds(d time.Duration) float64 { return d.Seconds() }

// maybe is nil for a time that never came.
func maybe(d time.Duration) *float64 {
	if d < 0 {
		return nil
	}
	s := seconds(d)
	return &s
}

// finite keeps JSON and SVG, which know no infinity, from failing over a ratio
// to nothing.
func finite(v float64) float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return 0
	}
	return v
}
