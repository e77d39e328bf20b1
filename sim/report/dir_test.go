package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"starling/sim/fleet"
)

func readCSV(t *testing.T, path string) (head []string, lines [][]string) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return all[0], all[1:]
}

func written(t *testing.T, r *fleet.Result) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "new", "folder")
	if err := WriteDir(dir, r); err != nil {
		t.Fatal(err)
	}
	return dir
}

// sum adds up a column.
func sum(t *testing.T, head []string, lines [][]string, column string) (total float64, empty int) {
	t.Helper()
	c := slices.Index(head, column)
	for _, line := range lines {
		if line[c] == "" {
			empty++
			continue
		}
		v, err := strconv.ParseFloat(line[c], 64)
		if err != nil {
			t.Fatal(err)
		}
		total += v
	}
	return total, empty
}

func near(a, b float64) bool { return a-b < 1e-6*max(a, b, 1) && b-a < 1e-6*max(a, b, 1) }

func TestTablesHoldTheResult(t *testing.T) {
	r := broken().result()
	r.Hosts[1].Name = `quote " comma, line` + "\n" + `end`
	dir := written(t, r)

	head, lines := readCSV(t, filepath.Join(dir, "hosts.csv"))
	if len(lines) != len(r.Hosts) || lines[1][0] != r.Hosts[1].Name {
		t.Fatalf("%d hosts, the second is %q", len(lines), lines[1][0])
	}
	var sent, done float64
	never := 0
	for i := range r.Hosts {
		sent += float64(r.Hosts[i].Sent)
		if r.Hosts[i].Done < 0 {
			never++
		} else {
			done += seconds(r.Hosts[i].Done)
		}
	}
	if got, _ := sum(t, head, lines, "bytes_sent"); got != sent {
		t.Errorf("hosts sent %v, not %v", got, sent)
	}
	if got, empty := sum(t, head, lines, "done_s"); !near(got, done) || empty != never || never != 4 {
		t.Errorf("done adds up to %v and %d never, not %v and %d", got, empty, done, never)
	}

	head, lines = readCSV(t, filepath.Join(dir, "samples.csv"))
	last := r.Samples[len(r.Samples)-1]
	if got := lines[len(lines)-1][slices.Index(head, "bytes_sent")]; len(lines) != len(r.Samples) || got != strconv.FormatInt(last.UpBytes, 10) {
		t.Errorf("%d samples, the last with %s bytes", len(lines), got)
	}

	head, lines = readCSV(t, filepath.Join(dir, "availability.csv"))
	if first := lines[0]; len(lines) != 128*len(r.Samples) || first[1] != "0" || first[2] != "3" || lines[127][2] != "511" {
		t.Errorf("%d lines of availability, from %v to %v", len(lines), first, lines[127])
	}
	var copies float64
	for _, s := range r.Samples {
		for _, c := range s.Copies {
			copies += float64(c)
		}
	}
	if got, _ := sum(t, head, lines, "copies"); !near(got, copies) {
		t.Errorf("copies add up to %v, not %v", got, copies)
	}

	head, lines = readCSV(t, filepath.Join(dir, "unchokes.csv"))
	var open, served float64
	for i := range r.Unchoked {
		for j := range r.Unchoked[i] {
			open += seconds(r.Unchoked[i][j])
			served += float64(r.Served[i][j])
		}
	}
	gotOpen, _ := sum(t, head, lines, "unchoked_s")
	if gotServed, _ := sum(t, head, lines, "bytes_sent"); !near(gotOpen, open) || gotServed != served {
		t.Errorf("unchoked for %v, served %v; want %v, %v", gotOpen, gotServed, open, served)
	}
}

func TestJSONHoldsTheResult(t *testing.T) {
	r := broken().result()
	r.Replies = []fleet.Reply{{At: 1e9, From: "a", To: "b", Type: "PONG", Data: "<&>"}}
	raw, err := os.ReadFile(filepath.Join(written(t, r), "result.json"))
	if err != nil {
		t.Fatal(err)
	}
	var doc fullDocument
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&doc); err != nil {
		t.Fatal(err)
	}
	if len(doc.Hosts) != len(r.Hosts) || len(doc.Samples) != len(r.Samples) || len(doc.Unchoked) != 64 || len(doc.Served) != 64 {
		t.Errorf("%d hosts, %d samples, %d, %d", len(doc.Hosts), len(doc.Samples), len(doc.Unchoked), len(doc.Served))
	}
	if doc.All.Last != nil || doc.All.Completed != r.All.Completed || *doc.All.P99 != r.All.P99.Seconds() || *doc.Groups[1].Last != r.Groups[1].Last.Seconds() {
		t.Errorf("groups: %+v", doc.All)
	}
	if h := doc.Hosts[len(doc.Hosts)-1]; h.Done != nil || h.Took != nil || *h.Arrived != r.Hosts[len(r.Hosts)-1].Arrived.Seconds() {
		t.Errorf("a host that never completed: %+v", h)
	}
	if doc.Violations[0].Detail != r.Violations[0].Detail || doc.Replies[0].Data != "<&>" || doc.Messages["PIEC"] != 51200 {
		t.Errorf("violations, replies or messages: %+v", doc.document)
	}
}

func TestWriteJSONGolden(t *testing.T) {
	var b bytes.Buffer
	if err := WriteJSON(&b, mixed().result()); err != nil {
		t.Fatal(err)
	}
	if strings.Count(b.String(), "\n") != 1 {
		t.Error("not one line")
	}
	golden(t, "mixed.json", b.Bytes())
}

func TestWriteDirReplacesItsOwnFilesOnly(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"notes.txt": "mine", "report.html": "old"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r := crowd().result()
	if err := WriteDir(dir, r); err != nil {
		t.Fatal(err)
	}
	r.Served, r.Unchoked = nil, nil
	if err := WriteDir(dir, r); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	want := []string{"availability.csv", "hosts.csv", "notes.txt", "report.html", "result.json", "samples.csv"}
	if !slices.Equal(names, want) {
		t.Errorf("there are %v, not %v: unchokes.csv of the first run is not the second's", names, want)
	}
	mine, _ := os.ReadFile(filepath.Join(dir, "notes.txt"))
	page, _ := os.ReadFile(filepath.Join(dir, "report.html"))
	if string(mine) != "mine" || !bytes.HasPrefix(page, []byte("<!DOCTYPE html>")) {
		t.Errorf("notes.txt is %q, report.html begins %.20q", mine, page)
	}
}

func TestWriteDirErrors(t *testing.T) {
	dir := t.TempDir()
	blocked := filepath.Join(dir, "file")
	if err := os.WriteFile(blocked, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	r := crowd().result()
	if err := WriteDir(filepath.Join(blocked, "sub"), r); err == nil || !strings.HasPrefix(err.Error(), "report: mkdir ") {
		t.Errorf("below a file: %v", err)
	}
	if err := os.Mkdir(filepath.Join(dir, "samples.csv"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := WriteDir(dir, r); err == nil || !strings.HasPrefix(err.Error(), "report: samples.csv: ") {
		t.Errorf("a folder in the way: %v", err)
	}
}

// Equal results give equal bytes, whatever the order of a map.
func TestEqualResultsEqualBytes(t *testing.T) {
	a, b := written(t, mixed().result()), written(t, mixed().result())
	entries, err := os.ReadDir(a)
	if err != nil || len(entries) != 6 {
		t.Fatal(entries, err)
	}
	for _, e := range entries {
		x, errX := os.ReadFile(filepath.Join(a, e.Name()))
		y, errY := os.ReadFile(filepath.Join(b, e.Name()))
		if errX != nil || errY != nil || !bytes.Equal(x, y) {
			t.Errorf("%s differs (%v, %v)", e.Name(), errX, errY)
		}
	}
}

// Whatever is missing from a Result, there is a report of it.
func TestPoorResults(t *testing.T) {
	poor := map[string]func(r *fleet.Result){
		"empty":      func(r *fleet.Result) { *r = fleet.Result{} },
		"no hosts":   func(r *fleet.Result) { r.Hosts = nil },
		"no samples": func(r *fleet.Result) { r.Samples = nil },
		"one sample": func(r *fleet.Result) { r.Samples = r.Samples[:1] },
		"no groups":  func(r *fleet.Result) { r.Groups = nil },
		"no pieces":  func(r *fleet.Result) { r.Pieces, r.Size = 0, 0 },
		"no copies": func(r *fleet.Result) {
			for i := range r.Samples {
				r.Samples[i].Copies = nil
			}
		},
		"nobody": func(r *fleet.Result) {
			for i := range r.Hosts {
				r.Hosts[i].Done = -1
			}
			r.All = fleet.GroupResult{Name: "all", Hosts: 88, P50: -1, P90: -1, P99: -1, P999: -1, Last: -1}
		},
		"ragged": func(r *fleet.Result) { r.Served[3], r.Unchoked = nil, r.Unchoked[:2] },
	}
	for name, spoil := range poor {
		t.Run(name, func(t *testing.T) {
			r := mixed().result()
			spoil(r)
			dir := written(t, r)
			page, err := os.ReadFile(filepath.Join(dir, "report.html"))
			if err != nil || bytes.Contains(page, []byte("NaN")) || bytes.Contains(page, []byte("Inf")) || !bytes.Contains(page, []byte("</html>")) {
				t.Errorf("report.html: %v, or a number that is none", err)
			}
			var b bytes.Buffer
			if err := Text(&b, r, 80); err != nil || strings.Contains(b.String(), "NaN") || b.Len() == 0 {
				t.Errorf("%v\n%s", err, b.String())
			}
			if err := WriteCompareDir(t.TempDir(), []Labelled{{"a", r}, {"b", mixed().result()}}); err != nil {
				t.Error(err)
			}
		})
	}
}
