package metainfo

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// hostileNames is what no file may be called: one name in many disguises.
func hostileNames() []string {
	names := []string{
		"", ".", "..", "...", "....", ". ", ".. ", " ", "a.", "a..", "a ", "a. ", "a .",
		"/", "//", "/etc/passwd", "../a", "a/..", "a/../b", "a/b", "a/", "./a", "//server/share",
		`\`, `..\a`, `a\..\b`, `\\server\share`, `\\?\C:\a`, `\\.\NUL`, `C:\a`,
		"C:", "c:", "C:a", "z:.", "C:/a",
		strings.Repeat("a", 256), strings.Repeat("é", 128), strings.Repeat("..", 200),
		"a\xff", "\xc0\xae\xc0\xae", "\xc0\xaf", "\xed\xa0\x80", "a\xe2\x82",
		"a\u2028b", "a\u2029b",
	}
	for r := rune(0); r < 0xa0; r++ {
		if r < 0x20 || r >= 0x7f {
			names = append(names, "a"+string(r)+"b")
		}
	}
	for _, r := range []rune{0x61c, 0x200e, 0x200f, 0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2066, 0x2067, 0x2068, 0x2069} {
		names = append(names, "gpj"+string(r)+"exe", string(r))
	}
	devices := []string{"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", "COM\u00b9", "COM\u00b2", "LPT\u00b3"}
	for n := range 10 {
		devices = append(devices, fmt.Sprint("COM", n), fmt.Sprint("LPT", n))
	}
	for _, d := range devices {
		names = append(names, d, strings.ToLower(d), d+".txt", d+" .tar.gz", d+":stream", d+"..a")
	}
	return names
}

func TestHostileNames(t *testing.T) {
	names := hostileNames()
	for _, s := range names {
		err := CheckComponent(s)
		var typed *Error
		if !errors.As(err, &typed) {
			t.Errorf("%q: %v", s, err)
			continue
		}
		if msg := err.Error(); len(msg) > 500 || strings.ContainsFunc(msg, func(r rune) bool { return r < ' ' || breaksText(r) }) {
			t.Errorf("%q is no message", msg)
		}
		// The same name by the other entrances.
		if _, err := ParseInfo(encode(t, single(dict{"name": s}))); err == nil {
			t.Errorf("%q passes as a torrent's name", s)
		}
		if _, err := ParseInfo(encode(t, multi(file(1, "a"), file(81919, "d", s, "b")))); err == nil {
			t.Errorf("%q passes as a directory", s)
		}
		if _, err := ParseMagnet("magnet:?xt=urn:btih:" + strings.Repeat("1", 40) + "&dn=" + escape(s)); err == nil && s != "" {
			t.Errorf("%q passes in a magnet link", s)
		}
		if _, err := NewBuilder(s, []File{{Length: 1}}, 0); err == nil {
			t.Errorf("%q passes the builder", s)
		}
		if _, err := CleanPath("a/" + s); err == nil && !isClean(s) {
			t.Errorf("%q passes as part of a path", s)
		}
	}
	if len(names) < 250 {
		t.Errorf("only %d names", len(names))
	}
}

// isClean reports whether s is a path of several good components.
func isClean(s string) bool {
	return strings.Contains(s, "/") && !slices.ContainsFunc(strings.Split(s, "/"), func(c string) bool { return componentFault(c) != "" })
}

func TestGoodNames(t *testing.T) {
	for _, s := range []string{
		"a", "...a", ".hidden", "-rf", "~", "$(touch x)", "a b", " a", "a.b.c", "%2e%2e", "100%", "naïve", "文件", "👩\u200d💻",
		"CONSOLE", "com", "COM10", "COMA", "lpt", "nullable", "auxiliary.go", "icon", "sha256:ab", "12:30", "ab:c", "C",
		strings.Repeat("a", 255), "a*?<>|\"b", "_", "#", "é", "e\u0301",
	} {
		if err := CheckComponent(s); err != nil {
			t.Error(err)
		}
	}
}

func TestCleanPath(t *testing.T) {
	long := strings.Repeat("d", 240)
	for p, ok := range map[string]bool{
		"a": true, "a/b/c": true, "": false, "/a": false, "a/": false, "a//b": false, "a/./b": false, "a/../b": false,
		strings.Repeat("d/", 99) + "f":            true,
		strings.Repeat("d/", 100) + "f":           false,
		strings.Repeat(long+"/", 16) + long[:240]: true,
		strings.Repeat(long+"/", 17) + "f":        false,
	} {
		parts, err := CleanPath(p)
		if (err == nil) != ok || ok && strings.Join(parts, "/") != p {
			t.Errorf("%.40q: %q, %v", p, parts, err)
		}
	}
}

// CheckFiles agrees with comparing every path with every other.
func TestCheckFilesAgainstModel(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	names := []string{"a", "A", "b", "s", "\u017f", "k", "\u212a", "β", "Β", "ϐ"}
	verdicts := map[bool]int{}
	for range 20_000 {
		files := make([]File, 1+rng.IntN(5))
		for i := range files {
			f := &files[i]
			for range 1 + rng.IntN(3) {
				f.Path = append(f.Path, names[rng.IntN(len(names))])
			}
			f.Pad = rng.IntN(4) == 0
			f.Length = int64(rng.IntN(2))
		}
		err := CheckFiles("name", files)
		want := modelTree(files)
		if (err == nil) != want {
			t.Fatalf("%+v: %v", files, err)
		}
		verdicts[want]++
	}
	if verdicts[true] < 1000 || verdicts[false] < 1000 {
		t.Errorf("%v: the test has lost its balance", verdicts)
	}
}

func modelTree(files []File) bool {
	for i, f := range files {
		for j, g := range files {
			if i == j {
				continue
			}
			both := f.Pad && g.Pad && f.Length == g.Length
			if strings.EqualFold(joinPath("", f.Path), joinPath("", g.Path)) && !both {
				return false
			}
			for n := 1; n < len(g.Path); n++ {
				if strings.EqualFold(joinPath("", f.Path), joinPath("", g.Path[:n])) {
					return false
				}
			}
		}
	}
	return true
}

func TestCheckFilesNeedsPaths(t *testing.T) {
	if err := CheckFiles("name", []File{{Length: 1}, {Path: []string{"a"}}}); err == nil {
		t.Error("a file without a path among several passes")
	}
	if err := CheckFiles("name", []File{{Length: 1}}); err != nil {
		t.Error(err)
	}
}

func FuzzCleanPath(f *testing.F) {
	for _, s := range []string{"a/b", "../a", "/a", `a\b`, "C:/a", "nul.txt", "a/ /b", "a\u202eb", "%2e%2e/a", "a/\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, p string) {
		parts, err := CleanPath(p)
		if err != nil {
			return
		}
		if strings.Join(parts, "/") != p || path.Clean(p) != p || path.IsAbs(p) || !filepath.IsLocal(p) || len(p) > MaxPath {
			t.Errorf("%q passes as %q", p, parts)
		}
		for _, c := range parts {
			if err := CheckComponent(c); err != nil {
				t.Error(err)
			}
		}
	})
}
