package check

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

// object is one document of a rendered overlay, in the one of its fields that is not nil.
type object struct {
	meta metav1.ObjectMeta
	kind string

	namespace *corev1.Namespace
	config    *corev1.ConfigMap
	service   *corev1.Service
	budget    *policyv1.PodDisruptionBudget
	policy    *networkingv1.NetworkPolicy
	monitor   *monitoringv1.PodMonitor
	rules     *monitoringv1.PrometheusRule
	// workload is what a DaemonSet, Deployment or StatefulSet says of its pods.
	workload *workload
}

type workload struct {
	selector *metav1.LabelSelector
	pod      corev1.PodTemplateSpec
	// claims are the volumes that the workload makes for each pod.
	claims []string
}

// render builds a folder as `kubectl apply -k` does and reads every document strictly.
func render(t *testing.T, folder string) []*object {
	t.Helper()
	all, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), folder)
	if err != nil {
		t.Fatal(err)
	}
	var objects []*object
	for _, r := range all.Resources() {
		text, err := r.AsYAML()
		if err != nil {
			t.Fatal(err)
		}
		o, err := read(r.GetApiVersion()+" "+r.GetKind(), text)
		if err != nil {
			t.Errorf("%s: %v", r.CurId(), err)
			continue
		}
		objects = append(objects, o)
	}
	return objects
}

func read(kind string, text []byte) (*object, error) {
	o := &object{kind: kind}
	var into any
	var sts appsv1.StatefulSet
	var ds appsv1.DaemonSet
	var dep appsv1.Deployment
	switch kind {
	case "v1 Namespace":
		o.namespace = new(corev1.Namespace)
		into = o.namespace
	case "v1 ConfigMap":
		o.config = new(corev1.ConfigMap)
		into = o.config
	case "v1 Service":
		o.service = new(corev1.Service)
		into = o.service
	case "policy/v1 PodDisruptionBudget":
		o.budget = new(policyv1.PodDisruptionBudget)
		into = o.budget
	case "networking.k8s.io/v1 NetworkPolicy":
		o.policy = new(networkingv1.NetworkPolicy)
		into = o.policy
	case "monitoring.coreos.com/v1 PodMonitor":
		o.monitor = new(monitoringv1.PodMonitor)
		into = o.monitor
	case "monitoring.coreos.com/v1 PrometheusRule":
		o.rules = new(monitoringv1.PrometheusRule)
		into = o.rules
	case "apps/v1 StatefulSet":
		into = &sts
	case "apps/v1 DaemonSet":
		into = &ds
	case "apps/v1 Deployment":
		into = &dep
	default:
		return nil, fmt.Errorf("nobody has said how to check a %s", kind)
	}
	if err := yaml.UnmarshalStrict(text, into); err != nil {
		return nil, err
	}
	switch {
	case sts.Name != "":
		o.workload = &workload{selector: sts.Spec.Selector, pod: sts.Spec.Template}
		for _, c := range sts.Spec.VolumeClaimTemplates {
			o.workload.claims = append(o.workload.claims, c.Name)
		}
	case ds.Name != "":
		o.workload = &workload{selector: ds.Spec.Selector, pod: ds.Spec.Template}
	case dep.Name != "":
		o.workload = &workload{selector: dep.Spec.Selector, pod: dep.Spec.Template}
	}
	return o, yaml.Unmarshal(text, &struct {
		Metadata *metav1.ObjectMeta `json:"metadata"`
	}{&o.meta})
}

const demo = "../kubernetes/overlays/demo"

// kinds are the kinds of objects, sorted.
func kinds(objects []*object) string {
	var names []string
	for _, o := range objects {
		names = append(names, o.kind[strings.Index(o.kind, " ")+1:])
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

// TestKubernetes renders base and overlay, and the latter with what only Prometheus
// Operator knows, and looks for what refers to nothing.
func TestKubernetes(t *testing.T) {
	if got, want := kinds(render(t, "../kubernetes/base")), "DaemonSet Namespace Namespace NetworkPolicy NetworkPolicy PodDisruptionBudget Service StatefulSet"; got != want {
		t.Errorf("the base has\n%s, want\n%s", got, want)
	}
	want := "ConfigMap ConfigMap DaemonSet Deployment Namespace Namespace NetworkPolicy NetworkPolicy PodDisruptionBudget Service StatefulSet"
	if got := kinds(render(t, demo)); got != want {
		t.Errorf("the overlay has\n%s, want\n%s", got, want)
	}
	objects := demoWith(t, "podmonitors")
	if got, want := kinds(objects), strings.Replace(want, " Service", " PodMonitor PodMonitor Service", 1); got != want {
		t.Errorf("with the operator it has\n%s, want\n%s", got, want)
	}
	for _, o := range objects {
		if o.namespace == nil && !exists(objects, "v1 Namespace", "", o.meta.Namespace) {
			t.Errorf("%s %s: there is no namespace %q", o.kind, o.meta.Name, o.meta.Namespace)
		}
		if errs := validation.IsDNS1123Subdomain(o.meta.Name); errs != nil {
			t.Errorf("%s %s: %v", o.kind, o.meta.Name, errs)
		}
		checkSelects(t, objects, o)
		if o.workload != nil {
			checkPod(t, objects, o)
		}
	}
}

func exists(objects []*object, kind, namespace, name string) bool {
	return slices.ContainsFunc(objects, func(o *object) bool {
		return o.kind == kind && o.meta.Namespace == namespace && o.meta.Name == name
	})
}

// checkSelects finds the pods that an object is about, and in them the ports it names.
func checkSelects(t *testing.T, objects []*object, o *object) {
	t.Helper()
	var selector *metav1.LabelSelector
	var ports []string
	switch {
	case o.workload != nil:
		selector = o.workload.selector
	case o.service != nil:
		selector = &metav1.LabelSelector{MatchLabels: o.service.Spec.Selector}
		for _, p := range o.service.Spec.Ports {
			ports = append(ports, p.TargetPort.String()+"/"+string(protocol(p.Protocol)))
		}
	case o.budget != nil:
		selector = o.budget.Spec.Selector
	case o.policy != nil:
		selector = &o.policy.Spec.PodSelector
		for _, in := range o.policy.Spec.Ingress {
			for _, p := range in.Ports {
				proto := corev1.ProtocolTCP
				if p.Protocol != nil {
					proto = *p.Protocol
				}
				ports = append(ports, p.Port.String()+"/"+string(proto))
			}
		}
	case o.monitor != nil:
		selector = &o.monitor.Spec.Selector
		for _, e := range o.monitor.Spec.PodMetricsEndpoints {
			ports = append(ports, *e.Port+"/TCP")
		}
	default:
		return
	}
	s, err := metav1.LabelSelectorAsSelector(selector)
	if err != nil {
		t.Fatalf("%s %s: %v", o.kind, o.meta.Name, err)
	}
	found := 0
	for _, w := range objects {
		if w.workload == nil || w.meta.Namespace != o.meta.Namespace || !s.Matches(labels.Set(w.workload.pod.Labels)) {
			continue
		}
		found++
		if o.workload != nil && w != o {
			t.Errorf("%s %s selects the pods of %s, too", o.kind, o.meta.Name, w.meta.Name)
		}
		for _, p := range ports {
			if !slices.Contains(portsOf(w), p) {
				t.Errorf("%s %s names port %s; %s has %v", o.kind, o.meta.Name, p, w.meta.Name, portsOf(w))
			}
		}
	}
	if found == 0 {
		t.Errorf("%s %s selects no pods", o.kind, o.meta.Name)
	}
}

func protocol(p corev1.Protocol) corev1.Protocol {
	if p == "" {
		return corev1.ProtocolTCP
	}
	return p
}

// portsOf lists the names of a workload's ports, as NAME/PROTOCOL.
func portsOf(o *object) (ports []string) {
	for _, c := range o.workload.pod.Spec.Containers {
		for _, p := range c.Ports {
			ports = append(ports, p.Name+"/"+string(protocol(p.Protocol)))
		}
	}
	return ports
}

// TestNotStrict: a field that nobody knows, and a kind, are errors.
func TestNotStrict(t *testing.T) {
	for kind, text := range map[string]string{
		"v1 Service": "apiVersion: v1\nkind: Service\nmetadata: {name: x}\nspec: {port: 1}\n",
		"v1 Secret":  "apiVersion: v1\nkind: Secret\nmetadata: {name: x}\n",
	} {
		if _, err := read(kind, bytes.TrimSpace([]byte(text))); err == nil {
			t.Errorf("%s: read", kind)
		}
	}
}
