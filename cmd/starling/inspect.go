package main

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"starling/cmd/starling/internal/report"
	"starling/internal/units"
	"starling/metainfo"
)

// torrentDoc is a torrent as JSON: the result of inspect and create.
type torrentDoc struct {
	Name      string     `json:"name"`
	InfoHash  string     `json:"infohash"`
	Size      int64      `json:"size"`
	PieceSize int64      `json:"piece_size"`
	Pieces    int        `json:"pieces"`
	Private   bool       `json:"private"`
	Trackers  [][]string `json:"trackers"`
	WebSeeds  []string   `json:"webseeds"`
	Comment   string     `json:"comment,omitempty"`
	CreatedBy string     `json:"created_by,omitempty"`
	Created   string     `json:"created,omitempty"` // RFC 3339
	Magnet    string     `json:"magnet"`
	Files     []fileDoc  `json:"files"`
	Path      string     `json:"path,omitempty"` // of the torrent file, by create
}

type fileDoc struct {
	Path   string `json:"path"`
	Length int64  `json:"length"`
}

// magnetDoc is a magnet link as JSON.
type magnetDoc struct {
	Name     string   `json:"name"`
	InfoHash string   `json:"infohash"`
	Trackers []string `json:"trackers"`
	WebSeeds []string `json:"webseeds"`
	Peers    []string `json:"peers"`
	Magnet   string   `json:"magnet"`
}

func newInspect(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "inspect REF",
		Short: "Print what a torrent or a magnet link says",
		Args:  args(1, 1, "REF"),
		RunE:  func(cmd *cobra.Command, args []string) error { return a.inspect(cmd.Context(), args[0]) },
	}
}

func (a *app) inspect(ctx context.Context, ref string) error {
	if isMagnet(ref) {
		m, err := metainfo.ParseMagnet(ref)
		if err != nil {
			return fail("magnet link", err)
		}
		return a.result(docOfMagnet(m), tableOf([][2]string{
			{"name", a.visible(m.Name)},
			{"infohash", m.InfoHash.String()},
			{"trackers", strings.Join(m.Trackers, "\n")},
			{"web seeds", strings.Join(m.WebSeeds, "\n")},
			{"peers", strings.Join(m.Peers, "\n")},
		}))
	}
	t, err := loadRef(ctx, ref)
	if err != nil {
		return err
	}
	return a.result(docOf(t), a.torrentTable(t))
}

func docOf(t *metainfo.Torrent) torrentDoc {
	d := torrentDoc{
		Name: t.Info.Name, InfoHash: t.InfoHash.String(), Size: t.Info.TotalLength(),
		PieceSize: t.Info.PieceLength, Pieces: t.Info.NumPieces(), Private: t.Info.Private,
		Trackers: t.Trackers(), WebSeeds: t.URLList, Comment: t.Comment, CreatedBy: t.CreatedBy,
		Created: createdAt(t), Magnet: t.Magnet().String(), Files: []fileDoc{},
	}
	if d.Trackers == nil {
		d.Trackers = [][]string{}
	}
	if d.WebSeeds == nil {
		d.WebSeeds = []string{}
	}
	for i, f := range t.Info.Files {
		d.Files = append(d.Files, fileDoc{Path: t.Info.FilePath(i), Length: f.Length})
	}
	return d
}

func docOfMagnet(m *metainfo.Magnet) magnetDoc {
	list := func(s []string) []string { return append([]string{}, s...) }
	return magnetDoc{
		Name: m.Name, InfoHash: m.InfoHash.String(), Trackers: list(m.Trackers),
		WebSeeds: list(m.WebSeeds), Peers: list(m.Peers), Magnet: m.String(),
	}
}

func createdAt(t *metainfo.Torrent) string {
	if t.CreationDate == 0 {
		return ""
	}
	return time.Unix(t.CreationDate, 0).UTC().Format(time.RFC3339)
}

func (a *app) torrentTable(t *metainfo.Torrent) string {
	in := &t.Info
	var tiers []string
	for _, tier := range t.Trackers() {
		tiers = append(tiers, strings.Join(tier, " "))
	}
	rows := [][2]string{
		{"name", report.Escape(in.Name)},
		{"infohash", t.InfoHash.String()},
		{"size", fmt.Sprintf("%s (%s bytes)", units.FormatBytes(in.TotalLength()), units.FormatCount(in.TotalLength()))},
		{"pieces", fmt.Sprintf("%s of %s", units.FormatCount(int64(in.NumPieces())), pieceSize(in))},
		{"files", units.FormatCount(int64(len(in.Files)))},
		{"private", map[bool]string{true: "yes", false: "no"}[in.Private]},
		{"trackers", strings.Join(tiers, "\n")},
		{"web seeds", strings.Join(t.URLList, "\n")},
		{"comment", t.Comment},
		{"created by", t.CreatedBy},
		{"created", createdAt(t)},
		{"magnet", t.Magnet().String()},
	}
	var b strings.Builder
	b.WriteString(tableOf(rows))
	b.WriteString("\n")
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "SIZE\t\n")
	var lines []string
	for i, f := range in.Files {
		fmt.Fprintf(w, "%s\t\n", units.FormatBytes(f.Length))
		lines = append(lines, report.Escape(in.FilePath(i)))
	}
	w.Flush()
	return zip(b.String(), append([]string{"FILE"}, lines...))
}

// zip appends the paths to the last lines of a text: tabwriter would align the
// names to the right as well.
func zip(text string, last []string) string {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	from := len(lines) - len(last)
	for i := range last {
		lines[from+i] += "  " + last[i]
	}
	return strings.Join(lines, "\n") + "\n"
}

func pieceSize(in *metainfo.Info) string { return units.FormatExact(in.PieceLength) }

// tableOf prints rows of a name and a value, leaving out those without a value.
// A value of several lines is indented; all text is escaped.
func tableOf(rows [][2]string) string {
	var b strings.Builder
	for _, r := range rows {
		if r[1] == "" {
			continue
		}
		name := r[0]
		for _, line := range strings.Split(r[1], "\n") {
			fmt.Fprintf(&b, "%-11s %s\n", name, report.Escape(line))
			name = ""
		}
	}
	return b.String()
}
