package convert

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"

	"vmctl/internal/cri"
	"vmctl/internal/hint"
)

// InputFile is a file that was read.
type InputFile struct {
	Name string // for messages
	Data []byte
}

// ReadCrictl reads the pair of files that crictl makes a container from, the
// pod-config and the container-config in either order, JSON or YAML. A container
// alone will do; it has no ports then. The error is ErrInput.
func ReadCrictl(files ...InputFile) (Workload, []Note, error) {
	var p pair
	for _, f := range files {
		if err := p.read(f); err != nil {
			return Workload{}, nil, err
		}
	}
	if p.container == nil {
		e := &InputError{File: p.podName, Text: "a pod config alone; the image is in the container config"}
		return Workload{}, nil, hint.With(e, "name both: vmctl recipes import pod-config.json container-config.json")
	}
	if p.pod == nil {
		p.pod = &cri.SandboxConfig{}
		p.notes.add(filepath.Base(p.containerName), "no pod config was given: the machine has no forwarded ports")
	}
	return p.workload(), p.notes, nil
}

// pair is the two files.
type pair struct {
	pod                    *cri.SandboxConfig
	container              *cri.ContainerConfig
	podName, containerName string
	notes                  remarks
}

func (p *pair) read(f InputFile) error {
	c, err := cri.ParseCrictl(f.Data)
	if err != nil {
		return syntaxError(f.Name, err)
	}
	base := filepath.Base(f.Name)
	switch {
	case c.Sandbox != nil && p.pod != nil:
		return &InputError{File: f.Name, Text: fmt.Sprintf("a second pod config; %s is one already", p.podName)}
	case c.Container != nil && p.container != nil:
		return &InputError{File: f.Name, Text: fmt.Sprintf("a second container config; %s is one already", p.containerName)}
	case c.Sandbox != nil:
		p.pod, p.podName = c.Sandbox, f.Name
	default:
		p.container, p.containerName = c.Container, f.Name
	}
	for _, r := range c.Remarks {
		p.notes.add(base+": "+r.Field, "%s", r.Text)
	}
	return nil
}

func (p *pair) workload() Workload {
	c := p.container
	w := Workload{
		Name:         p.pod.Name,
		Image:        c.Image,
		Origin:       "the crictl config " + filepath.Base(p.containerName),
		Ports:        p.ports(),
		Sysctls:      p.pod.Sysctls,
		Capabilities: capabilities(c.Capabilities),
		Privileged:   c.Privileged,
	}
	if w.Name == "" {
		w.Name = c.Name
	}
	for _, e := range c.Env {
		variable := EnvVar{Name: e.Name, Value: e.Value}
		if m := hiddenSecret.FindStringSubmatch(e.Value); m != nil && p.pod.Labels[machineLabel] != "" {
			variable = EnvVar{Name: e.Name, Secret: m[1]}
		} else if e.Value == "@SECRET_"+e.Name+"@" {
			variable = EnvVar{Name: e.Name, Secret: "the script beside the file"}
		}
		w.Env = append(w.Env, variable)
	}
	for _, m := range c.Mounts {
		w.Mounts = append(w.Mounts, p.mount(m))
	}
	for _, d := range c.Devices {
		device := Device{Path: d.HostPath, Permissions: d.Permissions}
		if d.ContainerPath != d.HostPath {
			device.Target = d.ContainerPath
		}
		w.Devices = append(w.Devices, device)
	}
	for _, name := range c.CDIDevices {
		w.Devices = append(w.Devices, Device{CDI: name})
	}
	p.extras()
	return w
}

// portsAnnotation is on each pod that vmctl makes: its ports with their names.
const portsAnnotation = "io.vmctl.ports"

func (p *pair) ports() []Port {
	var named []Port
	if json.Unmarshal([]byte(p.pod.Annotations[portsAnnotation]), &named) != nil {
		named = nil // not ours, or none: the ports have no names
	}
	var out []Port
	for _, m := range p.pod.PortMappings {
		port := Port{Address: m.HostIP, Host: m.HostPort, Guest: m.ContainerPort}
		switch m.Protocol {
		case cri.TCP:
			port.Protocol = "tcp"
		case cri.UDP:
			port.Protocol = "udp"
		default:
			port.Protocol = fmt.Sprintf("protocol %d", m.Protocol)
		}
		for _, n := range named {
			if n.Guest == port.Guest && n.Protocol == port.Protocol {
				port.Name = n.Name
			}
		}
		out = append(out, port)
	}
	return out
}

// machineStorage is the storage, or a further disk, of a machine of vmctl's, as
// `vmctl render` names it.
var machineStorage = regexp.MustCompile(`/machines/([a-z0-9-]+)/(?:storage|disks/[^/]+)/?$`)

// mount leaves the storage of a machine of vmctl's to that machine.
func (p *pair) mount(m cri.Mount) Mount {
	out := Mount{Source: m.HostPath, Target: m.ContainerPath, ReadOnly: m.ReadOnly}
	if absolute, err := filepath.Abs(filepath.Join(filepath.Dir(p.containerName), m.HostPath)); err == nil && !filepath.IsAbs(m.HostPath) {
		out.Source = absolute
		p.notes.add("mounts."+m.ContainerPath, "the runtimes refuse a relative path; %q is taken from the folder of the file", m.HostPath)
	}
	owner := machineStorage.FindStringSubmatch(m.HostPath)
	if strings.HasPrefix(m.ContainerPath, storageMount) && owner != nil && p.pod.Labels[machineLabel] != "" {
		out.Volume = true
		p.notes.add("mounts."+m.ContainerPath, "%s stays with the machine %q, as vmctl made it; the new machine gets storage of its own", m.HostPath, owner[1])
	}
	return out
}

// machineLabel is on each pod that vmctl makes.
const machineLabel = "io.vmctl.machine"

// hiddenSecret is what `vmctl render` writes for a secret. `vmctl export` leaves a
// word for its script to replace.
var hiddenSecret = regexp.MustCompile(`^\(secret: (.*)\)$`)

// extras notes what vmctl sets by itself.
func (p *pair) extras() {
	var own []string
	for name, set := range map[string]bool{
		"hostname": p.pod.Hostname != "", "log_directory": p.pod.LogDirectory != "",
		"labels": len(p.pod.Labels) > 0, "annotations": len(p.pod.Annotations) > 0,
		"linux.cgroup_parent": p.pod.CgroupParent != "",
	} {
		if set {
			own = append(own, name)
		}
	}
	if len(own) > 0 && p.pod.Labels[machineLabel] == "" {
		p.notes.add(filepath.Base(p.podName), "not carried over, as vmctl sets its own: %s", strings.Join(sorted(own), ", "))
	}
	if p.pod.DNS != nil {
		p.notes.add(filepath.Base(p.podName)+": dns_config", "not carried over: the pod gets the host's name servers")
	}
	if len(p.container.Command) > 0 || len(p.container.Args) > 0 {
		p.notes.add(filepath.Base(p.containerName)+": command", "not carried over: the images' own command starts the machine")
	}
	if p.container.MemoryLimit != 0 {
		p.notes.add(filepath.Base(p.containerName)+": linux.resources", "not carried over: vmctl sets no limits; the guest gets what [resources] says")
	}
}
