package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// flagValues are the values of options that have a few; what an option is by default is
// one, too.
var flagValues = map[string][]string{
	"by":         {"host"},
	"choke":      {"tit-for-tat", "cooperative"},
	"encryption": {"accept", "off", "prefer", "require"},
	"format":     {"v1", "v2", "hybrid"},
	"log-format": {"auto", "text", "json"},
	"log-level":  {"debug", "info", "warn", "error"},
	"network":    {"sim", "tcp"},
	"piece-size": {"auto", "256KiB", "512KiB", "1MiB", "2MiB", "4MiB", "8MiB", "16MiB"},
	"progress":   {"auto", "bar", "plain", "json", "none"},
	"seed-for":   {"auto"},
	"view":       {"on", "off"},
}

// completeValues teaches a command, and all below it, how its options and arguments go
// on: by what the help calls them.
func completeValues(cmd *cobra.Command) {
	complete := func(f *pflag.Flag) {
		arg, _ := pflag.UnquoteUsage(f)
		var how func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective)
		values := flagValues[f.Name]
		if values != nil && f.DefValue != "" && !slices.Contains(values, f.DefValue) {
			values = append([]string{f.DefValue}, values...)
		}
		switch {
		case values != nil:
			how = cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)
		case arg == "DIR":
			how = cobra.FixedCompletions(nil, cobra.ShellCompDirectiveFilterDirs)
		case arg == "FILE" && f.Name == "config":
			how = cobra.FixedCompletions([]string{"yaml", "yml"}, cobra.ShellCompDirectiveFilterFileExt)
		case arg == "FILE", arg == "PATH", arg == "CMD":
			return // files of any name, as a shell does by itself
		default:
			how = cobra.NoFileCompletions
		}
		// The only error is that the option has a completion already.
		_ = cmd.RegisterFlagCompletionFunc(f.Name, how)
	}
	cmd.LocalNonPersistentFlags().VisitAll(complete)
	cmd.PersistentFlags().VisitAll(complete)
	if cmd.ValidArgsFunction == nil && len(cmd.ValidArgs) == 0 && !cmd.HasSubCommands() {
		_, rest, _ := strings.Cut(cmd.Use, " ")
		switch {
		case strings.HasPrefix(rest, "REF") && !strings.Contains(rest, "PATH"):
			cmd.ValidArgsFunction = torrentFirst
		case rest == "":
			cmd.ValidArgsFunction = cobra.NoFileCompletions
		case rest == "DIR":
			cmd.ValidArgsFunction = cobra.FixedCompletions(nil, cobra.ShellCompDirectiveFilterDirs)
		}
	}
	for _, sub := range cmd.Commands() {
		completeValues(sub)
	}
}

// torrentFirst completes a REF with .torrent files and what follows it with any.
func torrentFirst(_ *cobra.Command, before []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(before) == 0 {
		return []string{"torrent"}, cobra.ShellCompDirectiveFilterFileExt
	}
	return nil, cobra.ShellCompDirectiveDefault
}
