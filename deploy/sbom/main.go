package main

import (
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"runtime/debug"
	"strconv"
	"strings"
	"time"
)

func main() {
	if err := run(os.Args[1:], os.Stdout, os.Getenv("SOURCE_DATE_EPOCH")); err != nil {
		fmt.Fprintf(os.Stderr, "sbom: %v\n", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer, epoch string) error {
	if len(args) != 1 {
		return errors.New("usage: sbom BINARY")
	}
	f, err := os.Open(args[0])
	if err != nil {
		return err
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return err
	}
	info, err := buildinfo.Read(f)
	if err != nil {
		return fmt.Errorf("%s: %w", args[0], err)
	}
	b, err := describe(info, path.Base(args[0]), [sha256.Size]byte(sum.Sum(nil)), epoch)
	if err != nil {
		return err
	}
	enc := json.NewEncoder(out)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(b)
}

// describe makes the bill of a binary of a name and a SHA-256.
func describe(info *debug.BuildInfo, name string, sum [sha256.Size]byte, epoch string) (*bom, error) {
	b := &bom{Format: "CycloneDX", Spec: "1.6", Version: 1, Serial: serial(sum)}
	if epoch != "" {
		s, err := strconv.ParseInt(epoch, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("SOURCE_DATE_EPOCH: %w", err)
		}
		b.Metadata.Timestamp = time.Unix(s, 0).UTC().Format(time.RFC3339)
	}
	main := component{
		Type: "application", Name: name, Version: info.Main.Version, Ref: purl(&info.Main),
		Hashes: []hash{{"SHA-256", hex.EncodeToString(sum[:])}},
	}
	for _, s := range info.Settings {
		main.Properties = append(main.Properties, property{"go:build:" + s.Key, s.Value})
	}
	b.Metadata.Component = main
	std := debug.Module{Path: "stdlib", Version: strings.TrimPrefix(info.GoVersion, "go")}
	top := dependency{Ref: main.Ref}
	for _, m := range append([]*debug.Module{&std}, info.Deps...) {
		c := component{Type: "library", Name: m.Path, Version: m.Version, PURL: purl(m), Ref: purl(m)}
		if m.Replace != nil {
			c.Name, c.Version, c.PURL = m.Replace.Path, m.Replace.Version, purl(m.Replace)
			c.Properties = append(c.Properties, property{"go:module:replaces", m.Path + "@" + m.Version})
			m = m.Replace
		}
		if m.Sum != "" {
			c.Properties = append(c.Properties, property{"go:module:sum", m.Sum})
		}
		b.Components = append(b.Components, c)
		top.On = append(top.On, c.Ref)
	}
	b.Dependencies = []dependency{top}
	return b, nil
}

// purl is a module's package URL. The path keeps its slashes; of what else must be
// escaped a module's path and version can only have the plus sign of a version.
func purl(m *debug.Module) string {
	p := "pkg:golang/" + m.Path
	if m.Version != "" {
		p += "@" + strings.ReplaceAll(m.Version, "+", "%2B")
	}
	return p
}

// serial is a UUID of version 8 (RFC 9562) made from the binary's hash.
func serial(sum [sha256.Size]byte) string {
	u := sum[:16]
	u[6], u[8] = u[6]&0x0f|0x80, u[8]&0x3f|0x80
	return fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", u[:4], u[4:6], u[6:8], u[8:10], u[10:])
}
