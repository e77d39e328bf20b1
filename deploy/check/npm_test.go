package check

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"
)

// npmPackage is a package of the npm registry, which is fetched and not committed.
type npmPackage struct{ name, version, sum string }

// unpackNPM fetches a package and puts it where node looks for it from dir.
func unpackNPM(t *testing.T, dir string, p npmPackage) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program(t, "npm"), "pack", "--silent", "--pack-destination", dir, p.name+"@"+p.version)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("npm pack %s@%s: %v\n%s", p.name, p.version, err, out)
	}
	file := strings.ReplaceAll(strings.TrimPrefix(p.name, "@"), "/", "-") + "-" + p.version + ".tgz"
	b, err := os.ReadFile(filepath.Join(dir, file))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha512.Sum512(b)
	if got := base64.StdEncoding.EncodeToString(sum[:]); got != p.sum {
		t.Fatalf("%s has the checksum %s", file, got)
	}
	if err := untar(b, filepath.Join(dir, "node_modules", p.name)); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

// untar writes the files of an npm archive, which are all below package/.
func untar(archive []byte, dir string) error {
	z, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		name, ok := strings.CutPrefix(h.Name, "package/")
		if !ok || h.Typeflag != tar.TypeReg {
			continue
		}
		if err := root.MkdirAll(path.Dir(name), 0o755); err != nil {
			return err
		}
		content, err := io.ReadAll(r)
		if err != nil {
			return err
		}
		if err := root.WriteFile(name, content, 0o644); err != nil {
			return err
		}
	}
}

// program finds one of Debian's packages npm and nodejs.
func program(t *testing.T, name string) string {
	t.Helper()
	p, err := exec.LookPath(name)
	if err != nil && os.Getenv("CI") != "" {
		t.Fatalf("%v: install the package npm", err)
	}
	if err != nil {
		t.Skipf("%v: install the package npm", err)
	}
	return p
}
