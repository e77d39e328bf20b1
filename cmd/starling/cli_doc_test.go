package main

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// TestCLIDoc holds docs/cli.md to the commands: its table has each of them with all its
// options and their defaults, and an option that the page names is one of some command.
func TestCLIDoc(t *testing.T) {
	raw, err := os.ReadFile("../../docs/cli.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(raw)
	root := newRoot(&app{getenv: func(string) string { return "" }})
	known := map[string]bool{"--help": true}
	row := func(name string, flags *pflag.FlagSet) {
		var cells []string
		flags.VisitAll(func(f *pflag.Flag) {
			known["--"+f.Name] = true
			if f.Name != "help" && !f.Hidden {
				cells = append(cells, "`"+flagText(f)+"`")
			}
		})
		if line := "| " + name + " | " + strings.Join(cells, ", ") + " |"; len(cells) > 0 && !strings.Contains(page, "\n"+line+"\n") {
			t.Errorf("docs/cli.md does not have the line\n%s", line)
		}
	}
	row("every command", root.PersistentFlags())
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		if name := strings.TrimPrefix(c.CommandPath(), "starling "); c.HasParent() {
			if !c.HasSubCommands() && !strings.Contains(page, "`"+name+"`") {
				t.Errorf("docs/cli.md does not name the command %s", name)
			}
			row("`"+name+"`", c.LocalFlags())
		}
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(root)
	for _, name := range regexp.MustCompile(`--[a-z][a-z0-9-]*`).FindAllString(page, -1) {
		if !known[name] {
			t.Errorf("docs/cli.md names %s, which no command has", name)
		}
	}
}

// flagText is an option with its short form and what it is if nobody says, unless that
// is nothing.
func flagText(f *pflag.Flag) string {
	text := "--" + f.Name
	if f.Shorthand != "" {
		text = "-" + f.Shorthand + "/" + text
	}
	switch f.DefValue {
	case "", "[]", "false", "0", "0s":
		return text
	}
	return text + " " + f.DefValue
}
