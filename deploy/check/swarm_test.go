package check

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// fetch is what is at a URL, nil where nothing is as yet.
func fetch(t *testing.T, url string) []byte {
	t.Helper()
	r, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	if r.StatusCode != http.StatusOK {
		return nil
	}
	return b
}

// eventually polls until check is content.
func eventually(t *testing.T, what string, check func() bool) {
	t.Helper()
	for late := time.Now().Add(patience); !check(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(late) {
			t.Fatalf("not within %s: %s", patience, what)
		}
	}
}

// content runs the shell command that fills /content, in a folder of ours.
func content(t *testing.T, script string) (dir string, demo []byte) {
	t.Helper()
	dir = t.TempDir()
	cmd := exec.Command("sh", "-c", strings.ReplaceAll(script, "/content", dir))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", script, err, out)
	}
	demo, err := os.ReadFile(filepath.Join(dir, "demo.bin"))
	if err != nil {
		t.Fatal(err)
	}
	return dir, demo
}

// checkSwarm holds that peers, by name, are what the tracker tells Prometheus of, and
// that each file has the content.
func checkSwarm(t *testing.T, tracker string, peers int, want []byte, files ...string) {
	t.Helper()
	for _, f := range files {
		got, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is not what was seeded", f)
		}
	}
	var targets []struct {
		Targets []string
		Labels  map[string]string
	}
	if err := json.Unmarshal(fetch(t, tracker+"/api/v1/sd/prometheus"), &targets); err != nil {
		t.Fatal(err)
	}
	if len(targets) != peers {
		t.Errorf("the tracker tells Prometheus of %d peers, want %d: %v", len(targets), peers, targets)
	}
	for _, g := range targets {
		if !bytes.Contains(fetch(t, "http://"+g.Targets[0]+"/metrics"), []byte("starling_peer_torrents")) {
			t.Errorf("%v has no metrics of a peer", g)
		}
	}
}

// TestComposeSwarm runs the compose file's commands: content is made, seeded under the
// tracker, and fetched by two.
func TestComposeSwarm(t *testing.T) {
	t.Parallel()
	services := project(t, map[string]string{"STARLING_DEMO_BYTES": "3000000"}).Services
	dir, demo := content(t, services["content"].Command[2])
	if len(demo) != 3000000 {
		t.Fatalf("content of %d bytes", len(demo))
	}
	torrents, state := t.TempDir(), t.TempDir()
	tracker := start(t, "tracker", services["tracker"].Command, "/torrents", torrents, "/state", state)
	at := tracker.await(t, "ready").Addresses
	url := "http://" + at["tracker"]
	for _, probe := range []string{url + "/healthz", url + "/readyz", "http://" + at["admin"] + "/metrics"} {
		if fetch(t, probe) == nil {
			t.Errorf("nothing at %s", probe)
		}
	}
	health := services["tracker"].HealthCheck.Test // CMD, the image's program, what it is told
	ask := start(t, "healthcheck", append([]string(nil), health[2:]...), "http://127.0.0.1:6969", url)
	<-ask.ended
	if code := ask.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("the health check of a healthy tracker: exit code %d", code)
	}
	// The path below /torrents of the tracker's URL is no path of a file.
	seed := start(t, "seed", services["seed"].Command, "http://tracker:6969", url, "=/torrents/", "="+torrents+"/", "/content", dir)
	seed.await(t, "ready")
	eventually(t, "the tracker serves the seed's torrent", func() bool { return fetch(t, url+"/torrents/content.torrent") != nil })
	var leeches []*process
	var files []string
	for range 2 {
		out := t.TempDir()
		leech := start(t, "leech", services["leech"].Command, "http://tracker:6969", url, "/data", out)
		leeches = append(leeches, leech)
		files = append(files, filepath.Join(out, filepath.Base(dir), "demo.bin"))
	}
	for _, l := range leeches {
		l.await(t, "complete")
	}
	checkSwarm(t, url, 3, demo, files...)
	for _, p := range append(leeches, seed, tracker) {
		p.stop(t)
	}
	if _, err := os.Stat(filepath.Join(state, "tracker.state")); err != nil {
		t.Error(err)
	}
}

// containerOf returns a container of a workload, and of its init containers.
func containerOf(t *testing.T, objects []*object, workload, name string) *corev1.Container {
	t.Helper()
	for _, o := range objects {
		if o.workload == nil || o.meta.Name != workload {
			continue
		}
		spec := &o.workload.pod.Spec
		for _, list := range [][]corev1.Container{spec.InitContainers, spec.Containers} {
			for i := range list {
				if list[i].Name == name {
					return &list[i]
				}
			}
		}
	}
	t.Fatalf("there is no container %s of %s", name, workload)
	return nil
}

// mount lays a file of a ConfigMap out as the kubelet does: it is a link, by way of another.
func mount(t *testing.T, dir, name string, raw []byte) {
	t.Helper()
	const version = "..2026_11_21"
	for _, err := range []error{
		os.Mkdir(filepath.Join(dir, version), 0o755),
		os.WriteFile(filepath.Join(dir, version, name), raw, 0o644),
		os.Symlink(version, filepath.Join(dir, "..data")),
		os.Symlink(filepath.Join("..data", name), filepath.Join(dir, name)),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestKubernetesSwarm runs the overlay's commands; the torrent that it brings along must
// be of the content that its seed makes.
func TestKubernetesSwarm(t *testing.T) {
	t.Parallel()
	objects := render(t, demo)
	dir, made := content(t, containerOf(t, objects, "starling-seed", "content").Command[2])
	torrents, state, cache := t.TempDir(), t.TempDir(), t.TempDir()
	var ref string
	for _, o := range objects {
		if o.config == nil {
			continue
		}
		for name, raw := range o.config.BinaryData {
			mount(t, torrents, name, raw)
		}
		if v, ok := o.config.Data["STARLING_REF"]; ok {
			ref = v
		}
	}
	const service = "http://starling-tracker.starling:6969"
	if !exists(objects, "v1 Service", "starling", "starling-tracker") || !strings.HasPrefix(ref, service) {
		t.Fatalf("STARLING_REF is %q, want it at %s", ref, service)
	}
	tracker := start(t, "tracker", containerOf(t, objects, "starling-tracker", "tracker").Args, "=/torrents", "="+torrents, "/state", state)
	at := tracker.await(t, "ready").Addresses
	url := "http://" + at["tracker"]
	// The torrent names the service, which is not here: the trial's tracker comes first.
	mine := "--tracker=" + url + "/announce"
	args := containerOf(t, objects, "starling-seed", "seed").Args
	seed := start(t, "seed", append(args, mine), service, url, "=/content", "="+dir)
	ready := seed.await(t, "ready").Addresses
	args = containerOf(t, objects, "starling-peer", "peer").Args
	leech := start(t, "leech", append(args, mine), "$(STARLING_REF)", strings.Replace(ref, service, url, 1), "$(NODE_NAME)", "n1", "/cache", cache)
	leech.await(t, "complete")
	checkSwarm(t, url, 2, made, filepath.Join(cache, "demo.bin"))
	for _, probe := range []string{"http://" + at["admin"], "http://" + ready["metrics"]} {
		if fetch(t, probe+"/healthz") == nil || fetch(t, probe+"/readyz") == nil {
			t.Errorf("%s does not answer its probes", probe)
		}
	}
	for _, p := range []*process{leech, seed, tracker} {
		p.stop(t)
	}
}
