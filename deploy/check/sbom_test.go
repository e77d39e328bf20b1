package check

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"

	"github.com/CycloneDX/cyclonedx-go"
)

// TestBill reads the bill of materials of the program with the standard's own library,
// and compares it with what `go version -m` says is in it.
func TestBill(t *testing.T) {
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	run := func(args ...string) []byte {
		cmd := exec.Command("go", args...)
		cmd.Dir = "../.."
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("go %v: %v", args, err)
		}
		return out
	}
	var bom cyclonedx.BOM
	dec := cyclonedx.NewBOMDecoder(bytes.NewReader(run("run", "./deploy/sbom", path)), cyclonedx.BOMFileFormatJSON)
	if err := dec.Decode(&bom); err != nil {
		t.Fatal(err)
	}
	if bom.SpecVersion != cyclonedx.SpecVersion1_6 || bom.Components == nil {
		t.Fatalf("specification %v, components %v", bom.SpecVersion, bom.Components)
	}
	var want, got []string
	for _, line := range strings.Split(string(run("version", "-m", path)), "\n") {
		if f := strings.Fields(line); len(f) >= 3 && f[0] == "dep" {
			want = append(want, f[1]+" "+f[2])
		}
	}
	for _, c := range *bom.Components {
		if c.Type != cyclonedx.ComponentTypeLibrary || c.PackageURL == "" {
			t.Errorf("component %+v", c)
		}
		if c.Name != "stdlib" {
			got = append(got, c.Name+" "+c.Version)
		}
	}
	if len(want) < 5 || strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("modules\n%s, want\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
