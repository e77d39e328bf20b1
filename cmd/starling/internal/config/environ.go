package config

import (
	"regexp"
	"slices"
	"strings"
)

const envPrefix = "STARLING_"

// Unread is an environment variable that looks like one of ours and that nothing reads.
type Unread struct {
	Name string
	Like string // what was probably meant, "" if that cannot be told
}

// companions are the variables that are no key and mean something all the same: to this
// program, to what comes with it in deploy, and to its tests.
var companions = []string{
	"CONFIG",                   // where the file is
	"PATH", "NAME", "INFOHASH", // of the hook, which may run a starling
	"CACHE", "CONTENT", "DEMO_BYTES", "FLEET_BYTES", "REF", // of deploy
	"AXE", "COST", "COST_TRACKER", "INTEROP", "INTEROP_BINARY", "MEMORY", "SHOTS", "SMOOTH", "SPEED", "TEST_LSD_NODE", "TRIALS", // of tests
}

// What Kubernetes tells every container of a namespace about its Services, one of which
// may well be called starling-something. No key looks like that.
var (
	serviceName = regexp.MustCompile(`_(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)$`)
	serviceURL  = regexp.MustCompile(`^(tcp|udp|sctp)://`)
)

// Strangers are the variables of an environment (NAME=VALUE) that begin as ours do and are
// no key's, by name. An empty one says nothing, as everywhere. section is that of the
// command that runs: of two names as near, its own is taken.
func Strangers(environ []string, section string) []Unread {
	var out []Unread
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		if value == "" || !strings.HasPrefix(name, envPrefix) || ofService(name, value) || isCompanion(name) || isKey(name) {
			continue
		}
		out = append(out, Unread{name, nearest(name, section)})
	}
	slices.SortFunc(out, func(a, b Unread) int { return strings.Compare(a.Name, b.Name) })
	return out
}

func isKey(name string) bool {
	return slices.ContainsFunc(Keys(), func(k Key) bool { return k.Env() == name })
}

func isCompanion(name string) bool {
	return slices.Contains(companions, strings.TrimPrefix(name, envPrefix))
}

// ofService says whether Kubernetes made a variable.
func ofService(name, value string) bool {
	name = "_" + strings.TrimPrefix(name, envPrefix)
	return serviceName.MatchString(name) || strings.HasSuffix(name, "_PORT") && serviceURL.MatchString(value)
}

// Bounds of a guess: a name this long is no slip of any of ours, and of a short one fewer
// letters may be wrong.
const (
	longestSlip  = 64
	mostWrong    = 3
	lettersAWord = 4 // for each letter that may be wrong
)

// nearest is the variable of the key that name is a slip of: some letters wrong, or the
// section left out, or one too many.
func nearest(name, section string) string {
	said := strings.ToUpper(strings.TrimPrefix(name, envPrefix))
	if len(said) > longestSlip {
		return ""
	}
	best, like := min(mostWrong, len(said)/lettersAWord)+1, ""
	keys := Keys()
	// Those of the section first: of equals the first is taken.
	slices.SortStableFunc(keys, func(a, b Key) int { return elsewhere(a, section) - elsewhere(b, section) })
	for _, k := range keys {
		for _, meant := range spellings(k, keys) {
			if d := distance(said, meant); d < best {
				best, like = d, k.Env()
			}
		}
	}
	return like
}

func elsewhere(k Key, section string) int {
	if k.Section == section {
		return 0
	}
	return 1
}

// spellings are what somebody may write who means a key: its variable, that without the
// section, and a global one with some section.
func spellings(k Key, keys []Key) []string {
	bare := Key{Name: k.Name}
	out := []string{strings.TrimPrefix(k.Env(), envPrefix), strings.TrimPrefix(bare.Env(), envPrefix)}
	if k.Section != "" {
		return out
	}
	for _, other := range keys {
		in := strings.TrimPrefix(Key{Section: other.Section, Name: k.Name}.Env(), envPrefix)
		if !slices.Contains(out, in) {
			out = append(out, in)
		}
	}
	return out
}

// distance is how many letters must be changed, added, left out or swapped with the next
// one to make b of a.
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			wrong := 1
			if a[i-1] == b[j-1] {
				wrong = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+wrong)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
