package main

import (
	"context"
	"encoding/hex"
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
	Name       string     `json:"name"`
	InfoHash   string     `json:"infohash"` // of v1, else the first 20 bytes of v2's
	InfoHashV2 string     `json:"infohash_v2,omitempty"`
	Format     string     `json:"format"` // v1, v2 or hybrid
	Size       int64      `json:"size"`   // without padding
	PieceSize  int64      `json:"piece_size"`
	Pieces     int        `json:"pieces"`
	Private    bool       `json:"private"`
	Trackers   [][]string `json:"trackers"`
	WebSeeds   []string   `json:"webseeds"`
	Comment    string     `json:"comment,omitempty"`
	CreatedBy  string     `json:"created_by,omitempty"`
	Created    string     `json:"created,omitempty"` // RFC 3339
	Magnet     string     `json:"magnet"`
	Files      []fileDoc  `json:"files"` // without padding
	Padding    *padding   `json:"padding,omitempty"`
	Path       string     `json:"path,omitempty"` // of the torrent file, by create
}

type fileDoc struct {
	Path       string `json:"path"`
	Length     int64  `json:"length"`
	Exec       bool   `json:"exec,omitempty"`
	Hidden     bool   `json:"hidden,omitempty"`
	Symlink    string `json:"symlink,omitempty"` // what it points at, as Path has it
	PiecesRoot string `json:"pieces_root,omitempty"`
}

// padding is how many padding files there are, which nobody is shown.
type padding struct {
	Files int   `json:"files"`
	Bytes int64 `json:"bytes"`
}

// magnetDoc is a magnet link as JSON.
type magnetDoc struct {
	Name       string   `json:"name"`
	InfoHash   string   `json:"infohash"`
	InfoHashV2 string   `json:"infohash_v2,omitempty"`
	Trackers   []string `json:"trackers"`
	WebSeeds   []string `json:"webseeds"`
	Peers      []string `json:"peers"`
	Select     string   `json:"select,omitempty"` // file numbers from 0, such as 0,2,4-6
	Magnet     string   `json:"magnet"`
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
			{"infohash", v1Hash(m.InfoHash)},
			{"infohash v2", v2Hash(m.V2)},
			{"trackers", strings.Join(m.Trackers, "\n")},
			{"web seeds", strings.Join(m.WebSeeds, "\n")},
			{"peers", strings.Join(m.Peers, "\n")},
			{"files", metainfo.FormatRanges(m.Select)},
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
		Name: t.Info.Name, InfoHash: t.WireHash().String(), InfoHashV2: v2Hash(t.InfoHashV2),
		Format: t.Info.Format().String(), Size: t.Info.ContentLength(),
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
	if p := paddingOf(&t.Info); p.Files > 0 {
		d.Padding = &p
	}
	for i := range t.Info.Files {
		f := &t.Info.Files[i]
		if f.Pad {
			continue
		}
		doc := fileDoc{Path: t.Info.FilePath(i), Length: f.Length, Exec: f.Exec, Hidden: f.Hidden, Symlink: linkText(&t.Info, f)}
		if f.PiecesRoot != ([32]byte{}) {
			doc.PiecesRoot = hex.EncodeToString(f.PiecesRoot[:])
		}
		d.Files = append(d.Files, doc)
	}
	return d
}

// linkText is where a symbolic link points, "" for what is none.
func linkText(in *metainfo.Info, f *metainfo.File) string {
	if f.Symlink == nil {
		return ""
	}
	return in.Name + "/" + strings.Join(f.Symlink, "/")
}

func paddingOf(in *metainfo.Info) (p padding) {
	for i := range in.Files {
		if f := &in.Files[i]; f.Pad {
			p.Files++
			p.Bytes += f.Length
		}
	}
	return p
}

// v1Hash and v2Hash print an infohash, "" if there is none.
func v1Hash(h metainfo.Hash) string {
	if h == (metainfo.Hash{}) {
		return ""
	}
	return h.String()
}

func v2Hash(h metainfo.HashV2) string {
	if h == (metainfo.HashV2{}) {
		return ""
	}
	return h.String()
}

func docOfMagnet(m *metainfo.Magnet) magnetDoc {
	list := func(s []string) []string { return append([]string{}, s...) }
	return magnetDoc{
		Name: m.Name, InfoHash: m.WireHash().String(), InfoHashV2: v2Hash(m.V2), Trackers: list(m.Trackers),
		WebSeeds: list(m.WebSeeds), Peers: list(m.Peers), Select: metainfo.FormatRanges(m.Select), Magnet: m.String(),
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
	pad, size, padded := paddingOf(in), in.ContentLength(), ""
	if pad.Files > 0 {
		padded = fmt.Sprintf("%s in %s", units.FormatBytes(pad.Bytes), plural(pad.Files, "file"))
	}
	rows := [][2]string{
		{"name", report.Escape(in.Name)},
		{"format", in.Format().String()},
		{"infohash", v1Hash(t.InfoHash)},
		{"infohash v2", v2Hash(t.InfoHashV2)},
		{"size", fmt.Sprintf("%s (%s bytes)", units.FormatBytes(size), units.FormatCount(size))},
		{"pieces", fmt.Sprintf("%s of %s", units.FormatCount(int64(in.NumPieces())), pieceSize(in))},
		{"files", units.FormatCount(int64(len(in.Files) - pad.Files))},
		{"padding", padded},
		{"private", map[bool]string{true: "yes", false: "no"}[in.Private]},
		{"trackers", strings.Join(tiers, "\n")},
		{"web seeds", strings.Join(t.URLList, "\n")},
		{"comment", t.Comment},
		{"created by", t.CreatedBy},
		{"created", createdAt(t)},
		{"magnet", t.Magnet().String()},
	}
	return tableOf(rows) + "\n" + filesTable(in)
}

// filesTable lists the files with their sizes, and their attributes if one has
// any: x for what may be executed, h for what is hidden, l for a symbolic link.
func filesTable(in *metainfo.Info) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "SIZE\t\n")
	attrs, lines := []string{"ATTR"}, []string{"FILE"}
	any := false
	for i := range in.Files {
		f := &in.Files[i]
		if f.Pad {
			continue
		}
		fmt.Fprintf(w, "%s\t\n", units.FormatBytes(f.Length))
		line := report.Escape(in.FilePath(i))
		if f.Symlink != nil {
			line += " -> " + report.Escape(linkText(in, f))
		}
		attrs, lines = append(attrs, f.Attr()), append(lines, line)
		any = any || f.Attr() != ""
	}
	w.Flush()
	if any {
		for i := range lines {
			lines[i] = fmt.Sprintf("%-4s  %s", attrs[i], lines[i])
		}
	}
	return zip(b.String(), lines)
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
