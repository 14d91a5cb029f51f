package convert

import (
	_ "embed"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"vmctl/internal/cri"
	"vmctl/internal/recipe"
	"vmctl/internal/storage"
)

// File is one file of an export of several.
type File struct {
	Name string
	Data []byte
	Mode fs.FileMode
}

// The files of an export to crictl. The configs have the names that crictl's
// documentation gives them.
const (
	PodConfigFile       = "pod-config.json"
	ContainerConfigFile = "container-config.json"
	ScriptFile          = "machine.sh"
)

// script is what is the same for every machine; the assignments above it are written.
//
//go:embed write_crictl.sh
var script string

// Crictl writes the machine as the two files that crictl reads, and a shell script that
// starts it and stops it in the order that is safe for the disk. What is different from
// vmctl is a comment at the top of the script. A host port that nobody chose is not
// forwarded. The container's log and the lock are where the pod's log directory is.
func (m Machine) Crictl() ([]File, []Note, error) {
	notes := append(m.notes(), m.fixedPorts()...)
	pod, container := m.Pod, m.Container
	pod.PortMappings = nil
	for i, p := range m.ports() {
		if p.Host == 0 {
			notes = append(notes, Note{"ports." + p.Name, fmt.Sprintf("not forwarded, as no host port is chosen; port %d answers at the pod's address", p.Guest)})
			continue
		}
		pod.PortMappings = append(pod.PortMappings, m.Pod.PortMappings[i])
	}
	if len(pod.PortMappings) > 0 {
		notes = append(notes, Note{"ports", "nobody looks whether a host port is free"})
	}
	container.Env = nil
	for _, e := range variables(m.Recipe) {
		if e.Secret != "" {
			e.Value = "@SECRET_" + e.Name + "@"
		}
		container.Env = append(container.Env, cri.EnvVar{Name: e.Name, Value: e.Value})
	}
	notes = append(notes, m.crictlNotes()...)
	podJSON, err := pod.MarshalCrictl()
	if err != nil {
		return nil, nil, err
	}
	containerJSON, err := container.MarshalCrictl()
	if err != nil {
		return nil, nil, err
	}
	return []File{
		{PodConfigFile, podJSON, 0o600},
		{ContainerConfigFile, containerJSON, 0o600},
		{ScriptFile, []byte(m.script(notes)), 0o700},
	}, notes, nil
}

func (m Machine) crictlNotes() []Note {
	var out []Note
	if m.Pod.CgroupParent == "" {
		out = append(out, Note{"runtime", "none was asked: the cgroup parent is left out, which a runtime with systemd's driver may want"})
	}
	if hasUSB(m.Recipe) && !m.Container.Privileged {
		out = append(out, Note{"devices", "USB devices are left out: the node of one is another each time; add it to devices in " + ContainerConfigFile})
	}
	if enabled(Workload{Env: variables(m.Recipe)}.env("DHCP")) {
		out = append(out, Note{"network", "the runtime's CNI network must be macvlan"})
	}
	if m.Recipe.Lifecycle.Autostart {
		out = append(out, Note{"lifecycle.autostart", "nobody starts it with the host; have a service of yours run " + ScriptFile})
	}
	if restart := m.Recipe.Lifecycle.Restart; restart != recipe.RestartNo {
		out = append(out, Note{"lifecycle.restart", fmt.Sprintf("nobody starts it again, as restart = %q asks", restart)})
	}
	return out
}

func (m Machine) script(notes []Note) string {
	intro := []string{m.title("crictl"), "", "    ./" + ScriptFile + " start|stop|status|logs|forward"}
	if names := m.secrets(true); len(names) > 0 {
		intro = append(intro, "", "start wants in its environment: "+strings.Join(names, ", ")+".")
	}
	intro = append(intro, "", "The paths in the two configs are absolute: this directory stays where it is. Never use crictl rmp -f on the pod.")
	home := path.Dir(m.Pod.LogDirectory)
	var out strings.Builder
	out.WriteString("#!/bin/sh\n")
	out.WriteString(header(append(intro, m.caution()...), notes))
	out.WriteString("set -eu\numask 077\n\n")
	assign := func(name, value string) { fmt.Fprintf(&out, "%s=%s\n", name, quote(value)) }
	assign("name", m.Pod.Name)
	assign("uid", m.Pod.UID)
	assign("image", m.Container.Image)
	assign("handler", m.Recipe.Handler())
	assign("grace", strconv.Itoa(int(m.Recipe.Lifecycle.StopGrace.Seconds())))
	assign("storage", m.storage())
	assign("made", yes(m.Made))
	assign("installed", yes(m.Installed))
	assign("marker", m.Recipe.Contract().MarkerFile)
	assign("disks", strings.Join(m.disks(), " "))
	assign("log", path.Join(m.Pod.LogDirectory, m.Container.LogPath))
	assign("lock", path.Join(home, storage.LockFile))
	assign("viewer", m.viewer())
	assign("endpoint", m.Endpoint)
	assign("secrets", strings.Join(m.secrets(false), " "))
	out.WriteString("check_mounts() {\n")
	for _, v := range m.Container.Mounts {
		check := "need"
		if strings.HasPrefix(v.HostPath, home+"/") {
			check = "own"
		}
		fmt.Fprintf(&out, "  %s %s\n", check, quote(v.HostPath))
	}
	out.WriteString("}\n")
	out.WriteString(script)
	return out.String()
}

func (m Machine) secrets(where bool) []string {
	return Workload{Env: variables(m.Recipe)}.secrets(where)
}

// storage is the host's directory with the disk.
func (m Machine) storage() string {
	for _, v := range m.Container.Mounts {
		if v.ContainerPath == storageMount {
			return v.HostPath
		}
	}
	return ""
}

// disks are the disks beside the marker: the image deletes no others.
func (m Machine) disks() []string {
	var out []string
	for _, name := range m.Recipe.Contract().DiskNames {
		if filepath.Base(name) == name {
			out = append(out, name)
		}
	}
	return out
}

// viewer is where the screen is forwarded to; "" if it is not.
func (m Machine) viewer() string {
	for _, p := range m.ports() {
		if p.Guest == screenPort && p.Protocol == recipe.TCP && p.Host != 0 {
			address := p.Address
			if address == "0.0.0.0" || address == "::" {
				address = recipe.Loopback
			}
			if strings.Contains(address, ":") {
				address = "[" + address + "]"
			}
			return address + ":" + strconv.Itoa(p.Host)
		}
	}
	return ""
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return ""
}

// quote makes one word of the shell.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
