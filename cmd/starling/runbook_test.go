package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

var (
	commandForm = regexp.MustCompile("(?:`|\n    )starling ([^`\n]+)")
	flagForm    = regexp.MustCompile("`(--[a-z][a-z0-9-]*)")
)

// TestRunbookCommands: what a runbook tells somebody to type at night is a command, with
// options that it has, and an option that it names by itself is one of some command.
func TestRunbookCommands(t *testing.T) {
	pages, err := filepath.Glob("../../docs/runbooks/*.md")
	if err != nil || len(pages) == 0 {
		t.Fatalf("no runbooks: %v", err)
	}
	root := newRoot(&app{getenv: func(string) string { return "" }})
	found := 0
	for _, page := range pages {
		raw, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		text := string(raw)
		for _, m := range commandForm.FindAllStringSubmatch(text, -1) {
			found++
			c, args, err := root.Find(strings.Fields(m[1]))
			if err != nil || !c.HasParent() {
				t.Errorf("%s: starling %s: no such command (%v)", page, m[1], err)
				continue
			}
			if err := c.ParseFlags(args); err != nil {
				t.Errorf("%s: starling %s: %v", page, m[1], err)
			} else if err := c.ValidateArgs(c.Flags().Args()); err != nil {
				t.Errorf("%s: starling %s: %v", page, m[1], err)
			}
		}
		for _, m := range flagForm.FindAllStringSubmatch(text, -1) {
			if !hasFlag(root, strings.TrimPrefix(m[1], "--")) {
				t.Errorf("%s names %s, which no command has", page, m[1])
			}
		}
	}
	if found < 10 {
		t.Errorf("%d commands in all runbooks", found)
	}
}

func hasFlag(c *cobra.Command, name string) bool {
	if c.Flags().Lookup(name) != nil || c.PersistentFlags().Lookup(name) != nil {
		return true
	}
	for _, sub := range c.Commands() {
		if hasFlag(sub, name) {
			return true
		}
	}
	return false
}
