//go:build linux

package e2e

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// starlingBinary is the starling that the trials run.
var starlingBinary string

// full says that the trials run with the counts of the acceptance list.
var full = os.Getenv("STARLING_TRIALS") == "full"

func TestMain(m *testing.M) {
	flag.Parse()
	// Most trials wait more than they compute, so that more of them run at a
	// time than there are processors, unless the caller says otherwise.
	parallel := "8"
	flag.Visit(func(f *flag.Flag) {
		if f.Name == "test.parallel" {
			parallel = f.Value.String()
		}
	})
	if err := flag.Set("test.parallel", parallel); err != nil {
		panic(err)
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "starling-e2e")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	starlingBinary = filepath.Join(dir, "starling")
	build := exec.Command("go", "build", "-buildvcs=false", "-o", starlingBinary, "starling/cmd/starling")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// long skips a trial that takes more than some seconds where time is short.
func long(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("takes too long for -short")
	}
}

// choose returns the size or count of the normal or of the full form.
func choose[T any](normal, whole T) T {
	if full {
		return whole
	}
	return normal
}
