package recipe

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// EnvVar is a variable of the container's environment.
type EnvVar struct{ Name, Value string }

// Environment returns the container's environment but for its Secrets, in a stable
// order: what is installed, the resources, TIMEOUT, then everything else by name. What
// an image would choose by itself and might choose otherwise in its next release is
// said.
func (r *Recipe) Environment() []EnvVar {
	c := r.Contract()
	rest := maps.Clone(r.Env)
	if rest == nil {
		rest = map[string]string{}
	}
	var out []EnvVar
	for _, name := range c.IdentityEnv {
		if value, ok := rest[name]; ok {
			out = append(out, EnvVar{name, value})
			delete(rest, name)
		}
	}
	for _, e := range []EnvVar{
		{envMemory, r.Resources.Memory.String()},
		{envCPUs, r.Resources.CPUs.String()},
		{envDisk, r.Resources.Disk.String()},
		{envTimeout, r.timeoutSeconds(c)},
	} {
		out = append(out, e)
		delete(rest, e.Name)
	}
	if r.Lifecycle.Ready == ReadyLog && c.HasReadyMarker {
		rest[envCommand] = markedCommand(r.Guest, rest[envCommand])
	}
	if ports := r.userPorts(); ports != "" {
		rest[UserPorts] = ports
	}
	if usb := r.usbArguments(); usb != "" {
		rest[envArguments] = strings.TrimSpace(rest[envArguments] + " " + usb)
	}
	for _, e := range slices.Concat(r.Network.environment(), r.Viewer.environment()) {
		if _, own := rest[e.Name]; !own {
			rest[e.Name] = e.Value
		}
	}
	for _, k := range r.Disks {
		e := k.environment()
		rest[e.Name] = e.Value
	}
	for _, name := range slices.Sorted(maps.Keys(rest)) {
		out = append(out, EnvVar{name, rest[name]})
	}
	return out
}

// timeoutSeconds is TIMEOUT: the recipe's own, or what the stop grace leaves room
// for.
func (r *Recipe) timeoutSeconds(c Contract) string {
	if own, ok := r.Env[envTimeout]; ok {
		return own
	}
	grace := r.Lifecycle.StopGrace
	if grace <= StopMargin {
		grace = c.StopGrace
	}
	return strconv.Itoa(int((grace - StopMargin).Seconds()))
}

// markedCommand appends the ready marker to the user's command, which keeps to itself
// in brackets: a cd in it must not lead COM1 astray. Windows setup runs it with
// cmd.exe, the demo guest with sh; COM1 is the serial port that ends in the container's
// log (dockur/windows .github/workflows/install.yml does the same).
func markedCommand(g Guest, command string) string {
	mark := "echo " + ReadyMarker + ">COM1"
	switch {
	case command == "":
		return mark
	case strings.HasSuffix(command, mark):
		return command
	case g == Windows:
		return "(" + command + ") & " + mark
	}
	return "(" + command + ") ; " + mark
}

// envArguments are further arguments for QEMU (qemus/qemu src/config.sh).
const envArguments = "ARGUMENTS"

// UserPorts lists the guest ports of user-mode networking. NAT ignores it.
const UserPorts = "USER_PORTS"

// userPorts lists the guest's forwarded ports for user-mode networking, also when
// NAT is asked for: the images fall back to user mode by themselves, and the
// forwards must work then too. 22 and for Windows 3389 are always in the images'
// list; the viewer's and VNC's belong to the container (qemus/qemu src/network.sh
// getUserPorts, which takes a number alone for TCP and UDP both).
func (r *Recipe) userPorts() string {
	var list []string
	if own := strings.ReplaceAll(r.Env[UserPorts], " ", ""); own != "" {
		list = strings.Split(own, ",")
	}
	always := 22
	if r.Guest == Windows {
		always = 3389
	}
	for _, p := range r.Ports {
		number := strconv.Itoa(p.Guest)
		switch {
		case p.Guest == always || p.Guest == viewerPort || p.Guest == vncPort:
		case slices.Contains(list, number):
		case p.Protocol == UDP && !r.forwards(p.Guest, TCP):
			if !slices.Contains(list, number+"/udp") {
				list = append(list, number+"/udp")
			}
		default:
			list = slices.DeleteFunc(list, func(s string) bool { return s == number+"/udp" || s == number+"/tcp" })
			list = append(list, number)
		}
	}
	return strings.Join(list, ",")
}

// forwards tells whether the recipe forwards a guest port.
func (r *Recipe) forwards(guest int, protocol string) bool {
	return slices.ContainsFunc(r.Ports, func(p Port) bool { return p.Guest == guest && p.Protocol == protocol })
}
