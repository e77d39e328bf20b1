//go:build linux

package e2e

import (
	"flag"
	"fmt"
	"os"
	"testing"

	"starling/internal/testutil"
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
	var err error
	if starlingBinary, err = testutil.Program(); err != nil {
		testutil.Remove()
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return testutil.Main(m)
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
