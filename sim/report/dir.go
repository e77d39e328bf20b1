package report

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"starling/sim/fleet"
)

// file is one that WriteDir or WriteCompareDir makes.
type file struct {
	name string
	fill func(io.Writer) error
}

// WriteDir writes hosts.csv, samples.csv, availability.csv, unchokes.csv (if
// the run kept who unchoked whom), result.json and report.html into dir, which
// it makes if need be. It replaces files of these names and touches no other.
func WriteDir(dir string, r *fleet.Result) error {
	files := []file{
		{"hosts.csv", func(w io.Writer) error { return hostsCSV(w, r) }},
		{"samples.csv", func(w io.Writer) error { return samplesCSV(w, r) }},
		{"availability.csv", func(w io.Writer) error { return availabilityCSV(w, r) }},
		{"unchokes.csv", func(w io.Writer) error { return unchokesCSV(w, r) }},
		{"result.json", func(w io.Writer) error { return encode(w, " ", newFullDocument(r)) }},
		{"report.html", func(w io.Writer) error { return page(w, r) }},
	}
	if matrixSize(r) == 0 {
		// Not the one of an earlier run, which would be taken for this one's.
		files[3].fill = nil
	}
	return writeFiles(dir, files)
}

// writeFiles writes files into dir and removes those without content.
func writeFiles(dir string, files []file) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	for _, f := range files {
		path := filepath.Join(dir, f.name)
		if f.fill == nil {
			if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
				return fmt.Errorf("report: %w", err)
			}
			continue
		}
		if err := writeFile(path, f.fill); err != nil {
			return fmt.Errorf("report: %s: %w", f.name, err)
		}
	}
	return nil
}

func writeFile(path string, fill func(io.Writer) error) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() {
		if e := f.Close(); err == nil {
			err = e
		}
	}()
	b := bufio.NewWriter(f)
	if err := fill(b); err != nil {
		return err
	}
	return b.Flush()
}
