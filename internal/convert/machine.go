package convert

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"vmctl/internal/cri"
	"vmctl/internal/recipe"
)

// Machine is what is exported: a recipe with everything filled in, and what the runtime
// would be asked for to run it.
type Machine struct {
	Recipe    *recipe.Recipe
	Pod       cri.SandboxConfig
	Container cri.ContainerConfig
	// Endpoint is the runtime that they are for; "" if none was asked.
	Endpoint string
	// Made tells that the machine exists: the container mounts its own disk.
	Made bool
	// Installed tells that its installation was seen to finish.
	Installed bool
	// Danger is why the image would delete the disk at the next start; "" if it would not.
	Danger string
}

// Workload is the machine in the terms that the other tools share. The notes are on what
// none of them can hold.
func (m Machine) Workload() (Workload, []Note) {
	r := m.Recipe
	w := Workload{
		Name:           m.Pod.Name,
		Hostname:       m.Pod.Hostname,
		Image:          m.Container.Image,
		Env:            environment(r),
		Ports:          m.ports(),
		Sysctls:        m.Pod.Sysctls,
		Capabilities:   slices.Clone(m.Container.Capabilities),
		Privileged:     m.Container.Privileged,
		StopGrace:      r.Lifecycle.StopGrace,
		Restart:        string(r.Lifecycle.Restart),
		RuntimeHandler: r.RuntimeHandler,
	}
	for _, v := range m.Container.Mounts {
		w.Mounts = append(w.Mounts, Mount{Source: v.HostPath, Target: v.ContainerPath, ReadOnly: v.ReadOnly})
	}
	for _, d := range m.Container.Devices {
		w.Devices = append(w.Devices, Device{Path: d.HostPath, Target: d.ContainerPath, Permissions: d.Permissions})
	}
	for _, name := range m.Container.CDIDevices {
		w.Devices = append(w.Devices, Device{CDI: name})
	}
	if hasUSB(r) && !slices.ContainsFunc(w.Mounts, func(v Mount) bool { return v.Target == usbBus }) {
		w.Mounts = append(w.Mounts, Mount{Source: usbBus, Target: usbBus})
	}
	w.LAN = enabled(w.env("DHCP"))
	return w, m.notes()
}

// usbBus is where the nodes of all USB devices are. vmctl finds the one of a device at
// each start; who cannot do that gives the container all of them.
const usbBus = "/dev/bus/usb"

func hasUSB(r *recipe.Recipe) bool {
	return slices.ContainsFunc(r.Devices, func(v recipe.Device) bool { return v.USB != "" })
}

// environment is the image's, without the command that tells vmctl of the end of the
// installation: elsewhere nobody waits for it.
func environment(r *recipe.Recipe) []EnvVar {
	quiet := *r
	quiet.Lifecycle.Ready = recipe.ReadyNone
	return variables(&quiet)
}

// variables are the recipe's environment; of a secret one it is told where the value is.
func variables(r *recipe.Recipe) []EnvVar {
	var out []EnvVar
	for _, e := range r.Environment() {
		out = append(out, EnvVar{Name: e.Name, Value: e.Value})
	}
	for _, name := range slices.Sorted(maps.Keys(r.Secrets)) {
		out = append(out, EnvVar{Name: name, Secret: r.Secrets[name].String()})
	}
	return out
}

// ports are the pod's mappings, with the names of the recipe.
func (m Machine) ports() []Port {
	var out []Port
	for i, p := range m.Pod.PortMappings {
		port := Port{Address: p.HostIP, Host: p.HostPort, Guest: p.ContainerPort, Protocol: recipe.TCP}
		if p.Protocol == cri.UDP {
			port.Protocol = recipe.UDP
		}
		if i < len(m.Recipe.Ports) {
			port.Name = m.Recipe.Ports[i].Name
		}
		out = append(out, port)
	}
	return out
}

// notes are on what only vmctl does.
func (m Machine) notes() []Note {
	var out []Note
	note := func(where, format string, args ...any) { out = append(out, Note{where, fmt.Sprintf(format, args...)}) }
	if m.Danger != "" {
		note("storage", "the image would delete the disk at its next start: %s. Start the machine with vmctl once more (--mark-installed keeps the disk) and stop it before you use this file", m.Danger)
	}
	if m.Made {
		note("storage", "the disk is that of the vmctl machine %q: never run both at once", m.Pod.Name)
	}
	if m.Recipe.Lifecycle.Ready != recipe.ReadyNone {
		note("lifecycle.ready", "nobody waits for the guest, as ready = %q asks", m.Recipe.Lifecycle.Ready)
	}
	if idle := m.Recipe.Lifecycle.Idle; idle.After > 0 {
		note("lifecycle.idle", "nobody shuts it down when it was not used for %s", idle.After)
	}
	return out
}

// fixedPorts tells the ports that are to be the next free ones, and are not.
func (m Machine) fixedPorts() []Note {
	var fixed []string
	for i, p := range m.Recipe.Ports {
		if p.Host.Mode == recipe.HostPortFrom && i < len(m.Pod.PortMappings) {
			fixed = append(fixed, fmt.Sprintf("%s %d", p.Name, m.Pod.PortMappings[i].HostPort))
		}
	}
	if fixed == nil {
		return nil
	}
	return []Note{{"ports", "exactly these, where the recipe allows the next free one: " + strings.Join(fixed, ", ")}}
}

// env is the value of a variable; "" if it is not there.
func (w Workload) env(name string) string {
	for _, e := range w.Env {
		if e.Name == name {
			return e.Value
		}
	}
	return ""
}

// enabled reads a switch as the images do (qemus/qemu src/utils.sh).
func enabled(s string) bool {
	s = strings.ToLower(s)
	return s == "1" || s == "true" || s == "on" || strings.HasPrefix(s, "y")
}

// secrets are the names of the variables whose value is not in the file, and with where
// also the places that the values are in.
func (w Workload) secrets(where bool) []string {
	var out []string
	for _, e := range w.Env {
		switch {
		case e.Secret != "" && where:
			out = append(out, fmt.Sprintf("%s (%s)", e.Name, e.Secret))
		case e.Secret != "":
			out = append(out, e.Name)
		}
	}
	return out
}

// publish is a port as people write it: "127.0.0.1:8006".
func (p Port) publish() string {
	host := "any"
	if p.Host != 0 {
		host = strconv.Itoa(p.Host)
	}
	return p.Address + ":" + host
}
