package convert

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/intstr"

	"vmctl/internal/recipe"
)

// podBuilder gathers a pod's parts and what stands beside it.
type podBuilder struct {
	w           Workload
	kind        Kind
	volumes     []corev1.Volume
	mounts      []corev1.VolumeMount
	claims      []*corev1.PersistentVolumeClaim
	annotations map[string]string
	notes       []Note
}

func newPodBuilder(w Workload, kind Kind) *podBuilder { return &podBuilder{w: w, kind: kind} }

func (b *podBuilder) note(where, format string, args ...any) {
	b.notes = append(b.notes, Note{where, fmt.Sprintf(format, args...)})
}

// build makes the pod. The guest gets no token of the API, and none of the variables
// that Kubernetes makes of Services: the images take their names for settings.
func (b *podBuilder) build() corev1.PodSpec {
	w := b.w
	for _, m := range w.Mounts {
		b.mount(m)
	}
	for _, d := range w.Devices {
		b.device(d)
	}
	c := corev1.Container{
		Name: w.Name, Image: w.Image, ImagePullPolicy: corev1.PullIfNotPresent,
		Env: b.env(), Ports: b.ports(), Resources: b.resources(), VolumeMounts: b.mounts, SecurityContext: b.security(),
	}
	if web := w.env("WEB"); web == "" || enabled(web) {
		c.ReadinessProbe = &corev1.Probe{PeriodSeconds: 10,
			ProbeHandler: corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{Port: intstr.FromInt32(screenPort)}}}
	}
	spec := corev1.PodSpec{
		Containers: []corev1.Container{c}, Volumes: b.volumes,
		TerminationGracePeriodSeconds: new(int64(w.grace().Seconds())),
		AutomountServiceAccountToken:  new(false), EnableServiceLinks: new(false),
	}
	if len(w.Sysctls) > 0 {
		spec.SecurityContext = b.sysctls()
	}
	if w.RuntimeHandler != "" {
		spec.RuntimeClassName = new(w.RuntimeHandler)
		b.note("runtime_handler", "needs a RuntimeClass of the name %q, with that handler", w.RuntimeHandler)
	}
	if w.LAN {
		b.annotations = map[string]string{"k8s.v1.cni.cncf.io/networks": lanNetwork}
		b.note("network", "needs Multus and a macvlan NetworkAttachmentDefinition of the name %q; no Service leads to the guest, which has an address of its own", lanNetwork)
	}
	b.lifecycle(&spec)
	return spec
}

// grace is at least the image's TIMEOUT and recipe.StopMargin: Kubernetes kills after it.
func (w Workload) grace() time.Duration {
	seconds, err := strconv.Atoi(w.env("TIMEOUT"))
	if err != nil {
		return w.StopGrace
	}
	return max(w.StopGrace, time.Duration(seconds)*time.Second+recipe.StopMargin)
}

func (b *podBuilder) lifecycle(spec *corev1.PodSpec) {
	if b.kind == StatefulSet {
		if b.w.Restart != "always" {
			b.note("lifecycle.restart", "Kubernetes starts the guest again when it ends, also when it switches itself off; --kind Pod does not")
		}
		return
	}
	spec.Hostname = b.w.Hostname
	switch b.w.Restart {
	case "always":
		spec.RestartPolicy = corev1.RestartPolicyAlways
	case "on-failure":
		spec.RestartPolicy = corev1.RestartPolicyOnFailure
	default:
		spec.RestartPolicy = corev1.RestartPolicyNever
	}
}

// overhead is what QEMU and the image's helpers need beside the guest's memory.
const overhead = 512 * recipe.MiB

// resources asks for the guest's processors and memory. There is no limit: who reaches
// one of memory is killed.
func (b *podBuilder) resources() corev1.ResourceRequirements {
	requests := corev1.ResourceList{}
	if cpus, err := recipe.ParseCPUs(b.w.env("CPU_CORES")); err == nil && cpus.Word == "" {
		requests[corev1.ResourceCPU] = *resource.NewQuantity(int64(cpus.Count), resource.DecimalSI)
	} else {
		b.note("resources.cpus", "no request for %q processors: Kubernetes wants a number", b.w.env("CPU_CORES"))
	}
	if memory, err := recipe.ParseSize(b.w.env("RAM_SIZE")); err == nil && memory.Word == "" {
		requests[corev1.ResourceMemory] = *resource.NewQuantity(memory.Bytes+overhead, resource.BinarySI)
	} else {
		b.note("resources.memory", "no request for %q of the memory: Kubernetes wants a number", b.w.env("RAM_SIZE"))
	}
	return corev1.ResourceRequirements{Requests: requests}
}

func (b *podBuilder) security() *corev1.SecurityContext {
	s := &corev1.SecurityContext{}
	if b.w.Privileged {
		s.Privileged = new(true)
	} else {
		s.SeccompProfile = &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault}
		b.note("security", "the kubelet lets an unprivileged container see /dev/kvm and /dev/net/tun, and not open them: "+
			"add a device plugin's resource, such as devices.kubevirt.io/kvm, or use --set security=privileged")
	}
	if len(b.w.Capabilities) > 0 {
		s.Capabilities = &corev1.Capabilities{}
		for _, name := range b.w.Capabilities {
			s.Capabilities.Add = append(s.Capabilities.Add, corev1.Capability(name))
		}
	}
	return s
}

func (b *podBuilder) sysctls() *corev1.PodSecurityContext {
	s := &corev1.PodSecurityContext{}
	for _, name := range slices.Sorted(maps.Keys(b.w.Sysctls)) {
		s.Sysctls = append(s.Sysctls, corev1.Sysctl{Name: name, Value: b.w.Sysctls[name]})
		b.note("security", "%s is an unsafe sysctl for Kubernetes: the node's kubelet must allow it (--allowed-unsafe-sysctls=%s)", name, name)
	}
	return s
}

// device shows a device of the node; a node without it never gets the pod.
func (b *podBuilder) device(d Device) {
	if d.CDI != "" {
		b.note("devices", "%s is left out: in Kubernetes a device plugin or a ResourceClaim gives it", d.CDI)
		return
	}
	target := d.Target
	if target == "" {
		target = d.Path
	}
	kind := corev1.HostPathCharDev
	if slices.ContainsFunc(b.w.Env, func(e EnvVar) bool { return strings.HasPrefix(e.Name, "DEVICE") && e.Value == target }) {
		kind = corev1.HostPathBlockDev // a disk of the guest (qemus/qemu src/disk.sh)
	}
	b.hostPath(path.Base(d.Path), d.Path, &kind, corev1.VolumeMount{MountPath: target})
}
