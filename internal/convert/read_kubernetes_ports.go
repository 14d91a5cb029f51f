package convert

import (
	"cmp"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"vmctl/internal/recipe"
)

// ports are the container's and those that a Service leads to. A port of the node
// becomes the same one of this host; one that only the cluster reached, a free one
// on 127.0.0.1.
func (m *manifestFile) ports(p pod, c corev1.Container) []Port {
	var out []Port
	for _, cp := range c.Ports {
		port := Port{Name: cp.Name, Guest: int(cp.ContainerPort), Protocol: protocolOf(cp.Protocol), Address: recipe.Loopback}
		if cp.HostPort != 0 {
			port.Host, port.Address = int(cp.HostPort), cp.HostIP
		}
		out = append(out, port)
	}
	for _, s := range m.services {
		if !selects(s.Spec.Selector, p.labels) {
			continue
		}
		for _, sp := range s.Spec.Ports {
			out = withService(out, sp, targetOf(sp, c), s.Spec.Type)
		}
		if s.Spec.Type == corev1.ServiceTypeLoadBalancer {
			m.notes.add("Service/"+s.Name, "there is no load balancer: the ports are forwarded on this host")
		}
	}
	return out
}

func protocolOf(p corev1.Protocol) string { return strings.ToLower(cmp.Or(string(p), "tcp")) }

// selects tells whether a Service is for pods with these labels.
func selects(selector, labels map[string]string) bool {
	for name, value := range selector {
		if labels[name] != value {
			return false
		}
	}
	return len(selector) > 0
}

// targetOf is the number that a Service's port leads to.
func targetOf(sp corev1.ServicePort, c corev1.Container) int {
	if sp.TargetPort.Type == intstr.String {
		for _, cp := range c.Ports {
			if cp.Name == sp.TargetPort.StrVal {
				return int(cp.ContainerPort)
			}
		}
	}
	return cmp.Or(sp.TargetPort.IntValue(), int(sp.Port))
}

// withService adds what a Service says of a port.
func withService(ports []Port, sp corev1.ServicePort, guest int, kind corev1.ServiceType) []Port {
	protocol := protocolOf(sp.Protocol)
	host := 0
	switch {
	case sp.NodePort != 0:
		host = int(sp.NodePort)
	case kind == corev1.ServiceTypeLoadBalancer:
		host = int(sp.Port)
	}
	for i := range ports {
		p := &ports[i]
		if p.Guest != guest || p.Protocol != protocol {
			continue
		}
		if p.Name == "" {
			p.Name = sp.Name
		}
		if host != 0 && p.Host == 0 {
			p.Host, p.Address = host, ""
		}
		return ports
	}
	p := Port{Name: sp.Name, Guest: guest, Protocol: protocol, Address: recipe.Loopback}
	if host != 0 {
		p.Host, p.Address = host, ""
	}
	return append(ports, p)
}
