package convert

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

func (b *podBuilder) env() []corev1.EnvVar {
	var out []corev1.EnvVar
	for _, e := range b.w.Env {
		v := corev1.EnvVar{Name: e.Name, Value: dollars(e.Value)}
		if e.Secret != "" {
			v.Value = ""
			v.ValueFrom = &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
				LocalObjectReference: corev1.LocalObjectReference{Name: b.w.secretName()}, Key: e.Name}}
		}
		out = append(out, v)
	}
	return out
}

// dollars keeps Kubernetes from replacing $(NAME), and $$ with $.
func dollars(s string) string {
	if strings.Contains(s, "$(") || strings.Contains(s, "$$") {
		return strings.ReplaceAll(s, "$", "$$")
	}
	return s
}

func (b *podBuilder) ports() []corev1.ContainerPort {
	var out []corev1.ContainerPort
	names := portNames{}
	var moved []string
	for _, p := range b.w.Ports {
		out = append(out, corev1.ContainerPort{Name: names.of(p), ContainerPort: int32(p.Guest), Protocol: protocol(p)})
		moved = append(moved, fmt.Sprintf("%s %s", p.Name, p.publish()))
		if p.Guest == rfbPort {
			b.note("ports."+p.Name, "not in the Service, as VNC has no password; kubectl port-forward reaches it")
		}
	}
	if len(moved) > 0 {
		b.note("ports", "no port of a host leads here; the Service has the guest's numbers instead of %s", strings.Join(moved, ", "))
	}
	return out
}

// portNames gives ports names that Kubernetes takes: at most 15 lower-case letters,
// digits and single hyphens, with a letter, each once.
type portNames map[string]bool

var notInPortName = regexp.MustCompile(`[^a-z0-9]+`)

func (used portNames) of(p Port) string {
	name := strings.Trim(notInPortName.ReplaceAllString(strings.ToLower(p.Name), "-"), "-")
	name = strings.Trim(name[:min(len(name), 15)], "-")
	if used[name] || strings.Trim(name, "0123456789-") == "" {
		name = p.Protocol + "-" + strconv.Itoa(p.Guest)
	}
	for n := 2; used[name]; n++ {
		name = fmt.Sprintf("%s-%d-%d", p.Protocol[:1], p.Guest, n)
	}
	used[name] = true
	return name
}
