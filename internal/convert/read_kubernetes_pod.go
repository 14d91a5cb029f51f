package convert

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// podTexts says what becomes of the fields of a pod.
func podTexts() map[string]string {
	const scheduling = "not carried over: the machine runs on this host"
	return map[string]string{
		"containers": carried, "volumes": carried, "restartPolicy": carried, "runtimeClassName": carried,
		"terminationGracePeriodSeconds": carried, "securityContext": carried,
		"nodeSelector": scheduling, "affinity": scheduling, "tolerations": scheduling, "nodeName": scheduling,
		"topologySpreadConstraints": scheduling, "priorityClassName": scheduling, "schedulerName": scheduling,
		"hostNetwork":      "not carried over: the images refuse the host's network",
		"hostname":         "not carried over: each machine has a host name of its own, and the guest's MAC address is made from it",
		"initContainers":   "not carried over: what they prepare must be there before",
		"imagePullSecrets": "not carried over: pull the image first, with vmctl image pull",
	}
}

// containerTexts says what becomes of the fields of a container.
func containerTexts() map[string]string {
	const probe = "not carried over: lifecycle.ready says when the machine is ready"
	return map[string]string{
		"name": carried, "image": carried, "env": carried, "ports": carried, "volumeMounts": carried, "securityContext": carried,
		"command":         "not carried over: the images' own entry point starts the machine",
		"args":            "not carried over: the images' own command starts the machine",
		"envFrom":         "not carried over: write the variables into [env]",
		"imagePullPolicy": "not carried over: an image is pulled when it is not there",
		"livenessProbe":   probe, "readinessProbe": probe, "startupProbe": probe,
		"lifecycle":     "not carried over: the images shut the guest down by themselves",
		"resources":     "not carried over: vmctl sets no limits; the guest gets what [resources] says",
		"volumeDevices": "not carried over: write [[disks]] device",
	}
}

func (m *manifestFile) workload(p pod, c corev1.Container) Workload {
	w := Workload{
		Name:   p.name,
		Image:  c.Image,
		Origin: m.origin(p),
		Env:    m.environment(p, c),
		Ports:  m.ports(p, c),
	}
	m.volumes(p, c, &w)
	m.privileges(p, c, &w)
	if s := p.spec.TerminationGracePeriodSeconds; s != nil {
		w.StopGrace = time.Duration(min(max(*s, 0), maxGraceSeconds)) * time.Second
	}
	switch p.spec.RestartPolicy {
	case corev1.RestartPolicyAlways:
		w.Restart = "always"
	case corev1.RestartPolicyOnFailure:
		w.Restart = "on-failure"
	case corev1.RestartPolicyNever:
		w.Restart = "no"
	}
	if p.spec.RuntimeClassName != nil {
		w.RuntimeHandler = *p.spec.RuntimeClassName
		m.notes.add(p.at("runtimeClassName"), "taken for the runtime handler of that name")
	}
	m.notes.rest(p.kind+"/"+p.name, p.spec, podTexts())
	for _, other := range p.spec.Containers {
		if other.Name != c.Name {
			m.notes.add(p.at("containers."+other.Name), "not carried over: a machine is one container")
		}
	}
	m.notes.rest(p.at("containers."+c.Name), c, containerTexts())
	return w
}

// maxGraceSeconds keeps a stop grace in the range of time.Duration.
const maxGraceSeconds = 1 << 30

// environment is the container's, with the values of ConfigMaps that are in the file.
func (m *manifestFile) environment(p pod, c corev1.Container) []EnvVar {
	var out []EnvVar
	for _, e := range c.Env {
		where := p.at("env." + e.Name)
		from := e.ValueFrom
		switch {
		case from == nil:
			out = append(out, EnvVar{Name: e.Name, Value: expand(e.Value, out)})
		case from.SecretKeyRef != nil:
			ref := from.SecretKeyRef
			out = append(out, EnvVar{Name: e.Name, Secret: fmt.Sprintf("secret %s, key %s", ref.Name, ref.Key),
				Fetch: &Fetch{Command: []string{"kubectl", "get", "secret", ref.Name, "-o",
					fmt.Sprintf("go-template={{index .data %q | base64decode}}", ref.Key)}}})
			m.notes.add(where, "fetched with kubectl at each start; [secrets] can also name a file, a command or the keyring")
		case from.ConfigMapKeyRef != nil && m.config(from.ConfigMapKeyRef) != nil:
			out = append(out, EnvVar{Name: e.Name, Value: *m.config(from.ConfigMapKeyRef)})
		default:
			m.notes.add(where, "left out: its value comes from elsewhere in the cluster; write it into [env]")
		}
	}
	return out
}

// expansion is what Kubernetes replaces in a value: $(NAME), and $$ for a $.
var expansion = regexp.MustCompile(`\$\$|\$\([^)]*\)`)

// expand replaces the variables that stand before in the list; those that do not are
// left as they are (Kubernetes API, EnvVar.value).
func expand(value string, before []EnvVar) string {
	return expansion.ReplaceAllStringFunc(value, func(found string) string {
		if found == "$$" {
			return "$"
		}
		for _, e := range slices.Backward(before) {
			if e.Name == found[2:len(found)-1] && e.Secret == "" {
				return e.Value
			}
		}
		return found
	})
}

func (m *manifestFile) config(ref *corev1.ConfigMapKeySelector) *string {
	for _, c := range m.configs {
		if value, ok := c.Data[ref.Key]; ok && c.Name == ref.Name {
			return &value
		}
	}
	return nil
}

func (m *manifestFile) privileges(p pod, c corev1.Container, w *Workload) {
	if s := c.SecurityContext; s != nil {
		w.Privileged = s.Privileged != nil && *s.Privileged
		if s.Capabilities != nil {
			for _, name := range s.Capabilities.Add {
				w.Capabilities = append(w.Capabilities, capabilities([]string{string(name)})...)
			}
		}
		m.notes.rest(p.at("containers."+c.Name+".securityContext"), s, map[string]string{
			"privileged": carried, "capabilities": carried, "allowPrivilegeEscalation": carried,
			"runAsUser": "not carried over: the images run as root",
		})
	}
	if s := p.spec.SecurityContext; s != nil {
		for _, ctl := range s.Sysctls {
			if w.Sysctls == nil {
				w.Sysctls = map[string]string{}
			}
			w.Sysctls[ctl.Name] = ctl.Value
		}
		m.notes.rest(p.at("securityContext"), s, map[string]string{"sysctls": carried})
	}
}

// volumes are the container's mounts; those that show device nodes are devices.
func (m *manifestFile) volumes(p pod, c corev1.Container, w *Workload) {
	for _, mount := range c.VolumeMounts {
		where := p.at("volumes." + mount.Name)
		v := p.volume(mount.Name)
		switch {
		case mount.SubPath != "" || mount.SubPathExpr != "":
			m.notes.add(where, "not carried over: a part of a volume, %q", mount.SubPath+mount.SubPathExpr)
		case v.HostPath != nil && isDeviceVolume(v.HostPath, mount.MountPath):
			d := Device{Path: v.HostPath.Path}
			if mount.MountPath != d.Path {
				d.Target = mount.MountPath
			}
			w.Devices = append(w.Devices, d)
		case v.HostPath != nil:
			w.Mounts = append(w.Mounts, Mount{Source: v.HostPath.Path, Target: mount.MountPath, ReadOnly: mount.ReadOnly})
		case v.PersistentVolumeClaim != nil || v.Name == "":
			w.Mounts = append(w.Mounts, m.claim(where, v, mount))
		default:
			m.notes.add(where, "not carried over: what is mounted at %s lives in the cluster only; put it into a folder and write [[mounts]]", mount.MountPath)
		}
	}
}

// isDeviceVolume tells a device node. Device nodes are often mounted without saying
// that they are.
func isDeviceVolume(v *corev1.HostPathVolumeSource, target string) bool {
	if v.Type != nil && (*v.Type == corev1.HostPathCharDev || *v.Type == corev1.HostPathBlockDev) {
		return true
	}
	return v.Path == target && strings.HasPrefix(target, "/dev/") && target != usbDevices
}

func (p pod) volume(name string) corev1.Volume {
	for _, v := range p.spec.Volumes {
		if v.Name == name {
			return v
		}
	}
	return corev1.Volume{}
}

// claim is a mounted claim: by name, or one that a StatefulSet makes for each pod.
func (m *manifestFile) claim(where string, v corev1.Volume, mount corev1.VolumeMount) Mount {
	out := Mount{Source: mount.Name, Target: mount.MountPath, ReadOnly: mount.ReadOnly, Volume: true}
	if v.PersistentVolumeClaim != nil {
		out.Source = v.PersistentVolumeClaim.ClaimName
	}
	for _, c := range m.claims {
		if size, ok := c.Spec.Resources.Requests[corev1.ResourceStorage]; ok && c.Name == out.Source {
			out.Size = size.String()
		}
	}
	m.notes.add(where, "what is in the claim %q is not carried over: end the pod, copy the claim's files into a directory DIR of this host, and write %s", out.Source, keyFor(mount.MountPath))
	return out
}
