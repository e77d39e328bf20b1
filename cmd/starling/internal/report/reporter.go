package report

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

const (
	redraw     = 100 * time.Millisecond // of a bar: at most ten a second
	look       = 200 * time.Millisecond // without a bar, so that steps are seen
	jsonEvery  = time.Second            // between two status documents of a torrent
	plainEvery = 30 * time.Second       // between two plain lines of a torrent,
	plainStep  = 10                     // unless it advanced by this many percent
	plainLeast = time.Second            // and even then: nobody reads ten lines of a second
)

// Options configure a Reporter.
type Options struct {
	Mode  Mode // not Auto
	Out   io.Writer
	Color bool
	Width func() int       // columns of the terminal
	Now   func() time.Time // nil: time.Now
}

// Reporter shows what a command does. It is safe for use by several goroutines.
type Reporter struct {
	o  Options
	mu sync.Mutex
	// bar: the torrents in the order they first appeared, and how many lines
	// of the terminal they take now.
	order    []string
	latest   map[string]Status
	drawn    int
	lastDraw time.Time
	// plain and json: when each torrent was last shown, and how far it was.
	shown map[string]shown
}

type shown struct {
	at    time.Time
	step  int64
	state string
}

// New returns a Reporter.
func New(o Options) *Reporter {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Reporter{o: o, latest: map[string]Status{}, shown: map[string]shown{}}
}

// Mode is the mode it was made with.
func (r *Reporter) Mode() Mode { return r.o.Mode }

// Interval is how often it is worth calling Status.
func (r *Reporter) Interval() time.Duration {
	if r.o.Mode == Bar {
		return redraw
	}
	return look
}

// Status shows a reading, if it is time to. A last reading (last true) is
// always shown.
func (r *Reporter) Status(s Status, last bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.o.Now()
	key := s.InfoHash + s.Name
	switch r.o.Mode {
	case Bar:
		if _, ok := r.latest[key]; !ok {
			r.order = append(r.order, key)
		}
		r.latest[key] = s
		if last || now.Sub(r.lastDraw) >= redraw {
			r.draw(now)
		}
	case JSON:
		if was, ok := r.shown[key]; last || !ok || now.Sub(was.at) >= jsonEvery || was.state != s.State {
			r.shown[key] = shown{at: now, state: s.State}
			r.write(s, now)
		}
	case Plain:
		step := percent(s) / plainStep
		if was, ok := r.shown[key]; last || !ok || was.state != s.State || now.Sub(was.at) >= plainEvery || step > was.step && now.Sub(was.at) >= plainLeast {
			r.shown[key] = shown{at: now, step: step, state: s.State}
			fmt.Fprintln(r.o.Out, PlainLine(s))
		}
	}
}

// Event shows a moment. Plain and bar modes show those that a person acts on.
func (r *Reporter) Event(e Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch r.o.Mode {
	case JSON:
		r.write(e, r.o.Now())
	case Bar, Plain:
		if line := EventLine(e); line != "" {
			r.line(line)
		}
	}
}

// Say shows a line to people: in bar and plain mode, not in the others.
func (r *Reporter) Say(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.o.Mode == Bar || r.o.Mode == Plain {
		r.line(fmt.Sprintf(format, args...))
	}
}

// Document writes a Summary or an Error in JSON mode; people get other text.
func (r *Reporter) Document(doc any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.o.Mode == JSON {
		r.write(doc, r.o.Now())
	}
}

// Finish leaves the last bar on the screen and starts a new line below it.
func (r *Reporter) Finish() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.drawn > 0 {
		r.draw(r.o.Now())
	}
	r.order, r.latest, r.drawn = nil, map[string]Status{}, 0
}

// Drop forgets a torrent's bar: it is shown no more.
func (r *Reporter) Drop(s Status) {
	r.mu.Lock()
	defer r.mu.Unlock()
	key := s.InfoHash + s.Name
	delete(r.latest, key)
	delete(r.shown, key)
	for i, k := range r.order {
		if k == key {
			r.order = append(r.order[:i], r.order[i+1:]...)
			break
		}
	}
}

// Writer returns a writer for log lines, which go above the bar.
func (r *Reporter) Writer() io.Writer { return lineWriter{r} }

type lineWriter struct{ r *Reporter }

func (w lineWriter) Write(p []byte) (int, error) {
	w.r.mu.Lock()
	defer w.r.mu.Unlock()
	w.r.line(string(bytes.TrimSuffix(p, []byte("\n"))))
	return len(p), nil
}

// line prints a line above the bar, which is drawn again below it.
func (r *Reporter) line(s string) {
	if r.drawn == 0 {
		fmt.Fprintln(r.o.Out, s)
		return
	}
	io.WriteString(r.o.Out, r.home()+"\x1b[J"+s+"\n")
	r.drawn = 0
	r.draw(r.o.Now())
}

// home moves the cursor to the first line of the bar.
func (r *Reporter) home() string {
	if r.drawn == 0 {
		return ""
	}
	return fmt.Sprintf("\r\x1b[%dA", r.drawn)
}

// draw writes the whole bar in one write, so that a terminal never shows half.
func (r *Reporter) draw(now time.Time) {
	width := 80
	if r.o.Width != nil {
		width = r.o.Width()
	}
	var lines []string
	for _, key := range r.order {
		lines = append(lines, BarLines(r.latest[key], width, r.o.Color)...)
	}
	var b strings.Builder
	b.WriteString(r.home())
	for _, l := range lines {
		b.WriteString("\x1b[2K" + l + "\n")
	}
	if len(lines) < r.drawn {
		b.WriteString("\x1b[J")
	}
	io.WriteString(r.o.Out, b.String())
	r.drawn, r.lastDraw = len(lines), now
}

func (r *Reporter) write(doc any, now time.Time) {
	// stderr that cannot be written to leaves nobody to tell.
	_ = Write(r.o.Out, doc, now)
}
