package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"starling/cmd/starling/internal/config"
	"starling/cmd/starling/internal/manpage"
)

func newDocs(a *app) *cobra.Command {
	return group(&cobra.Command{Use: "docs", Short: "Write the manual pages"}, &cobra.Command{
		Use:   "man DIR",
		Short: "Write a manual page of each command into a directory",
		Long: `Write a manual page of each command into DIR, which is made if it is not there. To read
one of them:

    man ./starling-leech.1

Their date is that of SOURCE_DATE_EPOCH, else of the commit that the binary was made of:
the same binary writes the same bytes.`,
		Args:        args(1, 1, "DIR"),
		Annotations: map[string]string{noConfig: "true"},
		RunE:        func(cmd *cobra.Command, args []string) error { return a.man(cmd, args[0]) },
	})
}

func (a *app) man(cmd *cobra.Command, dir string) error {
	date, err := a.pageDate()
	if err != nil {
		return usage(cmd.CommandPath(), "%w", err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fail("write "+dir, bare(err))
	}
	var written []string
	for _, p := range manpage.Pages(cmd.Root(), manOptions(date)) {
		path := filepath.Join(dir, p.Name)
		if err := os.WriteFile(path, p.Text, 0o644); err != nil {
			return fail("write "+path, bare(err))
		}
		written = append(written, path)
	}
	if asJSON, _ := cmd.Flags().GetBool("json"); asJSON {
		return unwritten(json.NewEncoder(a.stdout).Encode(map[string]any{"pages": written}))
	}
	_, err = fmt.Fprintln(a.stdout, strings.Join(written, "\n"))
	return unwritten(err)
}

// pageDate is the date of a reproducible build, else of the commit; zero if neither
// is known.
func (a *app) pageDate() (time.Time, error) {
	if epoch, err := a.sourceDate(); err != nil || epoch > 0 {
		return time.Unix(epoch, 0), err
	}
	if t, err := time.Parse(time.RFC3339, build().Time); err == nil {
		return t, nil
	}
	return time.Time{}, nil
}

func manOptions(date time.Time) manpage.Options {
	keys := config.Keys()
	return manpage.Options{
		Source: "starling " + build().Version, Date: date, ExitCodes: exitMeanings,
		Env: func(cmd *cobra.Command, f *pflag.Flag) string {
			if f.Name == "config" {
				return "STARLING_CONFIG" // no key: it says where the keys are
			}
			section := cmd.Name()
			if cmd.InheritedFlags().Lookup(f.Name) != nil || !cmd.HasParent() {
				section = ""
			}
			for _, k := range keys {
				if k.Section == section && k.Name == f.Name {
					return k.Env()
				}
			}
			return ""
		},
		Files: []manpage.File{
			{Path: "$XDG_CONFIG_HOME/starling/config.yaml", For: "The configuration of a user, if neither --config nor STARLING_CONFIG names one; ~/.config where XDG_CONFIG_HOME is not set."},
			{Path: "/etc/starling/config.yaml", For: "The configuration of the host, where the user has none."},
		},
	}
}
