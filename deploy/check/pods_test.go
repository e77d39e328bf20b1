package check

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

// checkPod looks at the pods of a workload: what they mount and ask for exists, they
// bound what they use, and every one that needs no root has none.
func checkPod(t *testing.T, objects []*object, o *object) {
	t.Helper()
	spec := &o.workload.pod.Spec
	volumes := slices.Clone(o.workload.claims)
	for _, v := range spec.Volumes {
		volumes = append(volumes, v.Name)
		if v.ConfigMap != nil && !exists(objects, "v1 ConfigMap", o.meta.Namespace, v.ConfigMap.Name) {
			t.Errorf("%s: there is no ConfigMap %s", o.meta.Name, v.ConfigMap.Name)
		}
	}
	if spec.AutomountServiceAccountToken == nil || *spec.AutomountServiceAccountToken {
		t.Errorf("%s: has a token of the cluster, and no use for it", o.meta.Name)
	}
	for _, c := range slices.Concat(spec.InitContainers, spec.Containers) {
		what := o.meta.Name + "/" + c.Name
		if !strings.Contains(c.Image, "/") || !strings.Contains(c.Image, ":") {
			t.Errorf("%s: image %q was not given a registry and a tag", what, c.Image)
		}
		if c.Resources.Requests.Cpu().IsZero() || c.Resources.Requests.Memory().IsZero() || c.Resources.Limits.Memory().IsZero() {
			t.Errorf("%s: requests %v, limits %v", what, c.Resources.Requests, c.Resources.Limits)
		}
		if s := c.SecurityContext; s == nil || s.ReadOnlyRootFilesystem == nil || !*s.ReadOnlyRootFilesystem {
			t.Errorf("%s: can write to its root", what)
		}
		for _, m := range c.VolumeMounts {
			if !slices.Contains(volumes, m.Name) {
				t.Errorf("%s mounts %s, which the pod does not have", what, m.Name)
			}
		}
		for _, e := range c.Env {
			if e.ValueFrom == nil || e.ValueFrom.ConfigMapKeyRef == nil {
				continue
			}
			if _, ok := valueOf(objects, o.meta.Namespace, e.ValueFrom.ConfigMapKeyRef); !ok {
				t.Errorf("%s: $%s is nowhere", what, e.Name)
			}
		}
	}
	for i := range spec.Containers {
		checkPorts(t, o.meta.Name, &spec.Containers[i])
	}
	checkAdmission(t, objects, o)
}

// valueOf looks a key of a ConfigMap up.
func valueOf(objects []*object, namespace string, ref *corev1.ConfigMapKeySelector) (string, bool) {
	for _, m := range objects {
		if m.config != nil && m.meta.Namespace == namespace && m.meta.Name == ref.Name {
			v, ok := m.config.Data[ref.Key]
			return v, ok
		}
	}
	return "", false
}

// checkPorts holds the ports of a container to its command line, and its probes to both.
func checkPorts(t *testing.T, pod string, c *corev1.Container) {
	t.Helper()
	listens := map[string]bool{}
	for _, a := range c.Args {
		if flag, addr, ok := strings.Cut(a, "listen=:"); ok && strings.HasPrefix(flag, "--") {
			listens[addr] = true
		}
	}
	names := map[string]string{}
	for _, p := range c.Ports {
		number := fmt.Sprint(p.ContainerPort)
		names[p.Name] = number
		if !listens[number] {
			t.Errorf("%s: port %s is %s, where %v does not listen", pod, p.Name, number, c.Args)
		}
	}
	for name, p := range map[string]*corev1.Probe{"liveness": c.LivenessProbe, "readiness": c.ReadinessProbe, "startup": c.StartupProbe} {
		if p == nil {
			if name != "startup" {
				t.Errorf("%s: no %s probe", pod, name)
			}
			continue
		}
		if p.HTTPGet.Port.Type != intstr.String || names[p.HTTPGet.Port.StrVal] == "" {
			t.Errorf("%s: the %s probe asks port %s", pod, name, p.HTTPGet.Port.String())
		}
		want := "/healthz"
		if name == "readiness" {
			want = "/readyz"
		}
		if p.HTTPGet.Path != want {
			t.Errorf("%s: the %s probe asks %s, want %s", pod, name, p.HTTPGet.Path, want)
		}
	}
}

// beyond is what pods may do that the restricted standard forbids, and why it must be.
var beyond = map[string][]string{
	// A cache that outlives the pod is a folder of the node, which the kubelet makes
	// as root's: one container hands it over.
	"starling-peer": {
		`unrestricted capabilities (container "own" must not include "CHOWN" in securityContext.capabilities.add)`,
		`restricted volume types (volume "cache" uses restricted volume type "hostPath")`,
		`runAsNonRoot != true (container "own" must not set securityContext.runAsNonRoot=false)`,
		`runAsUser=0 (container "own" must not set runAsUser=0)`,
	},
}

// checkAdmission asks the admission controller of Kubernetes: by the restricted standard,
// and by the one that the namespace enforces.
func checkAdmission(t *testing.T, objects []*object, o *object) {
	t.Helper()
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks())
	if err != nil {
		t.Fatal(err)
	}
	pod := &o.workload.pod
	ask := func(level api.Level) (refused []string) {
		for _, r := range evaluator.EvaluatePod(api.LevelVersion{Level: level, Version: api.LatestVersion()}, &pod.ObjectMeta, &pod.Spec) {
			if !r.Allowed {
				refused = append(refused, r.ForbiddenReason+" ("+r.ForbiddenDetail+")")
			}
		}
		return refused
	}
	if got := ask(api.LevelRestricted); !slices.Equal(got, beyond[o.meta.Name]) {
		t.Errorf("%s: the restricted standard refuses\n%s, want\n%s", o.meta.Name, strings.Join(got, "\n"), strings.Join(beyond[o.meta.Name], "\n"))
	}
	for _, n := range objects {
		if n.namespace == nil || n.meta.Name != o.meta.Namespace {
			continue
		}
		level := api.Level(n.meta.Labels[api.EnforceLevelLabel])
		if level == "" {
			t.Errorf("namespace %s enforces nothing", n.meta.Name)
		}
		if got := ask(level); len(got) > 0 {
			t.Errorf("%s: its namespace, which is %s, refuses %v", o.meta.Name, level, got)
		}
	}
}
