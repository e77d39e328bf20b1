package scenario

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

//go:embed presets/*.star bars/*.star
var scripts embed.FS

// Built is a script that comes with the program.
type Built struct {
	Name  string // "flash-crowd", "bars/kraken"
	About string
	// Bar: it is one of the measures of how good the swarm is, not a preset.
	Bar bool
}

// Presets lists the scripts that come with the program: the presets, then the
// bars, each by name.
func Presets() []Built {
	var out []Built
	for _, dir := range []string{"presets", "bars"} {
		files, err := fs.Glob(scripts, dir+"/*.star")
		if err != nil {
			panic(err) // of a constant pattern
		}
		for _, file := range files {
			src, err := scripts.ReadFile(file)
			if err != nil {
				panic(err) // it is embedded
			}
			b := Built{Name: strings.TrimSuffix(path.Base(file), ".star"), About: about(src), Bar: dir == "bars"}
			if b.Bar {
				b.Name = "bars/" + b.Name
			}
			out = append(out, b)
		}
	}
	return out
}

// Preset returns the script that comes with the program under a name.
func Preset(name string) ([]byte, error) {
	file := name
	if !strings.HasPrefix(name, "bars/") {
		file = "presets/" + name
	}
	src, err := scripts.ReadFile(file + ".star")
	if err != nil {
		var names []string
		for _, b := range Presets() {
			names = append(names, b.Name)
		}
		return nil, fmt.Errorf("there is no preset %q; there are %s", name, strings.Join(names, ", "))
	}
	return src, nil
}
