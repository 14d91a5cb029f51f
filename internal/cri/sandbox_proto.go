package cri

import (
	pb "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// toPB is the config as it goes over the wire and into crictl's files.
func (s SandboxConfig) toPB() *pb.PodSandboxConfig {
	return &pb.PodSandboxConfig{
		Metadata:     &pb.PodSandboxMetadata{Name: s.Name, Namespace: s.Namespace, Uid: s.UID, Attempt: s.Attempt},
		Hostname:     s.Hostname,
		LogDirectory: s.LogDirectory,
		DnsConfig:    s.DNS.toPB(),
		PortMappings: portMappingsToPB(s.PortMappings),
		Labels:       s.Labels,
		Annotations:  s.Annotations,
		Linux: &pb.LinuxPodSandboxConfig{
			CgroupParent: s.CgroupParent,
			Sysctls:      s.Sysctls,
			SecurityContext: &pb.LinuxSandboxSecurityContext{
				NamespaceOptions: &pb.NamespaceOption{Pid: pb.NamespaceMode(s.PIDNamespace)},
				Privileged:       s.Privileged,
			},
		},
	}
}

func (d *DNSConfig) toPB() *pb.DNSConfig {
	if d == nil {
		return nil
	}
	return &pb.DNSConfig{Servers: d.Servers, Searches: d.Searches, Options: d.Options}
}

func portMappingsToPB(ports []PortMapping) []*pb.PortMapping {
	var out []*pb.PortMapping
	for _, p := range ports {
		out = append(out, &pb.PortMapping{
			Protocol:      pb.Protocol(p.Protocol),
			ContainerPort: int32(p.ContainerPort),
			HostPort:      int32(p.HostPort),
			HostIp:        p.HostIP,
		})
	}
	return out
}

func sandboxConfigFromPB(p *pb.PodSandboxConfig) SandboxConfig {
	security := p.GetLinux().GetSecurityContext()
	s := SandboxConfig{
		Name:         p.GetMetadata().GetName(),
		Namespace:    p.GetMetadata().GetNamespace(),
		UID:          p.GetMetadata().GetUid(),
		Attempt:      p.GetMetadata().GetAttempt(),
		Hostname:     p.GetHostname(),
		LogDirectory: p.GetLogDirectory(),
		Labels:       p.GetLabels(),
		Annotations:  p.GetAnnotations(),
		CgroupParent: p.GetLinux().GetCgroupParent(),
		Sysctls:      p.GetLinux().GetSysctls(),
		Privileged:   security.GetPrivileged(),
		PIDNamespace: NamespaceMode(security.GetNamespaceOptions().GetPid()),
	}
	if d := p.GetDnsConfig(); d != nil {
		s.DNS = &DNSConfig{Servers: d.Servers, Searches: d.Searches, Options: d.Options}
	}
	for _, m := range p.GetPortMappings() {
		s.PortMappings = append(s.PortMappings, PortMapping{
			Protocol:      Protocol(m.Protocol),
			ContainerPort: int(m.ContainerPort),
			HostPort:      int(m.HostPort),
			HostIP:        m.HostIp,
		})
	}
	return s
}
