package testutil

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// built is the folder of what Program has built, "" before.
var built string

// Program builds starling, once for all tests of a package, and returns its file. It is
// asked for from a module that requires starling, too.
var Program = sync.OnceValues(func() (file string, err error) {
	root, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "starling").Output()
	if err != nil {
		return "", fmt.Errorf("go list: %w", err)
	}
	if built, err = os.MkdirTemp("", "starling-test"); err != nil {
		return "", err
	}
	file = filepath.Join(built, "starling")
	build := exec.Command("go", "build", "-buildvcs=false", "-o", file, "./cmd/starling")
	build.Dir = strings.TrimSpace(string(root))
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "PWD="+build.Dir)
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return file, nil
})

// Main runs the tests and removes what Program has built. The result is for os.Exit.
func Main(m *testing.M) int {
	defer Remove()
	return m.Run()
}

// Remove removes what Program has built. Main does it; it is for a TestMain that starts
// the tests in another process.
func Remove() {
	if built != "" {
		_ = os.RemoveAll(built) // it is in the folder for temporary files
	}
}
