package monitoring

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// required are the fields that Grafana's schema of a classic dashboard does not
// leave out, and those without which it makes something else of it: a new
// identity, a panel without a place.
var required = map[string][]string{
	"dashboard": {"annotations", "editable", "id", "links", "panels", "refresh", "schemaVersion", "tags", "templating", "time", "timezone", "title", "uid", "version"},
	"panel":     {"datasource", "description", "fieldConfig", "gridPos", "id", "options", "targets", "title", "type"},
	"row":       {"collapsed", "gridPos", "id", "panels", "title", "type"},
	"link":      {"asDropdown", "icon", "includeVars", "keepTime", "tags", "targetBlank", "title", "tooltip", "type", "url"},
	"variable":  {"hide", "label", "name", "options", "type"},
	"target":    {"datasource", "editorMode", "expr", "instant", "legendFormat", "range", "refId"},
}

type object = map[string]any

// TestSchema reads the committed files as Grafana does, knowing nothing of the
// types that made them.
func TestSchema(t *testing.T) {
	uids := map[string]bool{}
	for _, made := range Dashboards() {
		t.Run(made.UID, func(t *testing.T) {
			b, err := os.ReadFile("../grafana/dashboards/" + made.UID + ".json")
			if err != nil {
				t.Fatal(err)
			}
			var d object
			if err := json.Unmarshal(b, &d); err != nil {
				t.Fatal(err)
			}
			has(t, "dashboard", d)
			uid := d["uid"].(string)
			if !regexp.MustCompile(`^[a-z0-9-]{1,40}$`).MatchString(uid) || uids[uid] {
				t.Errorf("uid %q", uid)
			}
			uids[uid] = true
			if v := d["schemaVersion"].(float64); v < 36 || v > 41 {
				t.Errorf("schemaVersion %v is of no Grafana from 9 to 12", v)
			}
			for _, v := range d["templating"].(object)["list"].([]any) {
				has(t, "variable", v.(object))
			}
			checkLinks(t, uid, d["links"].([]any))
			checkPanels(t, d["panels"].([]any))
		})
	}
}

func has(t *testing.T, kind string, o object) {
	t.Helper()
	for _, field := range required[kind] {
		if _, ok := o[field]; !ok {
			t.Errorf("a %s has no %s: %v", kind, field, o["title"])
		}
	}
}

// checkLinks: a board links to all others and not to itself.
func checkLinks(t *testing.T, uid string, links []any) {
	var to []string
	for _, l := range links {
		has(t, "link", l.(object))
		to = append(to, l.(object)["url"].(string))
	}
	for _, d := range Dashboards() {
		linked := slices.ContainsFunc(to, func(url string) bool { return strings.HasPrefix(url, "/d/"+d.UID+"?") })
		if linked == (d.UID == uid) {
			t.Errorf("links to %v", to)
		}
	}
}

// checkPanels: each has its fields, an identity of its own and a place where no
// other is.
func checkPanels(t *testing.T, panels []any) {
	kinds := []string{"row", "stat", "timeseries", "heatmap", "bargauge", "table"}
	ids, taken := map[float64]bool{}, map[[2]int]string{}
	for _, raw := range panels {
		p := raw.(object)
		title := p["title"].(string)
		kind := "panel"
		if p["type"] == "row" {
			kind = "row"
		}
		has(t, kind, p)
		if !slices.Contains(kinds, p["type"].(string)) {
			t.Errorf("%q is a %v", title, p["type"])
		}
		if id := p["id"].(float64); id < 1 || ids[id] {
			t.Errorf("%q has the id %v", title, id)
		} else {
			ids[id] = true
		}
		pos := p["gridPos"].(object)
		x, y, w, h := int(pos["x"].(float64)), int(pos["y"].(float64)), int(pos["w"].(float64)), int(pos["h"].(float64))
		if x < 0 || y < 0 || w < 1 || h < 1 || x+w > gridWidth {
			t.Errorf("%q is at %v", title, pos)
		}
		for dx := range w {
			for dy := range h {
				at := [2]int{x + dx, y + dy}
				if taken[at] != "" {
					t.Fatalf("%q and %q overlap", title, taken[at])
				}
				taken[at] = title
			}
		}
		if kind == "panel" {
			checkTargets(t, title, p["targets"].([]any))
		}
	}
}

func checkTargets(t *testing.T, title string, targets []any) {
	refs := map[string]bool{}
	for _, raw := range targets {
		target := raw.(object)
		has(t, "target", target)
		if ref := target["refId"].(string); refs[ref] {
			t.Errorf("%q has two targets %s", title, ref)
		} else {
			refs[ref] = true
		}
		if target["instant"] == target["range"] {
			t.Errorf("%q %v is neither or both of an instant and a range query", title, target["refId"])
		}
	}
}
