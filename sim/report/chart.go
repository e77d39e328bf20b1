package report

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// A drawing is made for a screen of about this many CSS pixels, so that its
// letters, which have a size in the same unit, are as large as the page's.
const (
	wideWidth   = 560
	narrowWidth = 330
)

// mark is one SVG element of a drawing. Tag is path, line, rect, text or use;
// the template writes the fields that the tag has.
type mark struct {
	Tag, Class   string
	X, Y, X2, Y2 string // line: from and to; rect: place and size; text: place
	D            string // path
	Text, Anchor string // text; Anchor is start, middle or end
	Ref          string // use
	Transform    string // use, text
	Title        string // shown beside the pointer
}

// drawing is an SVG picture.
type drawing struct {
	W, H  int
	Marks []mark
}

// figure is a drawing for each kind of screen, with its words.
type figure struct {
	ID, Title string
	Says      string // what it shows, in words
	Keys      []key
	Defs      []group // what the drawings refer to
	Wide      drawing
	Narrow    drawing
}

// key explains a mark: a line's class, or a heat map's scale.
type key struct {
	Class, Text string
	Scale       []mark // from low to high; Text is then the low end
	High        string
}

// group is a set of marks with a name.
type group struct {
	ID    string
	Marks []mark
}

// tick is a place on an axis.
type tick struct {
	at   float64
	text string
}

// axis maps values from low to high.
type axis struct {
	low, high float64
	ticks     []tick
	name      string
}

// frame is a drawing with axes: the part of it inside the margins.
type frame struct {
	drawing
	left, right, top, bottom float64
	x, y                     axis
}

// newFrame makes a drawing and draws its axes.
func newFrame(w, h int, left, right, top, bottom float64, x, y axis) *frame {
	f := &frame{
		drawing: drawing{W: w, H: h}, left: left, right: float64(w) - right,
		top: top, bottom: float64(h) - bottom, x: x, y: y,
	}
	for _, t := range y.ticks {
		py := f.py(t.at)
		f.line("grid", f.left, py, f.right, py)
		f.text("tick", f.left-6, py+4, "end", t.text)
	}
	for _, t := range x.ticks {
		px := f.px(t.at)
		f.line("axis", px, f.bottom, px, f.bottom+4)
		f.underTick(px, t.text)
	}
	f.line("axis", f.left, f.bottom, f.right, f.bottom)
	if x.name != "" {
		f.text("name", (f.left+f.right)/2, f.bottom+34, "middle", x.name)
	}
	if y.name != "" {
		f.text("name", 2, 12, "start", y.name)
	}
	return f
}

// underTick writes below the axis, centred where there is room for that.
func (f *frame) underTick(px float64, words string) {
	const letter = 7.5 // half a point more than the widest digit
	if half := letter * float64(len(words)) / 2; px+half > float64(f.W) {
		f.text("tick", float64(f.W)-1, f.bottom+17, "end", words)
		return
	}
	f.text("tick", px, f.bottom+17, "middle", words)
}

func (a *axis) share(v float64) float64 {
	if a.high <= a.low {
		return 0
	}
	return min(max((v-a.low)/(a.high-a.low), 0), 1)
}

func (f *frame) px(v float64) float64 { return f.left + f.x.share(v)*(f.right-f.left) }
func (f *frame) py(v float64) float64 { return f.bottom - f.y.share(v)*(f.bottom-f.top) }

func (d *drawing) add(m mark) { d.Marks = append(d.Marks, m) }

func (d *drawing) line(class string, x1, y1, x2, y2 float64) {
	d.add(mark{Tag: "line", Class: class, X: coord(x1), Y: coord(y1), X2: coord(x2), Y2: coord(y2)})
}

func (d *drawing) rect(class string, x, y, w, h float64, title string) {
	d.add(mark{Tag: "rect", Class: class, X: coord(x), Y: coord(y), X2: coord(w), Y2: coord(h), Title: title})
}

func (d *drawing) text(class string, x, y float64, anchor, text string) {
	d.add(mark{Tag: "text", Class: class, X: coord(x), Y: coord(y), Anchor: anchor, Text: text})
}

// upText writes text that ends at its place and runs upwards to it.
func (d *drawing) upText(class string, x, y float64, text string) {
	d.add(mark{Tag: "text", Class: class, X: coord(x), Y: coord(y), Anchor: "end", Text: text,
		Transform: "rotate(-90 " + coord(x) + " " + coord(y) + ")"})
}

// coord is a tenth of a pixel, in as few characters as possible.
func coord(v float64) string {
	return strconv.FormatFloat(math.Round(finite(v)*10)/10, 'f', -1, 64)
}

// point is a reading: a time in seconds and a value.
type point struct{ x, y float64 }

// curve draws points joined by lines, or by steps where a value lasts until
// the next one.
func (f *frame) curve(class string, points []point, steps bool, title string) {
	var b strings.Builder
	lastX, lastY := "", ""
	for i, p := range points {
		x, y := coord(f.px(p.x)), coord(f.py(p.y))
		switch {
		case i == 0:
			b.WriteString("M" + x + " " + y)
		case x == lastX && y == lastY:
			continue
		case steps:
			b.WriteString("H" + x)
			if y != lastY {
				b.WriteString("V" + y)
			}
		default:
			b.WriteString("L" + x + " " + y)
		}
		lastX, lastY = x, y
	}
	if len(points) > 1 {
		f.add(mark{Tag: "path", Class: "curve " + class, D: b.String(), Title: title})
	}
}

// upright marks a moment by a line from top to bottom and words above it, in
// the given row of words (0 is the highest).
func (f *frame) upright(class string, at float64, row int, words string) {
	px := f.px(at)
	anchor, shift := "start", 4.0
	if px > (f.left+f.right)/2 {
		anchor, shift = "end", -4
	}
	y := f.top - 22 + 14*float64(row)
	f.line(class, px, y-9, px, f.bottom)
	f.text("label", px+shift, y, anchor, words)
}

// timeAxis has about n ticks from 0 to the end, at round times.
func timeAxis(low, high float64, n int) axis {
	a := axis{low: low, high: high, name: "time since the beginning"}
	step := timeStep((high - low) / float64(n))
	for i := math.Ceil(low / step); i*step <= high*1.0001 && len(a.ticks) < 3*n; i++ {
		a.ticks = append(a.ticks, tick{i * step, shortTime(i * step)})
	}
	return a
}

// timeStep is the least round number of seconds that is not less than raw.
func timeStep(raw float64) float64 {
	if raw <= 1 {
		return roundStep(raw)
	}
	for _, s := range []float64{1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 4 * 3600, 6 * 3600, 12 * 3600} {
		if raw <= s {
			return s
		}
	}
	return 86400 * roundStep(raw/86400)
}

// roundStep is 1, 2 or 5 times a power of ten, not less than raw.
func roundStep(raw float64) float64 {
	if !(raw > 1e-9) {
		return 1e-9
	}
	power := math.Pow(10, math.Floor(math.Log10(raw)))
	for _, m := range []float64{1, 2, 5} {
		if raw <= m*power*1.0001 {
			return m * power
		}
	}
	return 10 * power
}

// shortTime is a tick's time: span without what is zero.
func shortTime(s float64) string {
	switch {
	case s >= 3600 && math.Mod(s, 3600) == 0:
		return strconv.FormatFloat(s/3600, 'f', -1, 64) + "h"
	case s >= 60 && s < 3600 && math.Mod(s, 60) == 0:
		return strconv.FormatFloat(s/60, 'f', -1, 64) + "m"
	case s >= 60:
		return span(time.Duration(math.Round(s)) * time.Second)
	case s >= 1 || s == 0:
		return strconv.FormatFloat(math.Round(s*1000)/1000, 'f', -1, 64) + "s"
	}
	if s < 1e-3 {
		return strconv.FormatFloat(math.Round(s*1e9)/1e3, 'f', -1, 64) + "us"
	}
	return strconv.FormatFloat(math.Round(s*1e6)/1e3, 'f', -1, 64) + "ms"
}

// percentAxis goes from nothing to all.
func percentAxis(name string) axis {
	a := axis{high: 1, name: name}
	for _, p := range []int{0, 25, 50, 75, 100} {
		a.ticks = append(a.ticks, tick{float64(p) / 100, strconv.Itoa(p) + "%"})
	}
	return a
}

// binaryUnit is the largest unit that v is at least one of.
func binaryUnit(v float64) (size float64, name string) {
	size = 1
	for _, name := range []string{"B", "KiB", "MiB", "GiB", "TiB"} {
		if v < size*1024 {
			return size, name
		}
		size *= 1024
	}
	return size, "PiB"
}

// rateAxis goes from 0 to a little over high bytes a second, in one unit.
func rateAxis(high float64, n int) axis {
	high = math.Max(high, 1)
	size, unit := binaryUnit(high)
	step := roundStep(high / size / float64(n))
	a := axis{high: high * 1.05, name: unit + "/s"}
	for i := 0; float64(i)*step*size <= a.high; i++ {
		a.ticks = append(a.ticks, tick{float64(i) * step * size, strconv.FormatFloat(math.Round(float64(i)*step*1e6)/1e6, 'f', -1, 64)})
	}
	return a
}
