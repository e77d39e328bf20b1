package report

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"html"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// browser opens pages of a folder in headless Chromium.
type browser struct {
	t      *testing.T
	path   string
	server *httptest.Server
	mu     sync.Mutex
	asked  []string // what was asked of the server
}

func newBrowser(t *testing.T, dir string) *browser {
	t.Helper()
	b := &browser{t: t}
	var err error
	if b.path, err = exec.LookPath("chromium"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("chromium is missing: Debian's package chromium")
		}
		t.Skip("chromium is missing: Debian's package chromium")
	}
	files := http.FileServer(http.Dir(dir))
	b.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.mu.Lock()
		b.asked = append(b.asked, r.URL.Path)
		b.mu.Unlock()
		if r.URL.Path == "/measure" {
			http.ServeFile(w, r, "testdata/measure.html")
			return
		}
		files.ServeHTTP(w, r)
	}))
	t.Cleanup(b.server.Close)
	return b
}

// run opens a page and returns what Chromium wrote to stdout and to its log.
func (b *browser) run(page string, flags ...string) (out, log string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), time.Minute)
	defer cancel()
	args := append([]string{
		"--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-extensions", "--disable-sync",
		"--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1", "--user-data-dir=" + b.t.TempDir(),
		"--force-device-scale-factor=1", "--enable-logging=stderr", "--virtual-time-budget=5000",
	}, flags...)
	cmd := exec.CommandContext(ctx, b.path, append(args, b.server.URL+page)...)
	cmd.WaitDelay = 5 * time.Second
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		b.t.Fatalf("chromium %s: %v\n%s", page, err, stderr.String())
	}
	return stdout.String(), stderr.String()
}

// measured is a page at one width, in CSS pixels.
type measured struct {
	Page                       string
	Width, ScrollWidth, Height int
	Outside                    []string // elements beyond the right edge
	Plots                      []measuredPlot
}

// measuredPlot is a plot; boxes are x, y, width, height, those of marks and
// texts from the drawing's corner.
type measuredPlot struct {
	ID       string
	Drawings int // that are visible
	Box      [4]float64
	Marks    []struct {
		Class string
		Box   [4]float64
	}
	Texts []struct {
		Text string
		Box  [4]float64
	}
}

var console = regexp.MustCompile(`:CONSOLE[:(].*`)

// measure lays pages out at each of some widths. It fails on whatever they
// write to the console and on anything else that they load.
func (b *browser) measure(widths string, pages ...string) []measured {
	b.t.Helper()
	list := strings.Join(pages, ",")
	b.mu.Lock()
	b.asked = nil
	b.mu.Unlock()
	dom, log := b.run("/measure?pages="+list+"&widths="+widths, "--dump-dom")
	lines := console.FindAllString(log, -1)
	if len(lines) != 1 || !strings.Contains(lines[0], "measured") {
		b.t.Errorf("%s: the console has more, or less, than the word that all was measured: %q", list, lines)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, path := range b.asked {
		if path != "/measure" && !slices.Contains(pages, path) {
			b.t.Errorf("%s loads %s", list, path)
		}
	}
	_, text, ok := strings.Cut(dom, `<pre id="found">`)
	text, _, _ = strings.Cut(text, "</pre>")
	var found []measured
	if err := json.Unmarshal([]byte(html.UnescapeString(text)), &found); err != nil || !ok {
		b.t.Fatalf("%s was not measured: %v\n%.2000s", list, err, log)
	}
	return found
}

// screenshot is a picture of a page 1280 pixels wide. go test -artifacts keeps
// it.
func (b *browser) screenshot(page, name string, height int, flags ...string) image.Image {
	b.t.Helper()
	path := filepath.Join(b.t.ArtifactDir(), name+".png")
	b.run(page, append(flags, "--screenshot="+path, fmt.Sprintf("--window-size=1280,%d", height))...)
	f, err := os.Open(path)
	if err != nil {
		b.t.Fatal(err)
	}
	defer f.Close()
	img, err := png.Decode(f)
	if err != nil {
		b.t.Fatalf("%s: %v", path, err)
	}
	return img
}

// palette are the style sheet's colours by name.
func palette(dark bool) map[string]color.RGBA {
	light, rest, _ := strings.Cut(style, "prefers-color-scheme: dark")
	text := light
	if dark {
		text, _, _ = strings.Cut(rest, "* {")
	}
	colours := map[string]color.RGBA{}
	for _, m := range regexp.MustCompile(`--(\w+): #(\w\w)(\w\w)(\w\w);`).FindAllStringSubmatch(text, -1) {
		var c [3]uint8
		for i := range c {
			fmt.Sscanf(m[2+i], "%x", &c[i])
		}
		colours[m[1]] = color.RGBA{c[0], c[1], c[2], 255}
	}
	return colours
}

// pixels counts the pixels of a colour in a box.
func pixels(img image.Image, box [4]float64, want color.RGBA) int {
	n := 0
	area := image.Rect(int(box[0]), int(box[1]), int(box[0]+box[2]), int(box[1]+box[3])).Intersect(img.Bounds())
	for y := area.Min.Y; y < area.Max.Y; y++ {
		for x := area.Min.X; x < area.Max.X; x++ {
			if color.RGBAModel.Convert(img.At(x, y)) == want {
				n++
			}
		}
	}
	return n
}
