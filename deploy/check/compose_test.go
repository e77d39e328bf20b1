package check

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
)

// project loads the compose file with an environment, as `docker compose config` does.
func project(t *testing.T, env map[string]string) *types.Project {
	t.Helper()
	file, err := filepath.Abs("../compose/compose.yaml")
	if err != nil {
		t.Fatal(err)
	}
	p, err := loader.LoadWithContext(t.Context(), types.ConfigDetails{
		WorkingDir: filepath.Dir(file), ConfigFiles: []types.ConfigFile{{Filename: file}}, Environment: env,
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestCompose loads the file and looks for what refers to nothing.
func TestCompose(t *testing.T) {
	p := project(t, nil)
	want := []string{"content", "grafana", "leech", "prometheus", "seed", "tracker"}
	if got := slices.Sorted(maps.Keys(p.Services)); !slices.Equal(got, want) {
		t.Fatalf("services %v, want %v", got, want)
	}
	for _, name := range want {
		s := p.Services[name]
		for _, v := range s.Volumes {
			if v.Type != types.VolumeTypeBind {
				continue
			}
			info, err := os.Stat(v.Source)
			if err != nil {
				t.Errorf("%s mounts %v", name, err)
			} else if info.IsDir() != (filepath.Ext(v.Target) == "") {
				t.Errorf("%s mounts %s, which is a folder or is none, at %s", name, v.Source, v.Target)
			}
			if !v.ReadOnly {
				t.Errorf("%s may write to %s", name, v.Source)
			}
		}
		for on := range s.DependsOn {
			if _, ok := p.Services[on]; !ok {
				t.Errorf("%s depends on %s", name, on)
			}
		}
		if s.Build == nil {
			if _, tag, ok := strings.Cut(s.Image, ":"); !ok || tag == "latest" {
				t.Errorf("%s: image %s has no particular version", name, s.Image)
			}
			continue
		}
		if _, err := os.Stat(filepath.Join(s.Build.Context, s.Build.Dockerfile)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if !s.ReadOnly || !slices.Equal(s.CapDrop, []string{"ALL"}) || !slices.Equal(s.SecurityOpt, []string{"no-new-privileges:true"}) {
			t.Errorf("%s: read-only %v, without %v, %v", name, s.ReadOnly, s.CapDrop, s.SecurityOpt)
		}
	}
}

// TestComposeContent: a folder of the user's takes the volume's place, for the seed and
// read-only; what makes content neither sees it nor makes any.
func TestComposeContent(t *testing.T) {
	p := project(t, map[string]string{"STARLING_CONTENT": "/srv/model"})
	maker := p.Services["content"]
	if v := maker.Volumes[0]; v.Type != types.VolumeTypeVolume || v.Source != "content" {
		t.Errorf("what makes content mounts %+v", v)
	}
	dir := t.TempDir()
	cmd := exec.Command("sh", "-c", strings.ReplaceAll(maker.Command[2], "/content", dir))
	for k, v := range maker.Environment {
		cmd.Env = append(cmd.Env, k+"="+*v)
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if made, err := os.ReadDir(dir); err != nil || len(made) > 0 {
		t.Errorf("content was made beside the user's: %v, %v", made, err)
	}
	v := p.Services["seed"].Volumes[0]
	if v.Type != types.VolumeTypeBind || v.Source != "/srv/model" || v.Target != "/content" || !v.ReadOnly {
		t.Errorf("the seed mounts %+v", v)
	}
	if v := project(t, nil).Services["seed"].Volumes[0]; v.Type != types.VolumeTypeVolume || v.Source != "content" {
		t.Errorf("without a folder the seed mounts %+v", v)
	}
}
