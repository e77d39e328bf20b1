package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"runtime/debug"
	"strings"
	"testing"
)

// TestOwnBinary describes the test's own binary, which the go command has stamped
// as any other.
func TestOwnBinary(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var first, second bytes.Buffer
	for _, out := range []*bytes.Buffer{&first, &second} {
		if err := run([]string{self}, out, "1700000000"); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("two runs differ")
	}
	var b bom
	dec := json.NewDecoder(&first)
	dec.DisallowUnknownFields()
	if err := dec.Decode(&b); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(raw)
	if got := b.Metadata.Component.Hashes; len(got) != 1 || got[0].Content != hex.EncodeToString(sum[:]) {
		t.Errorf("hashes %v, want %x", got, sum)
	}
	if b.Metadata.Timestamp != "2023-11-14T22:13:20Z" {
		t.Errorf("timestamp %q", b.Metadata.Timestamp)
	}
	if len(b.Components) == 0 || b.Components[0].Name != "stdlib" {
		t.Errorf("components %v, want the standard library first", b.Components)
	}
}

func TestModules(t *testing.T) {
	info := &debug.BuildInfo{
		GoVersion: "go1.26.8", Main: debug.Module{Path: "starling", Version: "v1.2.3+dirty"},
		Settings: []debug.BuildSetting{{Key: "CGO_ENABLED", Value: "0"}},
		Deps: []*debug.Module{
			{Path: "example.org/a", Version: "v1.0.0", Sum: "h1:abc="},
			{Path: "example.org/b", Version: "v2.0.0", Replace: &debug.Module{Path: "example.org/c", Version: "v3.0.0", Sum: "h1:def="}},
		},
	}
	b, err := describe(info, "starling", [32]byte{0xff, 6: 0xff, 8: 0xff}, "")
	if err != nil {
		t.Fatal(err)
	}
	if want := "urn:uuid:ff000000-0000-8f00-bf00-000000000000"; b.Serial != want {
		t.Errorf("serial %s, want %s", b.Serial, want)
	}
	if b.Metadata.Timestamp != "" {
		t.Errorf("a time without an epoch: %s", b.Metadata.Timestamp)
	}
	if want := "pkg:golang/starling@v1.2.3%2Bdirty"; b.Metadata.Component.Ref != want {
		t.Errorf("ref %s, want %s", b.Metadata.Component.Ref, want)
	}
	var got []string
	for _, c := range b.Components {
		got = append(got, c.Name+" "+c.PURL)
	}
	want := "stdlib pkg:golang/stdlib@1.26.8, example.org/a pkg:golang/example.org/a@v1.0.0, example.org/c pkg:golang/example.org/c@v3.0.0"
	if s := strings.Join(got, ", "); s != want {
		t.Errorf("components\n%s, want\n%s", s, want)
	}
	if on := b.Dependencies[0].On; len(on) != 3 || on[2] != "pkg:golang/example.org/b@v2.0.0" {
		t.Errorf("dependencies %v", on)
	}
	if p := b.Components[2].Properties; len(p) != 2 || p[0].Value != "example.org/b@v2.0.0" || p[1].Value != "h1:def=" {
		t.Errorf("properties of what is replaced: %v", p)
	}
}

func TestErrors(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args  []string
		epoch string
		want  string
	}{
		{nil, "", "usage"},
		{[]string{"main_test.go"}, "", "main_test.go"},
		{[]string{"none"}, "", "none"},
		{[]string{self}, "yesterday", "SOURCE_DATE_EPOCH"},
	} {
		var out bytes.Buffer
		if err := run(c.args, &out, c.epoch); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, epoch %q: %v, want it to name %q", c.args, c.epoch, err, c.want)
		}
		if out.Len() != 0 {
			t.Errorf("%v: printed in spite of the error", c.args)
		}
	}
}
