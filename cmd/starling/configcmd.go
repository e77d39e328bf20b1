package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"starling/cmd/starling/internal/config"
)

func newConfig(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Show, check or write an example of the configuration",
		Long: `A key of the configuration is a flag's name; a command's own flags are in a section
of its name. The same key as an environment variable is STARLING_KEY or
STARLING_SECTION_KEY, with '-' as '_' and lists separated by commas.

Precedence: flag, environment, file, default. The file is --config, $STARLING_CONFIG,
$XDG_CONFIG_HOME/starling/config.yaml or /etc/starling/config.yaml: the first that
there is. A key that nothing reads is an error. A running daemon reads it again on
SIGHUP.`,
	}
	return group(cmd,
		&cobra.Command{
			Use: "show", Short: "Print the configuration in force, as YAML", Args: args(0, 0, ""),
			RunE: func(*cobra.Command, []string) error {
				return a.result(asMap(*a.cfg), yamlOf(config.KeysOf(*a.cfg), nil))
			},
		},
		&cobra.Command{
			Use: "validate", Short: "Check the configuration", Args: args(0, 0, ""),
			RunE: func(*cobra.Command, []string) error {
				where := a.cfgFile
				if where == "" {
					where = "no file, defaults only"
				}
				return a.result(map[string]any{"valid": true, "file": a.cfgFile}, "ok ("+where+")\n")
			},
		},
		&cobra.Command{
			Use: "example", Short: "Print a configuration file with every key, its default and its meaning", Args: args(0, 0, ""),
			Annotations: map[string]string{noConfig: "true"},
			RunE: func(cmd *cobra.Command, _ []string) error {
				_, err := fmt.Fprint(a.stdout, yamlOf(config.Keys(), func(k config.Key) string { return meaning(cmd.Root(), k) }))
				return unwritten(err)
			},
		},
	)
}

// meaning is the help text of the flag that a key belongs to.
func meaning(root *cobra.Command, k config.Key) string {
	flags := root.PersistentFlags()
	if k.Section != "" {
		section, _, err := root.Find([]string{k.Section})
		if err != nil {
			return ""
		}
		flags = section.Flags()
	}
	if f := flags.Lookup(k.Name); f != nil {
		return strings.ReplaceAll(f.Usage, "`", "")
	}
	return ""
}

// yamlOf prints keys as a YAML file, each below its meaning.
func yamlOf(keys []config.Key, meaning func(config.Key) string) string {
	var b strings.Builder
	section := ""
	for _, k := range keys {
		indent := ""
		if k.Section != "" {
			indent = "  "
			if k.Section != section {
				fmt.Fprintf(&b, "%s:\n", k.Section)
				section = k.Section
			}
		}
		if meaning != nil {
			fmt.Fprintf(&b, "%s# %s\n", indent, meaning(k))
		}
		// JSON's scalars and lists are YAML's.
		value, err := json.Marshal(k.Default)
		if err != nil {
			panic(err) // a type of ours that cannot be printed
		}
		fmt.Fprintf(&b, "%s%s: %s\n", indent, k.Name, value)
	}
	return b.String()
}

// asMap is the configuration as nested maps, with the keys of a file.
func asMap(c config.Config) map[string]any {
	out := map[string]any{}
	for _, k := range config.KeysOf(c) {
		if k.Section == "" {
			out[k.Name] = k.Default
			continue
		}
		section, ok := out[k.Section].(map[string]any)
		if !ok {
			section = map[string]any{}
			out[k.Section] = section
		}
		section[k.Name] = k.Default
	}
	return out
}
