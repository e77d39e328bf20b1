package config

import (
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Variables that nothing reads, and what each was probably meant to be for the command
// that runs.
func TestStrangers(t *testing.T) {
	for entry, want := range map[string]string{
		"STARLING_DOWN_LIMT=1":                            "leech: STARLING_LEECH_DOWN_LIMIT",
		"STARLING_UP_LIMIT=1":                             "share: STARLING_SHARE_UP_LIMIT",
		"STARLING_SEED_UPLIMIT=1":                         "leech: STARLING_SEED_UP_LIMIT",
		"STARLING_LEECH_UP_LIMITS=1":                      "seed: STARLING_LEECH_UP_LIMIT",
		"STARLING_leech_up_limit=1":                       "seed: STARLING_LEECH_UP_LIMIT",
		"STARLING_LEECH_LOG_LEVEL=1":                      "leech: STARLING_LOG_LEVEL",
		"STARLING_LOGLEVEL=1":                             "leech: STARLING_LOG_LEVEL",
		"STARLING_TRACKER_LITSEN=1":                       "tracker: STARLING_TRACKER_LISTEN",
		"STARLING_TRACKER=http://x:1":                     "wait: STARLING_WAIT_TRACKER",
		"STARLING_TRACKER_PORT=6969":                      "tracker:", // not as Kubernetes writes it
		"STARLING_MODEL_DIR=1":                            "leech:",
		"STARLING_=1":                                     "leech:",
		"STARLING_" + strings.Repeat("A", 100_000) + "=1": "leech:",
		"STARLING_DOWN_LIMT=":                             "",
		"STARLING_DOWN_LIMT":                              "",
		"STARLINGS=1":                                     "",
		"HOME=/":                                          "",
		"STARLING_CONFIG=x":                               "",
		"STARLING_LEECH_UP_LIMIT=1":                       "",
		"STARLING_LOG_LEVEL=info":                         "",
		"STARLING_TRIALS=full":                            "",
		"STARLING_INFOHASH=0":                             "",
	} {
		section, like, bad := strings.Cut(want, ":")
		got := Strangers([]string{entry}, section)
		name, _, _ := strings.Cut(entry, "=")
		switch {
		case !bad && len(got) > 0:
			t.Errorf("%s: %+v", entry, got)
		case bad && (len(got) != 1 || got[0] != Unread{name, strings.TrimSpace(like)}):
			t.Errorf("%.60s: %+v, want %s", entry, got, like)
		}
	}
	if got := Strangers([]string{"STARLING_ZZZZZZ=1", "PATH=/", "STARLING_AAAAAA=1"}, ""); len(got) != 2 || got[0].Name != "STARLING_AAAAAA" {
		t.Errorf("of two: %+v", got)
	}
}

// A variable that is called like a section takes nothing of the section away.
func TestNamedLikeASection(t *testing.T) {
	for _, section := range []string{"TRACKER", "LEECH", "SHARE", "WAIT"} {
		t.Setenv("STARLING_"+section, "http://10.0.0.5:6969")
	}
	t.Setenv("STARLING_TRACKER_VIEW", "off")
	c, _, err := Load(Source{Getenv: func(string) string { return "" }})
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.Tracker.View = "off"
	if got := KeysOf(*c); !reflect.DeepEqual(got, KeysOf(want)) {
		t.Errorf("got  %v\nwant %v", got, KeysOf(want))
	}
}

// What Kubernetes sets for Services of all likely names is no stranger, and no key of ours
// can be taken for that, whatever it is set to.
func TestServicesAreNoStrangers(t *testing.T) {
	var all []string
	for _, service := range []string{"STARLING", "STARLING_TRACKER", "STARLING_TRACKER_LISTEN", "STARLING_LEECH_2"} {
		for _, suffix := range []string{
			"_SERVICE_HOST=10.0.0.1", "_SERVICE_PORT=6969", "_SERVICE_PORT_HTTP=6969", "_SERVICE_PORT_ANNOUNCE_UDP=6969", "_PORT=tcp://10.0.0.1:6969", "_PORT=udp://[fd00::1]:6969",
			"_PORT_6969_TCP=tcp://10.0.0.1:6969", "_PORT_6969_TCP_PROTO=tcp", "_PORT_6969_TCP_PORT=6969", "_PORT_6969_UDP_ADDR=10.0.0.1",
		} {
			all = append(all, service+suffix)
		}
	}
	if got := Strangers(all, "tracker"); len(got) > 0 {
		t.Errorf("of a Service: %+v", got)
	}
	for _, k := range Keys() {
		if ofService(k.Env(), "tcp://10.0.0.1:1") {
			t.Errorf("a Service's variable may be called %s", k.Env())
		}
	}
}

// Every variable that the deployments, the documents and the tests set or name is a key, or
// known not to be one; and no companion is a key too.
func TestCompanions(t *testing.T) {
	root := filepath.Join("..", "..", "..", "..")
	named := regexp.MustCompile(`STARLING_[A-Z0-9_]*[A-Z0-9]`)
	files := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		rel := strings.TrimPrefix(filepath.ToSlash(path), filepath.ToSlash(root)+"/")
		switch {
		case err != nil:
			return err
		case d.IsDir() && (rel == ".git" || rel == "dist" || rel == "cmd/starling/internal/config"):
			return filepath.SkipDir
		case !d.Type().IsRegular(), !strings.HasPrefix(rel, "deploy/") && !strings.HasPrefix(rel, "docs/") && rel != "Makefile" && !strings.HasSuffix(rel, "_test.go"):
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files++
		for _, name := range named.FindAllString(string(text), -1) {
			if len(Strangers([]string{name + "=tcp://x"}, "")) > 0 && name != slip {
				t.Errorf("%s has %s: neither a key nor a companion", rel, name)
			}
		}
		return nil
	})
	if err != nil || files < 100 {
		t.Fatalf("%d files, %v", files, err)
	}
	for _, c := range companions {
		if i := slices.IndexFunc(Keys(), func(k Key) bool { return k.Env() == envPrefix+c }); i >= 0 {
			t.Errorf("%s is a key, and kept quiet about", Keys()[i].Env())
		}
	}
}

// slip is the mistake that the documents show.
const slip = "STARLING_DOWN_LIMT"
