package deploy

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"starling/internal/testutil"
)

// need skips a test whose program is missing, with the Debian package that has it; under
// CI, which installs that, it fails.
func need(t *testing.T, program, pkg string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	switch {
	case err == nil:
	case os.Getenv("CI") != "":
		t.Fatalf("%v: package %s is missing", err, pkg)
	default:
		t.Skipf("%v: install the package %s", err, pkg)
	}
	return path
}

// run runs a program, fails if that does, and returns what it printed.
func run(t *testing.T, program string, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), program, args...).CombinedOutput()
	if err != nil {
		t.Errorf("%s %s: %v\n%s", program, strings.Join(args, " "), err, out)
	}
	return string(out)
}

func build(t *testing.T) string {
	t.Helper()
	path, err := testutil.Program()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func TestMain(m *testing.M) { os.Exit(testutil.Main(m)) }

func write(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
