package convert

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"

	"vmctl/internal/recipe"
)

// lanNetwork is what dockur's readme calls the macvlan network that the user makes.
const lanNetwork = "vlan"

// Compose writes the machine as a compose file, with everything that compose cannot hold
// as a comment at its top and as a note.
//
// A container of Docker or Podman needs fewer rights than one of CRI, which hides
// ip_forward and the devices unless it is privileged: so it is privileged only where
// the image has a use for it.
func (m Machine) Compose() ([]byte, []Note, error) {
	w, notes := m.Workload()
	notes = append(notes, m.fixedPorts()...)
	if w.Privileged && !m.usesPrivilege() {
		w.Privileged = false
		w.Capabilities = []string{"NET_ADMIN"}
		w.Sysctls = map[string]string{"net.ipv4.ip_forward": "1"}
		notes = append(notes, Note{"security", "not privileged: under Docker and Podman the image needs two devices, NET_ADMIN and ip_forward"})
	}
	if m.Recipe.Lifecycle.Autostart && w.Restart != string(recipe.RestartAlways) {
		notes = append(notes, Note{"lifecycle.autostart", "Docker starts it with the host only where restart is always"})
	}
	data, more, err := w.compose()
	if err != nil {
		return nil, nil, fmt.Errorf("compose file of %q: %w", w.Name, err)
	}
	notes = append(notes, more...)
	return append([]byte(header(m.composeIntro(w), notes)), data...), notes, nil
}

// usesPrivilege tells whether the image does something with it: macOS writes
// kvm.ignore_msrs, and a GPU's nodes are made (qemus/qemu src/boot.sh, src/display.sh).
func (m Machine) usesPrivilege() bool {
	w := Workload{Env: environment(m.Recipe)}
	return m.Recipe.Guest == recipe.MacOS || enabled(w.env("GPU"))
}

func (m Machine) composeIntro(w Workload) []string {
	lines := []string{m.title("compose"), "",
		"    docker compose up -d      starts it; podman-compose works the same",
		"    docker compose stop       shuts the guest down, and gives it " + w.StopGrace.String()}
	if names := w.secrets(true); len(names) > 0 {
		lines = append(lines, "", "Set in the environment, or in a file named .env beside this one: "+strings.Join(names, ", ")+".")
	}
	return append(lines, m.caution()...)
}

// compose writes the workload as the YAML of a compose file with one service.
func (w Workload) compose() ([]byte, []Note, error) {
	var notes []Note
	s := types.ServiceConfig{Name: w.Name, ContainerName: w.Name, Restart: w.Restart}
	s.Image, s.Hostname = literal(w.Image), w.Hostname
	s.Privileged, s.CapAdd = w.Privileged, w.Capabilities
	s.Environment, s.Volumes = composeEnv(w.Env), composeVolumes(w.Mounts)
	s.Sysctls = w.Sysctls
	if s.Restart == "" {
		s.Restart = "no"
	}
	if w.StopGrace > 0 {
		grace := types.Duration(w.StopGrace)
		s.StopGracePeriod = &grace
	}
	for _, d := range w.Devices {
		s.Devices = append(s.Devices, composeDevice(d))
	}
	if slices.ContainsFunc(w.Mounts, func(m Mount) bool { return m.Target == usbBus }) && !w.Privileged {
		s.DeviceCgroupRules = []string{"c 189:* rwm"} // USB (Linux, admin-guide/devices.txt)
	}
	s.Ports, notes = w.composePorts()
	p := types.Project{Name: w.Name}
	if w.LAN {
		notes = append(notes, joinLAN(&p, &s)...)
	}
	if w.RuntimeHandler != "" {
		notes = append(notes, Note{"runtime_handler", fmt.Sprintf("%q is a name of the CRI runtime; Docker has its own (runtime:)", w.RuntimeHandler)})
	}
	p.Services = types.Services{w.Name: s}
	data, err := p.MarshalYAML()
	if err == nil {
		data, err = plainCompose(data)
	}
	return data, notes, err
}

// literal keeps compose from taking what follows a $ for a variable.
func literal(s string) string { return strings.ReplaceAll(s, "$", "$$") }

func composeEnv(vars []EnvVar) types.MappingWithEquals {
	out := types.MappingWithEquals{}
	for _, e := range vars {
		value := literal(e.Value)
		if e.Secret != "" {
			value = fmt.Sprintf("${%s:?set it in the environment or in .env}", e.Name)
		}
		out[e.Name] = &value
	}
	return out
}

// composeVolumes has Docker make a folder only for a disk that is kept beside the file:
// anything else that is missing is a mistake, and an empty folder in its place would
// hide it.
func composeVolumes(mounts []Mount) []types.ServiceVolumeConfig {
	var out []types.ServiceVolumeConfig
	for _, m := range mounts {
		source := m.Source
		beside := !path.IsAbs(source)
		if beside && !strings.HasPrefix(source, ".") {
			source = "./" + source
		}
		out = append(out, types.ServiceVolumeConfig{Type: types.VolumeTypeBind, Source: literal(source), Target: literal(m.Target),
			ReadOnly: m.ReadOnly, Bind: &types.ServiceVolumeBind{CreateHostPath: types.OptOut(beside)}})
	}
	return out
}

func composeDevice(d Device) types.DeviceMapping {
	if d.CDI != "" {
		return types.DeviceMapping{Source: d.CDI, Target: d.CDI}
	}
	out := types.DeviceMapping{Source: literal(d.Path), Target: literal(d.Target), Permissions: d.Permissions}
	if out.Target == "" {
		out.Target = out.Source
	}
	if out.Permissions == "" {
		out.Permissions = "rwm"
	}
	return out
}

func (w Workload) composePorts() (ports []types.ServicePortConfig, notes []Note) {
	for _, p := range w.Ports {
		if w.LAN {
			whose := "the guest"
			if p.Guest == screenPort || p.Guest == rfbPort {
				whose = "the container"
			}
			notes = append(notes, Note{"ports." + p.Name, fmt.Sprintf("not published: %s has port %d at its own address of the LAN", whose, p.Guest)})
			continue
		}
		c := types.ServicePortConfig{HostIP: p.Address, Target: uint32(p.Guest), Protocol: p.Protocol}
		if p.Host != 0 {
			c.Published = strconv.Itoa(p.Host)
		} else {
			notes = append(notes, Note{"ports." + p.Name, fmt.Sprintf("another free port at each start; docker compose port --protocol %s %s %d tells which", p.Protocol, w.Name, p.Guest)})
		}
		ports = append(ports, c)
	}
	return ports, notes
}

// joinLAN puts the service on a macvlan network, and gives it what macvtap needs, as
// the images' documentation has it (dockur/windows docs/network.md).
func joinLAN(p *types.Project, s *types.ServiceConfig) []Note {
	p.Networks = types.Networks{lanNetwork: types.NetworkConfig{Name: lanNetwork, External: true}}
	s.Networks = map[string]*types.ServiceNetworkConfig{lanNetwork: nil}
	const vhost = "/dev/vhost-net"
	if !slices.ContainsFunc(s.Devices, func(d types.DeviceMapping) bool { return d.Source == vhost }) {
		s.Devices = append(s.Devices, types.DeviceMapping{Source: vhost, Target: vhost, Permissions: "rwm"})
	}
	s.DeviceCgroupRules = []string{"c *:* rwm"}
	return []Note{{"network", "make the macvlan network once, with the numbers of yours: docker network create -d macvlan " +
		"--subnet=192.168.0.0/24 --gateway=192.168.0.1 --ip-range=192.168.0.100/28 -o parent=eth0 " + lanNetwork}}
}
