package main

import (
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"
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
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Revision = s.Value
		case "vcs.time":
			b.Time = s.Value
		case "vcs.modified":
			b.Modified = s.Value == "true"
		}
	}
	return b
})

func newVersion(a *app) *cobra.Command {
	return &cobra.Command{
		Use:         "version",
		Short:       "Print the version",
		Args:        args(0, 0, ""),
		Annotations: map[string]string{noConfig: "true"},
		RunE: func(cmd *cobra.Command, _ []string) error {
			b := build()
			if asJSON, _ := cmd.Flags().GetBool("json"); asJSON {
				return json.NewEncoder(a.stdout).Encode(b)
			}
			dirty := ""
			if b.Modified {
				dirty = ", modified"
			}
			_, err := fmt.Fprintf(a.stdout, "starling %s (%s%s, %s, %s)\n", b.Version, b.Revision, dirty, b.Go, b.Platform)
			return err
		},
	}
}
