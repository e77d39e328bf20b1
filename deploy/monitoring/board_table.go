package monitoring

import "starling/peer"

// table adds a table of what the targets return now. columns renames, orders and
// leaves out labels; sortBy is a column as it is shown.
func (b *board) table(w, h int, title, description, unit string, targets []Target, columns map[string]any, sortBy string) *Panel {
	for i := range targets {
		targets[i].Format, targets[i].Instant = "table", true
	}
	p := b.add("table", w, h, title, description, unit, targets)
	p.Transformations = []transform{
		{ID: "merge", Options: map[string]any{}},
		{ID: "organize", Options: columns},
	}
	p.Options = map[string]any{
		"cellHeight": "sm", "frameIndex": 0, "showHeader": true,
		"footer": map[string]any{"show": false, "reducer": []string{"sum"}, "countRows": false, "fields": []string{}},
		"sortBy": []map[string]any{{"desc": false, "displayName": sortBy}},
	}
	p.FieldConfig.Overrides = []override{linked("instance", peerLink("${__value.text}"))}
	return p
}

// linked makes the values of a column lead elsewhere.
func linked(column string, to dataLink) override {
	return override{Matcher: matcher{ID: "byName", Options: column}, Properties: []property{{ID: "links", Value: []dataLink{to}}}}
}

// peerLink leads to the board of one peer, at the same time and data source.
func peerLink(instance string) dataLink {
	return dataLink{Title: "This peer", URL: "/d/" + peerUID + "?var-instance=" + instance + "&${datasource:queryparam}&${__url_time_range}"}
}

// alertTable lists what fires and what is about to.
func (b *board) alertTable() {
	p := b.table(gridWidth, statHeight+2, "What is wrong", "Alerts that fire, and those that will if it goes on (pending). What to do about each is in docs/runbooks.", "short",
		[]Target{{Expr: alerting(), LegendFormat: "alerts"}},
		map[string]any{
			"excludeByName": map[string]any{"Time": true, "Value": true, "__name__": true},
			"indexByName":   map[string]any{"severity": 0, "alertname": 1, "alertstate": 2, "node": 3, "instance": 4, "job": 5},
			"renameByName":  map[string]any{"alertname": "alert", "alertstate": "state"},
		}, "severity")
	p.FieldConfig.Defaults.NoValue = "Nothing is wrong."
}

// hostTable lists all hosts, the least done first.
func (b *board) hostTable(w int, ratio string) {
	columns := []struct{ name, unit, expr string }{
		{"Done", "percentunit", ratio},
		{"Download", "binBps", "sum " + perHost + " (" + sel(peer.MetricDownloadRate) + ")"},
		{"Upload", "binBps", "sum " + perHost + " (" + sel(peer.MetricUploadRate) + ")"},
		// 0 is a host that has no torrent yet.
		{"Last progress", "s", "time() - max " + perHost + " (" + sel(peer.MetricLastProgress) + " > 0)"},
	}
	var targets []Target
	var units []override
	rename := map[string]any{}
	for i, c := range columns {
		targets = append(targets, Target{Expr: c.expr, LegendFormat: c.name})
		rename["Value #"+string(rune('A'+i))] = c.name
		units = append(units, override{Matcher: matcher{ID: "byName", Options: c.name}, Properties: []property{{ID: "unit", Value: c.unit}}})
	}
	p := b.table(w, 2*graphHeight, "Hosts", "Each host: what it has, its rates now, and the time since its last verified piece.", "percentunit", targets,
		map[string]any{
			"excludeByName": map[string]any{"Time": true},
			"indexByName":   map[string]any{"node": 0, "instance": 1},
			"renameByName":  rename,
		}, "Done")
	p.FieldConfig.Overrides = append(p.FieldConfig.Overrides, units...)
}
