package archtest

import (
	"strings"
	"testing"
	"testing/fstest"
)

// tree is a module that breaks nothing, and files put over it.
func tree(files map[string]string) fstest.MapFS {
	fsys := fstest.MapFS{}
	put := func(name, text string) { fsys[name] = &fstest.MapFile{Data: []byte(text)} }
	put("go.mod", "module starling\n")
	for _, dir := range []string{"choke", "metainfo", "p2p", "p2p/tcp", "peer", "piece", "tracker", "tracker/swarm", "internal/benc", "overlay/dht", "cmd/starling"} {
		put(dir+"/doc.go", "// Package x is documented.\npackage x\n")
	}
	for name, text := range files {
		put(name, text)
	}
	return fsys
}

// TestCheckSees breaks each rule once. A case without want breaks none.
func TestCheckSees(t *testing.T) {
	tests := []struct{ name, file, text, want string }{
		{"nothing", "choke/a.go", "package x", ""},

		{"p2p imports piece", "p2p/a.go", `package x; import _ "starling/piece"`, "p2p/a.go:1: imports starling/piece: p2p imports nothing"},
		{"choke imports metainfo", "choke/a.go", `package x; import _ "starling/metainfo"`, "imports starling/metainfo"},
		{"metainfo imports choke", "metainfo/a.go", `package x; import _ "starling/choke"`, "metainfo imports only internal/benc"},
		{"metainfo imports benc", "metainfo/a.go", `package x; import _ "starling/internal/benc"`, ""},
		{"peer imports the tracker", "peer/session.go", `package x; import _ "starling/tracker"`, "imports starling/tracker"},
		{"peer imports the store", "peer/session.go", `package x; import _ "starling/piece/store"`, ""},
		{"tcp imports p2p", "p2p/tcp/a.go", `package x; import _ "starling/p2p"`, ""},
		{"tcp imports peer", "p2p/tcp/a.go", `package x; import _ "starling/peer"`, "imports starling/peer"},
		{"a prefix is not a folder", "p2p/a.go", `package x; import _ "starling/p2pextra"`, "imports starling/p2pextra"},
		{"tracker imports cmd", "tracker/a.go", `package x; import _ "starling/cmd/starling"`, "imports starling/cmd/starling"},
		{"the root package", "p2p/a.go", `package x; import _ "starling"`, "imports starling:"},
		{"cmd imports peer", "cmd/starling/a.go", `package x; import _ "starling/peer"`, ""},
		{"a package without a rule", "internal/other/doc.go", "// Package other.\npackage other\n" + `import _ "starling/choke"`, "internal/other has no rule"},

		{"cobra in peer", "peer/session.go", `package x; import _ "github.com/spf13/cobra"`, "only cmd may"},
		{"flags in tracker", "tracker/a.go", `package x; import _ "flag"`, "only cmd may"},
		{"signals in cmd", "cmd/starling/a.go", `package x; import _ "os/signal"`, ""},
		{"an unknown module", "cmd/starling/a.go", `package x; import _ "example.org/left-pad"`, "does not know"},
		{"mux in tracker", "tracker/a.go", `package x; import _ "github.com/gorilla/mux"`, ""},
		{"bencode around the guard", "metainfo/a.go", `package x; import _ "github.com/zeebo/bencode"`, "only internal/benc may"},
		{"default registry", "cmd/starling/a.go", `package x; import "github.com/prometheus/client_golang/prometheus"; var _ = prometheus.DefaultRegisterer`, "uses prometheus.DefaultRegisterer"},
		{"default handler, renamed", "cmd/starling/a.go", `package x; import h "github.com/prometheus/client_golang/prometheus/promhttp"; var _ = h.Handler()`, "uses h.Handler"},
		{"own registry", "cmd/starling/a.go", `package x; import "github.com/prometheus/client_golang/prometheus"; var _ = prometheus.NewRegistry()`, ""},
		{"dot import", "tracker/a.go", `package x; import . "time"`, "with a dot"},

		{"no package comment", "sim/doc.go", "package sim", "sim: no doc.go"},
		{"comment elsewhere", "sim/sim.go", "// Package sim is.\npackage sim", "sim: no doc.go"},
		{"detached comment", "sim/doc.go", "// Package sim is.\n\npackage sim", "sim: no doc.go"},
		{"top-level folder", "util/doc.go", "// Package util is.\npackage util", "util: a folder at the top"},
		{"hidden folder", ".ci/a.go", "package nothing", ""},
		{"test data", "choke/testdata/a.go", "not even Go", ""},

		{"net", "p2p/a.go", `package x; import _ "net"`, "imports net: this file is pure"},
		{"net/http", "tracker/swarm/a.go", `package x; import _ "net/http"`, "imports net/http"},
		{"netip", "tracker/swarm/a.go", `package x; import _ "net/netip"`, ""},
		{"os", "metainfo/a.go", `package x; import _ "os"`, "imports os"},
		{"sync", "choke/a.go", `package x; import _ "sync"`, "imports sync"},
		{"atomic", "piece/a.go", `package x; import _ "sync/atomic"`, "imports sync/atomic"},
		{"slog", "peer/engine.go", `package x; import _ "log/slog"`, "imports log/slog"},
		{"crypto/rand", "overlay/dht/a.go", `package x; import _ "crypto/rand"`, "imports crypto/rand"},
		{"global rand", "choke/a.go", `package x; import "math/rand/v2"; var _ = rand.IntN(3)`, "uses rand.IntN"},
		{"global rand v1, renamed", "choke/a.go", `package x; import r "math/rand"; var _ = r.Intn(3)`, "uses r.Intn"},
		{"own rand", "choke/a.go", `package x; import "math/rand/v2"; func f(r *rand.Rand) int { return r.IntN(3) }`, ""},
		{"clock", "peer/engine.go", `package x; import "time"; var _ = time.Now()`, "uses time.Now"},
		{"clock as a value", "peer/engine.go", `package x; import "time"; var now = time.Now`, "uses time.Now"},
		{"time renamed", "choke/a.go", `package x; import clock "time"; func f() { clock.Sleep(1) }`, "uses clock.Sleep"},
		{"timer", "choke/a.go", `package x; import "time"; var _ = time.AfterFunc(1, nil)`, "uses time.AfterFunc"},
		{"time as an argument", "choke/a.go", `package x; import "time"; func f(now time.Time) time.Time { return now.Add(time.Second) }`, ""},
		{"context timer", "p2p/a.go", `package x; import "context"; var _ = context.WithTimeout`, "uses context.WithTimeout"},
		{"a job may bound its wait", "peer/engine.go", `package x; import "context"; func (j *job) Do(ctx context.Context) { context.WithTimeout(ctx, 1) }`, ""},
		{"a job has no other clock", "peer/engine.go", `package x; import ("context"; "time"); func (j *job) Do(ctx context.Context) { time.Now() }`, "uses time.Now"},
		{"go", "piece/a.go", "package x; func f() { go f() }", "has a go statement"},
		{"channel type", "piece/a.go", "package x; var c chan int", "has a channel type"},
		{"send", "piece/a.go", "package x; func f() { g() <- 1 }", "has a send"},
		{"receive", "piece/a.go", "package x; func f() { <-g() }", "has a receive"},
		{"select", "piece/a.go", "package x; func f() { select {} }", "has a select"},

		{"the session may", "peer/session_conn.go", `package x; import "time"; func f() { go f(); time.Now() }`, ""},
		{"content may", "peer/content.go", `package x; import _ "os"`, ""},
		{"the TCP host may", "p2p/tcp/a.go", `package x; import _ "net"; var c chan int`, ""},
		{"tests may", "choke/a_test.go", `package x; import _ "os"; var c chan int`, ""},
		{"other systems are read too", "choke/a_windows.go", `package x; import _ "os"`, "imports os"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			found, err := check(tree(map[string]string{tt.file: tt.text}))
			if err != nil {
				t.Fatal(err)
			}
			got := strings.Join(found, "\n")
			if tt.want == "" && got != "" || !strings.Contains(got, tt.want) {
				t.Errorf("found %q, want %q", got, tt.want)
			}
		})
	}
}

func TestNestedModuleIsAnother(t *testing.T) {
	found, err := check(tree(map[string]string{
		"deploy/tool/go.mod": "module tool\n",
		"deploy/tool/a.go":   `package main; import _ "example.org/x"`,
	}))
	if err != nil || len(found) > 0 {
		t.Errorf("%v, %v", found, err)
	}
}

func TestUnparsable(t *testing.T) {
	if _, err := check(tree(map[string]string{"choke/a.go": "not Go"})); err == nil {
		t.Error("a file that is not Go was accepted")
	}
}
