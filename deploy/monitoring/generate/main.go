package main

import (
	"fmt"
	"os"
	"path/filepath"

	"starling/deploy/monitoring"
)

func main() {
	if err := write("deploy"); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

func write(root string) error {
	if _, err := os.Stat("go.mod"); err != nil {
		return fmt.Errorf("run it from the module's root: %w", err)
	}
	files, err := monitoring.Files()
	if err != nil {
		return err
	}
	for _, f := range files {
		path := filepath.Join(root, f.Path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, f.Data, 0o644); err != nil {
			return err
		}
	}
	return nil
}
