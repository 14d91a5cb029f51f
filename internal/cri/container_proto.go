package cri

import (
	pb "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// toPB is the config as it goes over the wire and into crictl's files.
func (c ContainerConfig) toPB() *pb.ContainerConfig {
	out := &pb.ContainerConfig{
		Metadata:    &pb.ContainerMetadata{Name: c.Name, Attempt: c.Attempt},
		Image:       &pb.ImageSpec{Image: c.Image},
		Command:     c.Command,
		Args:        c.Args,
		WorkingDir:  c.WorkingDir,
		Labels:      c.Labels,
		Annotations: c.Annotations,
		LogPath:     c.LogPath,
		Linux: &pb.LinuxContainerConfig{
			SecurityContext: c.securityToPB(),
		},
	}
	for _, e := range c.Env {
		out.Envs = append(out.Envs, &pb.KeyValue{Key: e.Name, Value: []byte(e.Value)})
	}
	for _, m := range c.Mounts {
		out.Mounts = append(out.Mounts, &pb.Mount{HostPath: m.HostPath, ContainerPath: m.ContainerPath, Readonly: m.ReadOnly})
	}
	for _, d := range c.Devices {
		out.Devices = append(out.Devices, &pb.Device{HostPath: d.HostPath, ContainerPath: d.ContainerPath, Permissions: d.Permissions})
	}
	for _, name := range c.CDIDevices {
		out.CDIDevices = append(out.CDIDevices, &pb.CDIDevice{Name: name})
	}
	if c.MemoryLimit != 0 {
		out.Linux.Resources = &pb.LinuxContainerResources{MemoryLimitInBytes: c.MemoryLimit}
	}
	return out
}

func (c ContainerConfig) securityToPB() *pb.LinuxContainerSecurityContext {
	s := &pb.LinuxContainerSecurityContext{
		Privileged:       c.Privileged,
		NamespaceOptions: &pb.NamespaceOption{Pid: pb.NamespaceMode(c.PIDNamespace)},
	}
	if len(c.Capabilities) > 0 {
		s.Capabilities = &pb.Capability{AddCapabilities: c.Capabilities}
	}
	if c.Root {
		s.RunAsUser = &pb.Int64Value{}
	}
	if c.Seccomp == SeccompRuntimeDefault {
		s.Seccomp = &pb.SecurityProfile{ProfileType: pb.SecurityProfile_RuntimeDefault}
	}
	return s
}

func containerConfigFromPB(p *pb.ContainerConfig) ContainerConfig {
	security := p.GetLinux().GetSecurityContext()
	c := ContainerConfig{
		Name:         p.GetMetadata().GetName(),
		Attempt:      p.GetMetadata().GetAttempt(),
		Image:        p.GetImage().GetImage(),
		Command:      p.GetCommand(),
		Args:         p.GetArgs(),
		WorkingDir:   p.GetWorkingDir(),
		Labels:       p.GetLabels(),
		Annotations:  p.GetAnnotations(),
		LogPath:      p.GetLogPath(),
		Privileged:   security.GetPrivileged(),
		Capabilities: security.GetCapabilities().GetAddCapabilities(),
		Root:         security.GetRunAsUser() != nil && security.GetRunAsUser().Value == 0,
		PIDNamespace: NamespaceMode(security.GetNamespaceOptions().GetPid()),
		MemoryLimit:  p.GetLinux().GetResources().GetMemoryLimitInBytes(),
	}
	if s := security.GetSeccomp(); s != nil && s.ProfileType == pb.SecurityProfile_RuntimeDefault {
		c.Seccomp = SeccompRuntimeDefault
	}
	for _, e := range p.GetEnvs() {
		c.Env = append(c.Env, EnvVar{Name: e.Key, Value: string(e.Value)})
	}
	for _, m := range p.GetMounts() {
		c.Mounts = append(c.Mounts, Mount{HostPath: m.HostPath, ContainerPath: m.ContainerPath, ReadOnly: m.Readonly})
	}
	for _, d := range p.GetDevices() {
		c.Devices = append(c.Devices, Device{HostPath: d.HostPath, ContainerPath: d.ContainerPath, Permissions: d.Permissions})
	}
	for _, d := range p.GetCDIDevices() {
		c.CDIDevices = append(c.CDIDevices, d.GetName())
	}
	return c
}
