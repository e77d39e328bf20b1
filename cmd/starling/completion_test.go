package main

import (
	"os"
	"testing"

	"github.com/spf13/cobra"

	"starling/cmd/starling/internal/config"
)

// What completion offers for an option is what the option takes, and an option of a
// few values that it knows is one of some command.
func TestFlagValues(t *testing.T) {
	root := newRoot(&app{getenv: os.Getenv})
	used := map[string]bool{}
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		for name := range flagValues {
			used[name] = used[name] || c.Flags().Lookup(name) != nil || c.PersistentFlags().Lookup(name) != nil
		}
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(root)
	for name := range flagValues {
		if !used[name] {
			t.Errorf("no command has --%s", name)
		}
	}
	tried := 0
	for _, k := range config.Keys() {
		for _, value := range flagValues[k.Name] {
			t.Run(k.Env()+"="+value, func(t *testing.T) {
				t.Setenv(k.Env(), value)
				if _, _, err := config.Load(config.Source{Getenv: os.Getenv}); err != nil {
					t.Error(err)
				}
			})
			tried++
		}
	}
	if tried < 20 {
		t.Errorf("only %d values were tried", tried)
	}
}
