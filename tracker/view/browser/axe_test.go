package browser

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// axe-core is of the MPL 2.0 and half a megabyte, so it is fetched and not committed.
const (
	axePackage = "axe-core@4.14.1"
	axeSum     = "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ=="
)

// axeSource fetches axe-core by npm, or from the folder that STARLING_AXE names,
// which keeps it for the next time.
func axeSource(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("STARLING_AXE")
	if dir == "" {
		dir = t.TempDir()
	}
	file := filepath.Join(dir, "axe-core-4.14.1.tgz")
	if _, err := os.Stat(file); errors.Is(err, os.ErrNotExist) {
		npm, err := exec.LookPath("npm")
		if err != nil {
			missing(t, "npm is missing, which fetches "+axePackage+": Debian's package npm")
		}
		cmd := exec.CommandContext(t.Context(), npm, "pack", "--silent", "--pack-destination", dir, axePackage)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			missing(t, fmt.Sprintf("npm pack %s: %v\n%s", axePackage, err, out))
		}
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha512.Sum512(b)
	if got := base64.StdEncoding.EncodeToString(sum[:]); got != axeSum {
		t.Fatalf("%s has the checksum %s", axePackage, got)
	}
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if err != nil {
			t.Fatalf("%s has no axe.min.js: %v", axePackage, err)
		}
		if h.Name == "package/axe.min.js" {
			src, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			return string(src)
		}
	}
}

// violation is a rule that a page breaks.
type violation struct {
	ID     string   `json:"id"`
	Impact string   `json:"impact"`
	Help   string   `json:"help"`
	Nodes  []string `json:"nodes"`
}

// All pages, in all their states, hold the rules of axe-core: nothing is serious or
// critical, and nothing is less either.
func TestAccessible(t *testing.T) {
	axe := axeSource(t)
	for _, l := range []look{desktop, {width: 1440, height: 900, dark: true}, {width: 390, height: 844, phone: true}, {width: 390, height: 844, phone: true, dark: true}} {
		t.Run(fmt.Sprintf("%d dark=%v", l.width, l.dark), func(t *testing.T) {
			s := newSite(t)
			tb := newTab(t, l)
			check := func(name, url, ready string) {
				tb.open(url)
				tb.until(ready)
				tb.check(axe, name)
			}
			rollout := s.path(s.rollouts[0])
			check("nobody", rollout, `document.getElementById("host-count").innerText === "0 hosts"`)
			s.at(t, 5)
			check("start", rollout, `document.getElementById("host-count").innerText === "72 hosts" && document.querySelectorAll("#groups tbody tr").length === 7`)
			s.at(t, 70)
			check("middle", rollout, `document.querySelectorAll("#late li").length > 2`)
			tb.do(chromedp.Evaluate[chromedp.Void](`document.getElementById("flows-details").open = true`))
			tb.until(`document.querySelectorAll("#flows tbody tr").length > 5`)
			tb.check(axe, "flows")
			s.at(t, 1e6)
			check("done", rollout, `document.getElementById("ring").hasAttribute("data-done")`)
			check("list", s.url, `document.querySelectorAll("#swarms tbody tr").length === 3`)
			check("no such swarm", s.url+"/swarms/"+strings.Repeat("b", 40), `document.querySelector("h1").innerText === "No such swarm"`)
			s.halt(t)
		})
	}
}

// check runs axe-core on the page as it is. Its code goes in by the tools, which the
// page's policy does not bind.
func (tb *tab) check(axe, name string) {
	tb.t.Helper()
	tb.do(chromedp.Evaluate[chromedp.Void](axe))
	raw := eval[string](tb, `axe.run({resultTypes: ["violations"]}).then((r) => JSON.stringify({passes: r.passes.length, violations:
		r.violations.map((v) => ({id: v.id, impact: v.impact, help: v.help, nodes: v.nodes.map((n) => n.html.slice(0, 200))}))}))`)
	var res struct {
		Passes     int
		Violations []violation
	}
	if err := json.Unmarshal([]byte(raw), &res); err != nil {
		tb.t.Fatal(err)
	}
	if res.Passes < 10 {
		tb.t.Errorf("%s: only %d rules were looked at", name, res.Passes)
	}
	for _, v := range res.Violations {
		tb.t.Errorf("%s: %s (%s): %s\n\t%s", name, v.ID, v.Impact, v.Help, strings.Join(v.Nodes, "\n\t"))
	}
}
