package main

import (
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"

	"github.com/spf13/cobra"
)

// buildInfo says what this binary was made of.
type buildInfo struct {
	Version  string `json:"version"`
	Revision string `json:"revision"` // "unknown" without version control
	Time     string `json:"time,omitempty"`
	Modified bool   `json:"modified"` // the working tree had changes
	Go       string `json:"go"`
	Platform string `json:"platform"`
	// Settings are the build's, such as CGO_ENABLED and -trimpath, by name.
	Settings map[string]string `json:"settings,omitempty"`
	// Modules are what it is made of, in the order of their paths.
	Modules []module `json:"modules,omitempty"`
}

// module is a module that is linked in. Sum is the hash of its content, as in go.sum.
type module struct {
	Path     string `json:"path"`
	Version  string `json:"version"`
	Sum      string `json:"sum,omitempty"`
	Replaced string `json:"replaced_by,omitempty"`
}

// build reads the build information that the go command left in the binary.
var build = sync.OnceValue(func() buildInfo {
	b := buildInfo{Version: "devel", Revision: "unknown", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		b.Version = v
	}
	b.Settings = map[string]string{}
	for _, s := range info.Settings {
		if !strings.HasPrefix(s.Key, "vcs") {
			b.Settings[s.Key] = s.Value
		}
		switch s.Key {
		case "vcs.revision":
			b.Revision = s.Value
		case "vcs.time":
			b.Time = s.Value
		case "vcs.modified":
			b.Modified = s.Value == "true"
		}
	}
	for _, d := range info.Deps {
		m := module{Path: d.Path, Version: d.Version, Sum: d.Sum}
		if r := d.Replace; r != nil {
			m.Replaced, m.Sum = strings.TrimSpace(r.Path+" "+r.Version), r.Sum
		}
		b.Modules = append(b.Modules, m)
	}
	return b
})

func newVersion(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version and what the binary was made of",
		Long: `Print the version, the commit, whether the working tree had changes, the Go version and
the platform. With --json also the build's settings and the modules in the binary, with
their sums as in go.sum.`,
		Args:        args(0, 0, ""),
		Annotations: map[string]string{noConfig: "true"},
		RunE: func(cmd *cobra.Command, _ []string) error {
			b := build()
			if asJSON, _ := cmd.Flags().GetBool("json"); asJSON {
				return unwritten(json.NewEncoder(a.stdout).Encode(b))
			}
			dirty := ""
			if b.Modified {
				dirty = ", modified"
			}
			_, err := fmt.Fprintf(a.stdout, "starling %s (%s%s, %s, %s)\n", b.Version, b.Revision, dirty, b.Go, b.Platform)
			return unwritten(err)
		},
	}
}
