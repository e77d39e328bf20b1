package view

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"html/template"
	"net/http"
	"path"
	"strings"
)

//go:embed pages/*.html
var pageFiles embed.FS

//go:embed assets
var assetFiles embed.FS

// policy allows a page files of its own origin and nothing else: no inline script
// or style, no frame around it.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// view serves the pages of a source.
type view struct {
	src    Source
	pages  *template.Template
	assets map[string]asset
}

// asset is a file that pages load.
type asset struct {
	body       []byte
	kind, etag string
}

var kinds = map[string]string{
	".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml",
}

// New returns the handler of "/", "/swarms/HASH" and "/assets/FILE"; anything else
// is answered with a page that says that it is not there. It answers GET and HEAD.
func New(src Source) http.Handler {
	v := &view{src: src, assets: make(map[string]asset)}
	v.pages = template.Must(template.New("").Funcs(template.FuncMap{
		"bytes": func(n int64) string { return bytesText(float64(n)) }, "rate": func(n int64) string { return rateText(float64(n)) },
		"percent": percent, "left": leftText, "count": count, "plural": plural, "copies": rarestCell, "reason": reason,
		"slow": slowText, "late": lateText, "doing": doing, "has": hostShare, "tags": tags, "called": swarmName,
		"of": func(share, of float64) float64 { return of * min(1, max(0, share)) },
	}).ParseFS(pageFiles, "pages/*.html"))
	entries, err := assetFiles.ReadDir("assets")
	if err != nil {
		panic(err) // the folder is part of the program
	}
	for _, e := range entries {
		b, err := assetFiles.ReadFile("assets/" + e.Name())
		if err != nil {
			panic(err)
		}
		sum := sha256.Sum256(b)
		v.assets[e.Name()] = asset{b, kinds[path.Ext(e.Name())], `"` + hex.EncodeToString(sum[:8]) + `"`}
	}
	return v
}

// ServeHTTP answers with a page or an asset.
func (v *view) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		v.refuse(w, http.StatusMethodNotAllowed, "Only for reading", "This page can be read and nothing else.")
		return
	}
	if name, ok := strings.CutPrefix(r.URL.Path, "/assets/"); ok {
		v.serveAsset(w, r, name)
		return
	}
	h.Set("Cache-Control", "no-store")
	if r.URL.Path == "/" {
		v.serveList(w, r)
		return
	}
	if hash, ok := strings.CutPrefix(r.URL.Path, "/swarms/"); ok {
		v.serveSwarm(w, r, hash)
		return
	}
	v.refuse(w, http.StatusNotFound, "No such page", "There is nothing at this address.")
}

// serveAsset lets a browser keep a file and ask whether it is still the same.
func (v *view) serveAsset(w http.ResponseWriter, r *http.Request, name string) {
	a, ok := v.assets[name]
	if !ok {
		v.refuse(w, http.StatusNotFound, "No such file", "There is nothing at this address.")
		return
	}
	h := w.Header()
	h.Set("Cache-Control", "no-cache")
	h.Set("ETag", a.etag)
	h.Set("Content-Type", a.kind)
	// A proxy that compresses makes a weak tag of it.
	if strings.TrimPrefix(r.Header.Get("If-None-Match"), "W/") == a.etag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	_, _ = w.Write(a.body)
}

// refusal is the page for what cannot be shown.
type refusal struct{ Title, Text string }

func (v *view) refuse(w http.ResponseWriter, status int, title, text string) {
	v.render(w, status, "refusal.html", refusal{title, text})
}

// render sends a page once all of it is made, so that none is sent in part.
func (v *view) render(w http.ResponseWriter, status int, name string, data any) {
	var b bytes.Buffer
	if err := v.pages.ExecuteTemplate(&b, name, data); err != nil {
		http.Error(w, "the page cannot be made: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes())
}
