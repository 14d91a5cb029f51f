package convert

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/validation"
)

// exportedManifest is what a file holds.
type exportedManifest struct {
	claims  map[string]*corev1.PersistentVolumeClaim
	service *corev1.Service
	set     *appsv1.StatefulSet
	pod     corev1.PodTemplateSpec
}

// readManifest decodes as the API server does with fieldValidation=Strict: a key that
// the type does not have, or that is there twice, is an error.
func readManifest(t *testing.T, data []byte) exportedManifest {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := appsv1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	if err := corev1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	decoder := serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDeserializer()
	out := exportedManifest{claims: map[string]*corev1.PersistentVolumeClaim{}}
	for _, document := range bytes.Split(data, []byte("---\n"))[1:] {
		object, _, err := decoder.Decode(document, nil, nil)
		if err != nil {
			t.Fatalf("%v\n%s", err, document)
		}
		switch o := object.(type) {
		case *corev1.PersistentVolumeClaim:
			out.claims[o.Name] = o
		case *corev1.Service:
			out.service = o
		case *appsv1.StatefulSet:
			out.set, out.pod = o, o.Spec.Template
		case *corev1.Pod:
			out.pod = corev1.PodTemplateSpec{ObjectMeta: o.ObjectMeta, Spec: o.Spec}
		default:
			t.Fatalf("unexpected %T", o)
		}
	}
	for _, noise := range []string{"creationTimestamp", "status:", "null", "{}"} {
		if strings.Contains(string(data), noise) {
			t.Errorf("the file says %s", noise)
		}
	}
	return out
}

func everyManifest(t *testing.T, check func(t *testing.T, m Machine, kind Kind, f exportedManifest)) {
	for name, m := range exportedRecipes(t) {
		for _, kind := range Kinds() {
			t.Run(name+"/"+string(kind), func(t *testing.T) {
				data, _, err := m.Kubernetes(kind)
				if err != nil {
					t.Fatal(err)
				}
				check(t, m, kind, readManifest(t, data))
			})
		}
	}
}

func TestKubernetesFitsTogether(t *testing.T) {
	everyManifest(t, func(t *testing.T, m Machine, kind Kind, f exportedManifest) {
		own := labels.Set(f.pod.Labels)
		if f.service != nil && !labels.SelectorFromSet(f.service.Spec.Selector).Matches(own) {
			t.Errorf("the Service selects %v, the pod has %v", f.service.Spec.Selector, own)
		}
		if kind == StatefulSet {
			if !labels.SelectorFromSet(f.set.Spec.Selector.MatchLabels).Matches(own) {
				t.Errorf("the StatefulSet selects %v, the pod has %v", f.set.Spec.Selector, own)
			}
			if f.service != nil && f.set.Spec.ServiceName != f.service.Name {
				t.Errorf("serviceName %q, the Service is %q", f.set.Spec.ServiceName, f.service.Name)
			}
		}
		volumes, used := map[string]bool{}, map[string]bool{}
		for _, v := range f.pod.Spec.Volumes {
			if claim := v.PersistentVolumeClaim; claim != nil && f.claims[claim.ClaimName] == nil {
				t.Errorf("no claim %q", claim.ClaimName)
			}
			if volumes[v.Name] || len(validation.IsDNS1123Label(v.Name)) > 0 {
				t.Errorf("volume %q: twice, or no label", v.Name)
			}
			volumes[v.Name] = true
		}
		for _, v := range f.pod.Spec.Containers[0].VolumeMounts {
			if !volumes[v.Name] || used[v.MountPath] {
				t.Errorf("mount %s of volume %q: no volume, or twice", v.MountPath, v.Name)
			}
			used[v.MountPath] = true
		}
		if !used["/storage"] || !used["/dev/kvm"] || !used["/dev/net/tun"] {
			t.Errorf("mounts %v", used)
		}
	})
}

func TestKubernetesNames(t *testing.T) {
	everyManifest(t, func(t *testing.T, m Machine, kind Kind, f exportedManifest) {
		names := map[string][]string{"container": validation.IsDNS1123Label(f.pod.Spec.Containers[0].Name)}
		for name := range f.claims {
			names["claim "+name] = validation.IsDNS1123Subdomain(name)
		}
		type number struct {
			port     int32
			protocol corev1.Protocol
		}
		ports, seen := map[string]number{}, map[number]bool{}
		for _, p := range f.pod.Spec.Containers[0].Ports {
			names["port "+p.Name] = validation.IsValidPortName(p.Name)
			at := number{p.ContainerPort, p.Protocol}
			if _, twice := ports[p.Name]; twice || seen[at] {
				t.Errorf("port %q is there twice", p.Name)
			}
			ports[p.Name], seen[at] = at, true
		}
		if f.service != nil {
			names["service"] = validation.IsDNS1035Label(f.service.Name)
			for _, p := range f.service.Spec.Ports {
				if want := (number{p.Port, p.Protocol}); ports[p.Name] != want || p.TargetPort.IntVal != p.Port {
					t.Errorf("the Service's port %q is %v to %v, the container's %v", p.Name, want, p.TargetPort, ports[p.Name])
				}
				if p.Port == rfbPort {
					t.Error("VNC without a password in the Service")
				}
			}
		}
		for what, problems := range names {
			if len(problems) > 0 {
				t.Errorf("%s: %v", what, problems)
			}
		}
	})
}

// TestKubernetesIsSafe looks at what would kill a guest, or let two have one disk.
func TestKubernetesIsSafe(t *testing.T) {
	everyManifest(t, func(t *testing.T, m Machine, kind Kind, f exportedManifest) {
		spec, c := f.pod.Spec, f.pod.Spec.Containers[0]
		if grace := *spec.TerminationGracePeriodSeconds; grace < int64(m.Recipe.Lifecycle.StopGrace.Seconds()) {
			t.Errorf("grace is %d s", grace)
		}
		if c.LivenessProbe != nil || c.StartupProbe != nil || len(c.Resources.Limits) > 0 {
			t.Error("a probe or a limit would kill it")
		}
		if c.ReadinessProbe.TCPSocket.Port.IntVal != screenPort {
			t.Errorf("readiness: %v", c.ReadinessProbe)
		}
		for name, claim := range f.claims {
			if !slices.Equal(claim.Spec.AccessModes, []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce}) {
				t.Errorf("claim %s: %v", name, claim.Spec.AccessModes)
			}
		}
		if kind == StatefulSet {
			s := f.set.Spec
			if *s.Replicas != 1 || s.UpdateStrategy.Type != appsv1.OnDeleteStatefulSetStrategyType || spec.RestartPolicy != "" || spec.Hostname != "" {
				t.Errorf("replicas %d, %v, restart %q, hostname %q", *s.Replicas, s.UpdateStrategy, spec.RestartPolicy, spec.Hostname)
			}
		} else if spec.Hostname != m.Pod.Hostname || spec.RestartPolicy == "" {
			t.Errorf("hostname %q, restart %q", spec.Hostname, spec.RestartPolicy)
		}
		if m.Recipe.Security == "minimal" {
			if c.SecurityContext.Privileged != nil || spec.SecurityContext.Sysctls[0].Name != "net.ipv4.ip_forward" {
				t.Errorf("minimal: %v, %v", c.SecurityContext, spec.SecurityContext)
			}
		} else if !*c.SecurityContext.Privileged {
			t.Error("not privileged")
		}
		for _, e := range c.Env {
			secret, isSecret := m.Recipe.Secrets[e.Name]
			if isSecret != (e.ValueFrom != nil) || isSecret && e.Value != "" {
				t.Errorf("%s: %q, %v, %v", e.Name, e.Value, e.ValueFrom, secret)
			}
		}
	})
}

func TestDollars(t *testing.T) {
	for in, want := range map[string]string{"a": "a", "$a": "$a", "$(A)": "$$(A)", "$$": "$$$$", "$x $(y)": "$$x $$(y)"} {
		if got := dollars(in); got != want {
			t.Errorf("%q is written %q, want %q", in, got, want)
		}
	}
}

func TestPortNames(t *testing.T) {
	names := portNames{}
	for _, tt := range []struct {
		port Port
		want string
	}{
		{Port{Name: "viewer", Guest: 8006, Protocol: "tcp"}, "viewer"},
		{Port{Name: "Web Server!", Guest: 80, Protocol: "tcp"}, "web-server"},
		{Port{Name: "viewer", Guest: 81, Protocol: "tcp"}, "tcp-81"},
		{Port{Name: "", Guest: 82, Protocol: "udp"}, "udp-82"},
		{Port{Name: "83", Guest: 83, Protocol: "tcp"}, "tcp-83"},
		{Port{Name: "exactly-fifteen", Guest: 84, Protocol: "tcp"}, "exactly-fifteen"},
		{Port{Name: "exactly-fifteen-and-more", Guest: 65535, Protocol: "tcp"}, "tcp-65535"},
	} {
		if got := names.of(tt.port); got != tt.want {
			t.Errorf("%+v is named %q, want %q", tt.port, got, tt.want)
		}
	}
}
