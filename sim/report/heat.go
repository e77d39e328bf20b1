package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"starling/sim/fleet"
)

// What a heat map shows: cells beyond these are merged.
const (
	heatColumns = 128
	heatRows    = 100
	heatLevels  = 9
	matrixName  = 12 // characters of a host's name
)

// level is the class of a share of the scale: q0 is nothing, q9 all.
func level(share float64) int {
	share = finite(share)
	if share <= 0 {
		return 0
	}
	return min(1+int(share*(heatLevels-1)+0.5), heatLevels)
}

// heatMarks are the cells of a map of columns and rows of size 1, one path a
// level: neighbours of one level in a row are one rectangle.
func heatMarks(columns, rows int, share func(column, row int) float64) []mark {
	paths := make([]strings.Builder, heatLevels+1)
	for y := range rows {
		for x := 0; x < columns; {
			l, from := level(share(x, y)), x
			for x++; x < columns && level(share(x, y)) == l; x++ {
			}
			n := strconv.Itoa(x - from)
			fmt.Fprintf(&paths[l], "M%d %dh%sv1h-%sz", from, y, n, n)
		}
	}
	var marks []mark
	for l := range paths {
		if paths[l].Len() > 0 {
			marks = append(marks, mark{Tag: "path", Class: "q" + strconv.Itoa(l), D: paths[l].String()})
		}
	}
	return marks
}

// place draws a heat map into the frame.
func (f *frame) place(id string, columns, rows int) {
	f.add(mark{Tag: "use", Class: "heat", Ref: "#" + id, Transform: fmt.Sprintf("translate(%s %s) scale(%.4f %.4f)",
		coord(f.left), coord(f.top), (f.right-f.left)/float64(columns), (f.bottom-f.top)/float64(rows))})
}

// scale explains a heat map's classes.
func scale(low, high string) key {
	var d drawing
	for l := range heatLevels + 1 {
		d.rect("q"+strconv.Itoa(l), float64(12*l), 0, 12, 12, "")
	}
	return key{Text: low, Scale: d.Marks, High: high}
}

// availability is how many leechers have each piece, over time.
func availability(r *fleet.Result) figure {
	f := figure{ID: "availability", Title: "Availability of pieces"}
	end := horizon(r)
	samples := r.Samples
	for len(samples) > 1 && seconds(samples[len(samples)-2].At) >= end {
		samples = samples[:len(samples)-1]
	}
	ranges := 0
	for i := range samples {
		ranges = max(ranges, len(samples[i].Copies))
	}
	if ranges == 0 || r.Pieces == 0 {
		return f
	}
	columns, rows := min(len(samples), heatColumns), min(ranges, heatRows)
	leechers := leecherCount(r)
	f.Defs = []group{{"heat-availability", heatMarks(columns, rows, func(x, y int) float64 {
		s := &samples[sampleAt(samples, (float64(x)+0.5)/float64(columns)*end)]
		return meanCopies(s.Copies, y, rows) / float64(leechers)
	})}}
	f.both(func(w, h int) drawing {
		y := axis{low: 0, high: float64(r.Pieces), name: "piece"}
		c := newFrame(w, h, 46, 10, 24, 42, timeAxis(0, end, w/80), y)
		c.place("heat-availability", columns, rows)
		step := math.Max(roundStep(float64(r.Pieces)/4), 1)
		for at := 0.0; at < float64(r.Pieces); at += step {
			// The first piece is at the top.
			c.text("tick", c.left-6, c.top+at/float64(r.Pieces)*(c.bottom-c.top)+4, "end", strconv.Itoa(int(at)))
		}
		return c.drawing
	}, 310, 270)
	f.Keys = []key{scale("on no leecher", "on all "+count(leechers))}
	f.Says = rarestText(r)
	return f
}

// rarestText says how the rarest piece fared.
func rarestText(r *fleet.Result) string {
	for i := range r.Samples {
		if s := &r.Samples[i]; s.Rarest > 0 {
			return fmt.Sprintf("Each column is a moment, each row a range of pieces. By %s every piece was on at least one leecher.", span(s.At))
		}
	}
	return "Each column is a moment, each row a range of pieces. At no sample was every piece on a leecher."
}

// leecherCount is how many copies of a piece there can be, besides the seeds'.
func leecherCount(r *fleet.Result) int {
	n := 0
	for i := range r.Hosts {
		if r.Hosts[i].Role == fleet.Leecher {
			n++
		}
	}
	for i := range r.Samples {
		for _, c := range r.Samples[i].Copies {
			n = max(n, int(c))
		}
	}
	return max(n, 1)
}

// sampleAt is the index of the last sample that is not after a time, or the
// first.
func sampleAt(samples []fleet.Sample, at float64) int {
	i := 0
	for i+1 < len(samples) && seconds(samples[i+1].At) <= at {
		i++
	}
	return i
}

// meanCopies is the mean of the values that fall into a row of rows.
func meanCopies(copies []float32, row, rows int) float64 {
	first, end := pieceRange(row, rows, len(copies))
	var sum float64
	for _, c := range copies[first:end] {
		sum += float64(c)
	}
	return sum / math.Max(float64(end-first), 1)
}

// unchokes is how long each host had each other unchoked.
func unchokes(r *fleet.Result) figure {
	var most float64
	n := matrixSize(r)
	for i := range n {
		for j := range n {
			most = math.Max(most, seconds(unchokedFor(r, i, j)))
		}
	}
	f := matrix(r, "unchokes", "Who unchoked whom", most, func(i, j int) float64 { return seconds(unchokedFor(r, i, j)) })
	f.Keys = []key{scale("never", "for "+shortSpan(most))}
	return f
}

// served is how much payload each host sent to each other.
func served(r *fleet.Result) figure {
	var most float64
	n := matrixSize(r)
	for i := range n {
		for j := range n {
			most = math.Max(most, float64(servedBytes(r, i, j)))
		}
	}
	f := matrix(r, "served", "Who served whom", most, func(i, j int) float64 { return float64(servedBytes(r, i, j)) })
	f.Keys = []key{scale("nothing", bytesText(int64(most)))}
	return f
}

// matrix is a square map of who did something to whom, on a scale up to most.
func matrix(r *fleet.Result, id, title string, most float64, value func(i, j int) float64) figure {
	n := matrixSize(r)
	f := figure{ID: id, Title: title}
	f.Defs = []group{{"heat-" + id, heatMarks(n, n, func(x, y int) float64 { return value(y, x) / math.Max(most, 1e-12) })}}
	longest := 4
	for i := range n {
		longest = max(longest, len([]rune(squeeze(clean(r.Hosts[i].Name), matrixName))))
	}
	names := float64(7*longest + 14)
	f.both(func(w, h int) drawing {
		const top = 22
		side := math.Min(float64(h)-top-names, float64(w)-names-6)
		left := math.Max(names, (float64(w)-side)/2)
		c := newFrame(w, h, left, float64(w)-left-side, top, float64(h)-top-side, axis{high: float64(n)}, axis{high: float64(n)})
		c.text("name", c.left-6, 12, "end", "from host")
		c.text("name", c.right, 12, "end", "to host, below")
		c.place("heat-"+id, n, n)
		// A name is 15 pixels high.
		step := max(int(roundStep(15*float64(n)/side)), 1)
		for i := 0; i < n; i += step {
			at, name := (float64(i)+0.5)*side/float64(n), squeeze(clean(r.Hosts[i].Name), matrixName)
			c.text("tick", c.left-6, c.top+at+4, "end", name)
			c.upText("tick", c.left+at+4, c.bottom+8, name)
		}
		return c.drawing
	}, 440, 336)
	f.Says = "A row is a host that gives, a column one that gets."
	if n < len(r.Hosts) {
		f.Says = join(f.Says, fmt.Sprintf("The first %d of %s.", n, plural(len(r.Hosts), "host")))
	}
	return f
}
