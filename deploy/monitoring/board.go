package monitoring

import "strings"

// width of Grafana's grid, and the height of a panel in its units.
const (
	gridWidth   = 24
	statHeight  = 4
	graphHeight = 8
)

// prometheusSource is the data source that the board's variable chooses.
var prometheusSource = datasource{Type: "prometheus", UID: "${datasource}"}

// others are the boards that each board links to.
var others = []struct{ uid, title string }{
	{fleetUID, "Fleet"}, {rolloutUID, "Rollout"}, {peerUID, "Peer"}, {trackerUID, "Tracker"},
}

// board lays panels out from left to right and from top to bottom.
type board struct {
	Dashboard
	present      string // a metric of each process that the board is about, and of no other
	x, y, height int    // where the next panel goes; height of the current line
}

// newBoard begins a board. The series of present give the choice of jobs and
// instances.
func newBoard(uid, title, description, present string) *board {
	b := &board{present: present, Dashboard: Dashboard{
		UID: uid, Title: title, Description: description, Tags: []string{"starling"},
		GraphTooltip: 1, Refresh: "30s", SchemaVersion: schemaVersion, Version: 1,
		Time: timeRange{From: "now-1h", To: "now"}, Timezone: "browser",
		Annotations: annotations{List: []annotation{{
			BuiltIn: 1, Datasource: datasource{Type: "grafana", UID: "-- Grafana --"},
			Enable: true, Hide: true, IconColor: "rgba(0, 211, 255, 1)", Name: "Annotations & Alerts", Type: "dashboard",
		}, {
			Datasource: prometheusSource, Enable: true, IconColor: "red", Name: "Alerts",
			Expr: alerting(is("alertstate", "firing")), Step: "60s",
			TitleFormat: "{{alertname}}", TextFormat: "{{node}} {{instance}}", TagKeys: "severity",
		}}},
	}}
	b.Templating.List = []variable{
		{Name: "datasource", Label: "Data source", Type: "datasource", Query: "prometheus", Options: []struct{}{}, Refresh: 1},
		choice("job", "Job", "label_values("+present+", job)"),
		choice("instance", "Instance", "label_values("+present+`{job=~"$job"}, instance)`),
		{Name: "filters", Label: "Filters", Type: "adhoc", Datasource: &prometheusSource, Options: []struct{}{}, Filters: &[]struct{}{}},
	}
	for _, o := range others {
		if o.uid != uid {
			b.Links = append(b.Links, link{
				Icon: "dashboard", KeepTime: true, Tags: []string{}, Title: o.title,
				Tooltip: "The board " + o.title + ", of the same time", Type: "link", URL: "/d/" + o.uid + "?${datasource:queryparam}",
			})
		}
	}
	return b
}

// choice is a variable of some or all values of a label.
func choice(name, label, query string) variable {
	return variable{
		Name: name, Label: label, Type: "query", Definition: query, Query: variableQuery{query, "Variables-" + name},
		Datasource: &prometheusSource, IncludeAll: true, AllValue: ".+", Multi: true,
		Current: &current{Selected: true, Text: []string{"All"}, Value: []string{"$__all"}},
		Options: []struct{}{}, Refresh: 2, Sort: 1,
	}
}

// row begins a new line under a heading.
func (b *board) row(title string) {
	b.newLine()
	no := false
	b.Panels = append(b.Panels, &Panel{
		ID: len(b.Panels) + 1, Type: "row", Title: title, Collapsed: &no, Panels: &[]Panel{},
		GridPos: gridPos{H: 1, W: gridWidth, Y: b.y},
	})
	b.y++
}

func (b *board) newLine() {
	b.y += b.height
	b.x, b.height = 0, 0
}

// add places a panel of width w and height h.
func (b *board) add(kind string, w, h int, title, description, unit string, targets []Target) *Panel {
	if b.x+w > gridWidth {
		b.newLine()
	}
	for i := range targets {
		targets[i].Datasource, targets[i].EditorMode = prometheusSource, "code"
		targets[i].RefID = string(rune('A' + i))
		targets[i].Range = !targets[i].Instant
	}
	p := &Panel{
		ID: len(b.Panels) + 1, Type: kind, Title: title, Description: description,
		GridPos: gridPos{H: h, W: w, X: b.x, Y: b.y}, Datasource: &prometheusSource, Targets: targets,
		FieldConfig: &fieldConfig{
			Defaults: fieldDefaults{
				Unit: unit, Color: map[string]any{"mode": "palette-classic"}, Mappings: []struct{}{},
				Thresholds: thresholds{Mode: "absolute", Steps: []step{{Color: "green"}}},
			},
			Overrides: []override{},
		},
	}
	b.Panels = append(b.Panels, p)
	b.x += w
	b.height = max(b.height, h)
	return p
}

// stat adds a number with its recent course behind it.
func (b *board) stat(w int, title, description, unit, expr string) *Panel {
	p := b.add("stat", w, statHeight, title, description, unit, []Target{{Expr: expr, LegendFormat: title}})
	p.FieldConfig.Defaults.Color = map[string]any{"mode": "thresholds"}
	p.Options = map[string]any{
		"colorMode": "value", "graphMode": "area", "justifyMode": "auto", "orientation": "auto", "textMode": "value",
		"percentChangeColorMode": "standard", "showPercentChange": false, "wideLayout": true,
		"reduceOptions": reduce(),
	}
	return p
}

func reduce() map[string]any {
	return map[string]any{"calcs": []string{"lastNotNull"}, "fields": "", "values": false}
}

// warn colours what is at or above orange, and at or above red. Where low is bad,
// give the steps yourself.
func (p *Panel) warn(orange, red float64) {
	p.FieldConfig.Defaults.Thresholds.Steps = []step{{"green", nil}, {"orange", &orange}, {"red", &red}}
}

// series adds curves over time.
func (b *board) series(w int, title, description, unit string, targets ...Target) *Panel {
	p := b.add("timeseries", w, graphHeight, title, description, unit, targets)
	zero := 0.0
	p.FieldConfig.Defaults.Min = &zero
	p.FieldConfig.Defaults.Custom = map[string]any{
		"drawStyle": "line", "fillOpacity": 10, "lineWidth": 1, "showPoints": "never", "spanNulls": false,
		"stacking": map[string]any{"group": "A", "mode": "none"},
	}
	p.Options = map[string]any{
		"legend":  map[string]any{"calcs": []string{"lastNotNull", "max"}, "displayMode": "table", "placement": "bottom", "showLegend": true},
		"tooltip": map[string]any{"mode": "multi", "sort": "desc"},
	}
	return p
}

// limit draws where the alert begins.
func (p *Panel) limit(at float64) {
	p.FieldConfig.Defaults.Thresholds.Steps = []step{{"green", nil}, {"red", &at}}
	p.FieldConfig.Defaults.Custom["thresholdsStyle"] = map[string]any{"mode": "dashed"}
}

// limitBelow is a limit for what should be high.
func (p *Panel) limitBelow(at float64) {
	p.FieldConfig.Defaults.Thresholds.Steps = []step{{"red", nil}, {"green", &at}}
	p.FieldConfig.Defaults.Custom["thresholdsStyle"] = map[string]any{"mode": "dashed"}
}

// stack puts the curves on top of one another: for parts of a whole.
func (p *Panel) stack() {
	p.FieldConfig.Defaults.Custom["stacking"] = map[string]any{"group": "A", "mode": "normal"}
	p.FieldConfig.Defaults.Custom["fillOpacity"] = 40
}

// whole fixes the axis of a ratio to 0 to 1.
func (p *Panel) whole() *Panel {
	zero, one := 0.0, 1.0
	p.FieldConfig.Defaults.Min, p.FieldConfig.Defaults.Max = &zero, &one
	return p
}

// heat adds a histogram over time, as colours.
func (b *board) heat(w int, title, description, unit, expr string) {
	p := b.add("heatmap", w, graphHeight, title, description, unit, []Target{{Expr: expr, Format: "heatmap", LegendFormat: "{{le}}"}})
	p.Options = map[string]any{
		"calculate": false, "cellGap": 1,
		"color":        map[string]any{"exponent": 0.5, "fill": "dark-orange", "mode": "scheme", "reverse": false, "scale": "exponential", "scheme": "Oranges", "steps": 64},
		"exemplars":    map[string]any{"color": "rgba(255, 0, 255, 0.7)"},
		"filterValues": map[string]any{"le": 1e-9}, "legend": map[string]any{"show": true},
		"rowsFrame": map[string]any{"layout": "auto"}, "showValue": "never",
		"tooltip": map[string]any{"mode": "single", "yHistogram": false},
		"yAxis":   map[string]any{"axisPlacement": "left", "reverse": false, "unit": unit},
	}
}

// q is a query with what its curves are called.
func q(legend string, expr ...string) Target {
	return Target{Expr: strings.Join(expr, ""), LegendFormat: legend}
}

// sel selects the series of a metric that the board's variables choose.
func sel(metric string, matchers ...string) string {
	return metric + "{" + strings.Join(append([]string{`job=~"$job"`, `instance=~"$instance"`}, matchers...), ", ") + "}"
}

// ours keeps the series of the processes that the board is about, of a metric that
// others have too: all jobs and instances are all that Prometheus knows, not only ours.
func (b *board) ours(expr string) string {
	return expr + " and on (" + instance + ") " + sel(b.present)
}

// alerting selects the alerts of what the variables choose, and those of a whole job,
// which name no instance.
func alerting(matchers ...string) string {
	own := []string{`alertname=~"Starling.+"`, `job=~"$job"`, `instance=~"$instance|"`}
	return metricAlerts + "{" + strings.Join(append(own, matchers...), ", ") + "}"
}

// rate is the increase of a counter a second.
func rate(metric string, matchers ...string) string {
	return "rate(" + sel(metric, matchers...) + "[$__rate_interval])"
}

// quantile of a histogram's classic buckets, for each value of the labels by.
func quantile(p, histogram, by string, matchers ...string) string {
	le := "le"
	if by != "" {
		le += ", " + by
	}
	return "histogram_quantile(" + p + ", sum by (" + le + ") (" + rate(histogram+"_bucket", matchers...) + "))"
}

// is writes a matcher.
func is(label, value string) string { return label + `="` + value + `"` }
