package archtest

import (
	"path"
	"strings"
)

// module is the module's path.
const module = "starling"

// topLevel are the folders of the root. A new one needs a reason in
// docs/architecture.md. Folders whose name begins with a dot, and the build's
// output dist, are not looked at.
var topLevel = []string{
	"choke", "cmd", "deploy", "docs", "internal", "interop", "metainfo", "overlay", "p2p", "peer", "piece", "sim", "tracker",
}

// imports says which packages of the module each folder may import. A folder
// stands for what is below it too, unless that has an entry of its own; a
// package may always import those under its own folder.
var imports = map[string][]string{
	"choke":                {},
	"cmd":                  {"choke", "internal", "metainfo", "overlay", "p2p", "peer", "piece", "sim", "tracker"},
	"deploy":               {"internal/testutil", "metainfo", "peer", "tracker"},
	"internal/announcer":   {"peer", "tracker"},
	"internal/archtest":    {},
	"internal/benc":        {},
	"internal/descriptors": {},
	"internal/lsd":         {"metainfo"},
	"internal/testutil":    {},
	"internal/units":       {},
	"interop":              {"internal/testutil", "metainfo"},
	"metainfo":             {"internal/benc"},
	"metainfo/merkle":      {},
	"overlay":              {"p2p"},
	"p2p":                  {},
	"p2p/tcp":              {"internal/descriptors", "p2p"},
	"peer":                 {"choke", "internal/benc", "metainfo", "p2p", "piece"},
	"peer/canonical":       {},
	"peer/pex":             {"internal/benc", "p2p"},
	"piece":                {},
	"piece/store":          {"internal/descriptors", "metainfo/merkle", "piece"},
	"sim":                  {"choke", "internal", "metainfo", "overlay", "p2p", "peer", "piece", "tracker"},
	"tracker":              {"internal/benc", "internal/descriptors", "metainfo"},
}

// foreign says which folders may import each module of others. A module that
// is not here is not used.
var foreign = map[string][]string{
	"github.com/gorilla/mux":              {"cmd", "tracker"},
	"github.com/prometheus/client_golang": {"cmd", "deploy", "peer", "sim", "tracker"},
	"github.com/spf13/cobra":              {"cmd"},
	"github.com/spf13/pflag":              {"cmd"},
	"github.com/spf13/viper":              {"cmd"},
	"github.com/go-viper/mapstructure/v2": {"cmd"},
	"github.com/zeebo/bencode":            {"internal/benc"},
	"go.starlark.net":                     {"sim"},
	"golang.org/x/sys":                    {"cmd", "p2p/tcp", "piece/store", "tracker"},
	"golang.org/x/term":                   {"cmd"},
	"go.yaml.in/yaml/v3":                  {"cmd", "deploy"},
}

// onlyCmd are packages of the standard library that belong to the program and
// to no package below it.
var onlyCmd = []string{"flag", "os/signal"}

// banned are names that no file uses: the process-wide registry of Prometheus,
// to which metrics are tied by the mere import of a package.
var banned = map[string][]string{
	"github.com/prometheus/client_golang/prometheus": {
		"DefaultGatherer", "DefaultRegisterer", "MustRegister", "Register", "Unregister",
	},
	"github.com/prometheus/client_golang/prometheus/promauto": {
		"NewCounter", "NewCounterFunc", "NewCounterVec", "NewGauge", "NewGaugeFunc", "NewGaugeVec",
		"NewHistogram", "NewHistogramVec", "NewSummary", "NewSummaryVec", "NewUntypedFunc",
	},
	"github.com/prometheus/client_golang/prometheus/promhttp": {"Handler"},
}

// pureFolders are pure in all their files. Those that end in /... are so with
// all below.
var pureFolders = []string{
	"choke", "internal/benc", "metainfo/...", "overlay/...", "p2p", "p2p/monitor", "peer/canonical", "peer/pex", "peer/wire", "piece", "tracker/fleet", "tracker/swarm",
}

// impurePeer are the files of package peer that touch the world; the rest of
// it is the engine, and pure.
var impurePeer = []string{"session*.go", "metrics*.go", "content*.go"}

// pure says whether a file must be pure.
func pure(file string) bool {
	dir, name := path.Split(file)
	dir = strings.TrimSuffix(dir, "/")
	if dir == "peer" {
		for _, pattern := range impurePeer {
			if ok, _ := path.Match(pattern, name); ok {
				return false
			}
		}
		return true
	}
	for _, f := range pureFolders {
		if tree, ok := strings.CutSuffix(f, "/..."); ok && within(dir, tree) || dir == f {
			return true
		}
	}
	return false
}

// pureNet are the packages under net that only parse and print.
var pureNet = []string{"net/netip", "net/url"}

// impure are packages, with all below them, that pure files do not import.
var impure = []string{
	"crypto/rand", "golang.org/x/sys", "io/ioutil", "log", "net", "os", "sync", "syscall",
}

// impureNames are the names of otherwise harmless packages that read a clock
// or start a timer. The Do of a p2p.Job may use those of context: it is the
// part of a protocol that a host runs elsewhere, and may bound its own wait.
var impureNames = map[string][]string{
	"context": {"AfterFunc", "WithDeadline", "WithDeadlineCause", "WithTimeout", "WithTimeoutCause"},
	"time":    {"After", "AfterFunc", "NewTicker", "NewTimer", "Now", "Since", "Sleep", "Tick", "Until"},
}

// randNames are the only names of the math/rand packages that pure files use:
// everything else draws from the process-wide source.
var randNames = []string{
	"ChaCha8", "New", "NewChaCha8", "NewPCG", "NewSource", "NewZipf", "PCG", "Rand", "Source", "Source64", "Zipf",
}
