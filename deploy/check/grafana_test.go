package check

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Grafana publishes the types of its dashboards, and TypeScript holds an object to them:
// a field that there is not, one that is missing, a value that none can have. The version
// is that of the compose file's Grafana.
var (
	grafanaTypes = npmPackage{"@grafana/schema", "12.0.0", "wUJ+QCR97In5B+7OOR7Ma2If/SkP8IBM/NTWFLMKJ9x7jJLDYeUaJYIh0lCQPE4RvtxbO6MbgXQcfsF7pl4Ogw=="}
	typescript   = npmPackage{"typescript", "5.9.3", "jl1vZzPDinLr9eUt3J/t7V6FgNEw9QjvBPdysz9KfQDD41fQrC2Y4vKQdiaUpFT4bXlb1RHhLpp8wtm6M5TgSw=="}
)

// panelTypes are Grafana's names for what a panel of a type may have of its own.
var panelTypes = map[string]string{
	"stat": "Stat", "bargauge": "BarGauge", "table": "Table", "timeseries": "TimeSeries", "heatmap": "Heatmap",
}

// Literal takes the values of an enumeration as JSON writes them.
const literal = `type Literal<T> =
	T extends string ? ` + "`${T}`" + ` :
	T extends number | boolean | null | undefined ? T :
	T extends Array<infer U> ? Array<Literal<U>> :
	unknown extends T ? T :
	T extends object ? { [K in keyof T]: Literal<T[K]> } : T;
`

// beyondTypes are fields that Grafana reads and its types leave out: the variables' own
// text of their query, the filters that are set, and the query of Prometheus' annotations.
var beyondTypes = map[string][]string{
	"templating":  {"definition", "filters"},
	"annotations": {"expr", "step", "titleFormat", "textFormat", "tagKeys"},
}

// TestGrafanaTypes holds every board to them.
func TestGrafanaTypes(t *testing.T) {
	dir := t.TempDir()
	unpackNPM(t, dir, grafanaTypes)
	unpackNPM(t, dir, typescript)
	files, err := filepath.Glob("../grafana/dashboards/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no boards: %v", err)
	}
	if image := project(t, nil).Services["grafana"].Image; !strings.HasSuffix(image, ":"+grafanaTypes.version) {
		t.Errorf("the compose file has %s, the types are of %s", image, grafanaTypes.version)
	}
	source := typeImports()
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		source += typed(t, b)
	}
	if out, err := compile(t, dir, source); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	// What is wrong is found.
	for _, wrong := range []string{
		`const a: Literal<Panel> = {"type": "stat", "titel": "x"};`,
		`const b: Literal<Dashboard> = {"schemaVersion": "39"};`,
		`const c: Literal<Stat.Options["colorMode"]> = "colour";`,
	} {
		if out, err := compile(t, dir, typeImports()+wrong); err == nil || !strings.Contains(string(out), "error TS") {
			t.Errorf("%s: %v\n%s", wrong, err, out)
		}
	}
}

func typeImports() string {
	const types = "./node_modules/@grafana/schema/dist/esm/raw/"
	s := "import type {Dashboard, Panel, RowPanel} from '" + types + "dashboard/x/dashboard_types.gen';\n"
	for kind, name := range panelTypes {
		s += fmt.Sprintf("import type * as %s from '%scomposable/%s/panelcfg/x/%sPanelCfg_types.gen';\n", name, types, kind, name)
	}
	return s + literal
}

// typed writes a board as constants of the types that its parts must have.
func typed(t *testing.T, board []byte) (source string) {
	t.Helper()
	var d map[string]any
	if err := json.Unmarshal(board, &d); err != nil {
		t.Fatal(err)
	}
	for part, fields := range beyondTypes {
		for _, e := range d[part].(map[string]any)["list"].([]any) {
			for _, f := range fields {
				delete(e.(map[string]any), f)
			}
		}
	}
	name := strings.ReplaceAll(d["uid"].(string), "-", "_")
	add := func(suffix string, kind string, v any) {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		source += fmt.Sprintf("export const %s%s: Literal<%s> = %s;\n", name, suffix, kind, b)
	}
	for i, raw := range d["panels"].([]any) {
		p := raw.(map[string]any)
		if p["type"] == "row" {
			add(fmt.Sprintf("_row%d", i), "RowPanel", p)
			continue
		}
		own := panelTypes[p["type"].(string)]
		if own == "" {
			t.Errorf("%s: a panel of the type %v", name, p["type"])
			continue
		}
		add(fmt.Sprintf("_options%d", i), own+".Options", p["options"])
		defaults := p["fieldConfig"].(map[string]any)["defaults"].(map[string]any)
		if custom := defaults["custom"]; custom != nil {
			add(fmt.Sprintf("_custom%d", i), own+".FieldConfig", custom)
		}
		delete(p, "options")
		delete(defaults, "custom")
		add(fmt.Sprintf("_panel%d", i), "Panel", p)
	}
	delete(d, "panels")
	add("", "Dashboard", d)
	return source
}

func compile(t *testing.T, dir, source string) ([]byte, error) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "boards.ts"), []byte(source), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program(t, "node"), "node_modules/typescript/bin/tsc",
		"--noEmit", "--strict", "--skipLibCheck", "--moduleResolution", "node", "--target", "es2022", "boards.ts")
	cmd.Dir = dir
	return cmd.CombinedOutput()
}
