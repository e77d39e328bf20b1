package deploy

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestShellcheck asks shellcheck about every script.
func TestShellcheck(t *testing.T) {
	shellcheck := need(t, "shellcheck", "shellcheck")
	var scripts []string
	for _, pattern := range []string{"packaging/*.sh", "slurm/*.sh", "slurm/*.sbatch", "systemd/*.sh"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		if len(found) == 0 {
			t.Errorf("no %s", pattern)
		}
		scripts = append(scripts, found...)
	}
	run(t, shellcheck, scripts...)
}

// TestAnsible reads the playbook and renders the role's templates, which must be
// configurations that starling accepts.
func TestAnsible(t *testing.T) {
	playbook := need(t, "ansible-playbook", "ansible-core")
	t.Setenv("ANSIBLE_LOCALHOST_WARNING", "false")
	t.Setenv("ANSIBLE_LOCAL_TEMP", t.TempDir())
	t.Setenv("HOME", t.TempDir())
	run(t, playbook, "--syntax-check", "-i", "ansible/inventory.example.yaml", "ansible/site.yaml")

	role, err := filepath.Abs("ansible/roles/starling")
	if err != nil {
		t.Fatal(err)
	}
	starling, out := build(t), t.TempDir()
	write(t, filepath.Join(out, "play.yaml"), `
- hosts: node-1
  connection: local
  gather_facts: false
  vars_files: ["`+role+`/defaults/main.yaml"]
  tasks:
    - ansible.builtin.template:
        src: "`+role+`/templates/{{ item }}.yaml.j2"
        dest: "`+out+`/{{ item }}.yaml"
        validate: "`+starling+` config validate -c %s"
      loop: [tracker, seed, leech]
`, 0o644)
	run(t, playbook, "-i", "ansible/inventory.example.yaml", filepath.Join(out, "play.yaml"))
	for name, want := range map[string]string{
		"tracker": "state: /var/lib/starling/tracker.state",
		"seed":    "data: /var/lib/starling/data",
		"leech":   `node-label: ["rack=r1"]`,
	} {
		if text := read(t, filepath.Join(out, name+".yaml")); !strings.Contains(text, want) {
			t.Errorf("%s.yaml lacks %q:\n%s", name, want, text)
		}
	}
}

// srun stands in for Slurm's: a task on each of three nodes, which have a disk of their
// own here by a STARLING_CACHE of their own. Told to stop it kills its tasks, as that of
// Slurm does. Their processes are in a file for scancel.
const srun = `#!/bin/bash
while [[ $1 == --* ]]; do shift; done
pids=()
for n in 1 2 3; do
	SLURMD_NODENAME=n$n STARLING_CACHE="$STARLING_CACHE/$n" "$@" &
	pids+=($!)
done
[ -e "${0%/*}/7.0" ] || echo "${pids[@]}" >"${0%/*}/7.0"
trap 'kill -KILL "${pids[@]}"; wait; exit 143' TERM
failed=0
for p in "${pids[@]}"; do wait "$p" || { failed=$?; echo "task ended with $failed"; }; done
exit $failed
`

// scancel tells the tasks of a step.
const scancel = `#!/bin/bash
[ "$1" = --signal=TERM ] && kill $(cat "${0%/*}/$2")
`

// TestSlurmJob runs the batch job with that srun: all nodes have the content before the
// work begins, which gets its path.
func TestSlurmJob(t *testing.T) {
	bin, cache, src := t.TempDir(), t.TempDir(), t.TempDir()
	if err := os.Symlink(build(t), filepath.Join(bin, "starling")); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(bin, "srun"), srun, 0o755)
	write(t, filepath.Join(bin, "scancel"), scancel, 0o755)
	write(t, filepath.Join(bin, "work"), "#!/bin/bash\ncp \"$1/model\" \"$1/seen\"\n", 0o755)
	content := bytes.Repeat([]byte("a swarm "), 200_000)
	write(t, filepath.Join(src, "model"), string(content), 0o644)

	share := exec.Command(filepath.Join(bin, "starling"), "share", "--listen=127.0.0.1:0", "--peer-listen=127.0.0.1:0", filepath.Join(src, "model"))
	stdout, err := share.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := share.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = share.Process.Kill()
		_ = share.Wait() // it was killed
	})
	line := make([]byte, 4<<10)
	n, err := stdout.Read(line)
	if err != nil {
		t.Fatal(err)
	}
	words := strings.Fields(string(line[:n])) // starling leech URL
	job := exec.CommandContext(t.Context(), "bash", "slurm/fetch.sbatch", words[len(words)-1], filepath.Join(bin, "work"))
	job.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "STARLING_CACHE="+cache, "SLURM_JOB_NUM_NODES=3", "SLURM_JOB_ID=7", "HOME="+bin)
	job.WaitDelay = time.Second
	out, err := job.CombinedOutput()
	if err != nil || strings.Count(string(out), "task ended with 143") != 3 {
		t.Fatalf("%v; want three tasks that were told to stop\n%s", err, out)
	}
	for _, node := range []string{"1", "2", "3"} {
		if got := read(t, filepath.Join(cache, node, "seen")); got != string(content) {
			t.Errorf("node %s worked on %d bytes, want %d", node, len(got), len(content))
		}
	}
}

// TestSlurmJobFails: where a node gets nothing the work does not begin.
func TestSlurmJobFails(t *testing.T) {
	bin, cache := t.TempDir(), t.TempDir()
	if err := os.Symlink(build(t), filepath.Join(bin, "starling")); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(bin, "srun"), srun, 0o755)
	write(t, filepath.Join(bin, "work"), "#!/bin/bash\ntouch \"$1/worked\"\n", 0o755)
	missing := httptest.NewServer(http.NotFoundHandler())
	defer missing.Close()
	job := exec.CommandContext(t.Context(), "bash", "slurm/fetch.sbatch", missing.URL+"/torrents/model.torrent", filepath.Join(bin, "work"))
	job.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "STARLING_CACHE="+cache, "SLURM_JOB_NUM_NODES=3", "SLURM_JOB_ID=7", "HOME="+bin)
	job.WaitDelay = time.Second
	out, err := job.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "not every node has the content") {
		t.Errorf("%v\n%s", err, out)
	}
	if found, err := filepath.Glob(cache + "/*/worked"); err != nil || len(found) > 0 {
		t.Errorf("worked: %v, %v", found, err)
	}
}

// TestSlurmProlog: only a comment that names a torrent starts a service, and whatever
// goes wrong the prolog succeeds, for Slurm takes a node out of service otherwise.
func TestSlurmProlog(t *testing.T) {
	for _, c := range []struct{ comment, want string }{
		{"starling:model-7b", "start --no-block starling-leech@model-7b.service"},
		{"something else", ""},
		{"starling:", ""},
		{"starling:../../etc", ""},
		{"starling:a b; reboot", ""},
		{"starling:-x", ""},
	} {
		bin := t.TempDir()
		write(t, filepath.Join(bin, "scontrol"), "#!/bin/bash\nprintf 'JobId=7\\n   Comment=%s \\n' "+"'"+c.comment+"'\n", 0o755)
		write(t, filepath.Join(bin, "systemctl"), "#!/bin/bash\necho \"$*\" >>\"${0%/*}/called\"\nexit 1\n", 0o755)
		for _, script := range []string{"prolog", "epilog"} {
			cmd := exec.CommandContext(t.Context(), "bash", "slurm/"+script+".sh")
			cmd.Env = []string{"PATH=" + bin + ":" + os.Getenv("PATH"), "SLURM_JOB_ID=7"}
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%s, comment %q: %v\n%s", script, c.comment, err, out)
			}
		}
		want := ""
		if c.want != "" {
			want = c.want + "\n" + strings.Replace(c.want, "start", "stop", 1) + "\n"
		}
		got, _ := os.ReadFile(filepath.Join(bin, "called")) // absent: nothing was called
		if string(got) != want {
			t.Errorf("comment %q: systemctl %q, want %q", c.comment, got, want)
		}
	}
}
