package recipe

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/pelletier/go-toml/v2/unstable"

	"vmctl/internal/portfwd"
)

// SchemaVersion is the version of the schema that this package reads.
const SchemaVersion = 1

// The schema: each table's keys, what they mean, and how they are read. A value is
// written into the recipe that the fields were made for, so reading a second document
// into the same recipe overrides the first. JSONSchema tells the same to editors.

func recipeFields(r *Recipe) []field {
	return []field{
		{"schema", "the version of this format", schemaVersion()},
		{extendsKey, "the recipe to begin from: a name, or a file relative to this one", extends()},
		{unsetKey, `what to take out of the recipe that is extended, as "env.COMMAND", "ports.vnc", "mounts./oem"`, unsets()},
		{"name", "the machine's name; the file's name if it is not said", text(&r.Name)},
		{"summary", "one line for lists", text(&r.Summary)},
		{"image", "container image with a tag or digest", text(&r.Image)},
		{"guest", "which system runs inside, so what the image expects", choice(&r.Guest, Guests()...)},
		{"security", "how much the container may do on the host", choice(&r.Security, SecurityPrivileged, SecurityMinimal)},
		{"network", "how the guest reaches the network", choice(&r.Network, NetworkNAT, NetworkUser, NetworkLAN, NetworkNone)},
		{"runtime_handler", "the CRI runtime handler", text(&r.RuntimeHandler)},
		{"resources", "what the guest gets of the host", table(resourceFields(&r.Resources))},
		{"env", "further environment variables of the image", readEnv(r)},
		{"secrets", "environment variables whose value is kept elsewhere", readSecrets(r)},
		{"viewer", "how the guest's screen is shown", table(viewerFields(&r.Viewer))},
		{"ports", "ports of the guest that this host forwards", tables(&r.Ports, blankPort(), portFields)},
		{"storage", "where the guest's disk is kept", table(storageFields(&r.Storage))},
		{"disks", "further disks", tables(&r.Disks, Disk{}, diskFields)},
		{"mounts", "files and folders of the host in the container", tables(&r.Mounts, Mount{}, mountFields)},
		{"devices", "devices of the host for the guest", tables(&r.Devices, Device{}, deviceFields)},
		{"lifecycle", "how the machine starts and stops", table(lifecycleFields(&r.Lifecycle))},
	}
}

var sizeShape = shape{types: []string{"string"}, pattern: sizePattern, examples: []string{"8G", "512M", "half", "max"}}

// sizePattern is what ParseSize reads.
const sizePattern = `^\s*(([0-9]+(\.[0-9]+)?\s?[kKmMgGtTpP]([iI]?[bB])?)|[hH][aA][lL][fF]|[mM][aA][xX])\s*$`

func size(dst *Size) form {
	return parsed(dst, `a size such as "8G"`, ParseSize, sizeShape, unstable.Integer)
}

func resourceFields(res *Resources) []field {
	cpus := shape{either: []shape{
		{types: []string{"integer"}, least: 1, most: maxCPUs}, {types: []string{"string"}, words: []string{"half", "max"}}}}
	return []field{
		{"cpus", "virtual processors: a number, or a share of the host's", parsed(&res.CPUs, `a number, "half" or "max"`, ParseCPUs, cpus)},
		{"memory", "memory", size(&res.Memory)},
		{"disk", "the first disk; it may grow later, and never shrinks", size(&res.Disk)},
	}
}

func viewerFields(v *Viewer) []field {
	resolution := shape{types: []string{"string"}, pattern: resolutionPattern.String(), examples: []string{"1920x1080"}}
	return []field{
		{"display", "where the screen is shown", choice(&v.Display, DisplayWeb, DisplayVNC, DisplayNone)},
		{"resolution", "the screen's size", parsed(&v.Resolution, `a resolution such as "1920x1080"`, parseResolution, resolution)},
		{"protect", "the web viewer asks for the guest's user name and password", boolean(&v.Protect)},
		{"audio", "the web viewer plays the guest's sound", boolean(&v.Audio)},
		{"peers", "other machines of this host may reach the viewer and VNC", boolean(&v.Peers)},
	}
}

// blankPort is a port before anything is said of it.
func blankPort() Port { return Port{Protocol: TCP, Address: Loopback, Via: string(portfwd.Auto)} }

func vias() []string {
	var out []string
	for _, v := range portfwd.Vias() {
		out = append(out, string(v))
	}
	return out
}

func portFields(p *Port) []field {
	number := shape{types: []string{"integer"}, least: 1, most: maxPort}
	host := shape{either: []shape{number, {types: []string{"string"}, pattern: `^\s*([0-9]{1,5}\+?|any)\s*$`, examples: []string{"8006+", "any"}}}}
	return []field{
		{"name", "what to call it", text(&p.Name)},
		{"guest", "the number that the guest listens on", parsed(&p.Guest, "a port from 1 to 65535", portfwd.ParsePort, number)},
		{"host", `the number here: this one, "8006+" for this or the next free one, "any" free one`,
			parsed(&p.Host, `a port such as 8006, "8006+" or "any"`, ParseHostPort, host)},
		{"protocol", "the protocol", choice(&p.Protocol, TCP, UDP)},
		{"address", "the address of this host to listen on", text(&p.Address)},
		{"via", "how it is forwarded", choice(&p.Via, vias()...)},
	}
}

func storageFields(s *Storage) []field {
	return []field{{"path", "where the disk is kept: an absolute path that exists; the machine's own directory if it is not said", storagePath(&s.Path)}}
}

func diskFields(k *Disk) []field {
	return []field{
		{"name", "what to call it", text(&k.Name)},
		{"number", "the image's number for it; it stays with the disk", integer(&k.Number, firstDisk, lastDisk)},
		{"size", "its size; it may grow later, and never shrinks", size(&k.Size)},
		{"path", "the directory where it is kept; the machine's own if it is not said", storagePath(&k.Path)},
		{"device", "a whole block device of the host, in place of size and path", text(&k.Device)},
	}
}

func mountFields(m *Mount) []field {
	return []field{
		{"source", "on this host; relative to the recipe's file", hostPath(&m.Source)},
		{"target", "in the container", text(&m.Target)},
		{"read_only", "the container may not write there", boolean(&m.ReadOnly)},
	}
}

func deviceFields(v *Device) []field {
	return []field{
		{"path", "a device node of the host, below /dev", text(&v.Path)},
		{"target", "the node in the container; the same if it is not said", text(&v.Target)},
		{"permissions", `what the container may do with it, of "rwm"; all if it is not said`, text(&v.Permissions)},
		{"cdi", `a device by its CDI name, as "nvidia.com/gpu=0"`, text(&v.CDI)},
		{"usb", `a USB device for the guest: vendor:product as "046d:c52b", or bus-port as "1-2.3"`, text(&v.USB)},
	}
}

func lifecycleFields(l *Lifecycle) []field {
	return []field{
		{"stop_grace", "how long the guest may take to shut down before it is killed", duration(&l.StopGrace)},
		{"ready", "how readiness is known", choice(&l.Ready, ReadyNone, ReadyViewer, ReadyLog)},
		{"restart", "whether the machine is started again after it ended by itself", choice(&l.Restart, RestartNo, RestartOnFailure, RestartAlways)},
		{"autostart", "whether it starts with the host", boolean(&l.Autostart)},
		{"idle", "what to do when nobody uses it", table(idleFields(&l.Idle))},
	}
}

func idleFields(i *Idle) []field {
	return []field{
		{"after", "how long nobody must have used it", duration(&i.After)},
		{"action", "what is done then", choice(&i.Action, IdleStop)},
	}
}

// schemaVersion accepts the version that this package reads.
func schemaVersion() form {
	var given int
	parse := func(s string) (int, error) {
		if n, err := strconv.Atoi(s); err != nil || n != SchemaVersion {
			return 0, fmt.Errorf("this vmctl reads version %d, not %s; a newer vmctl may read it", SchemaVersion, s)
		}
		return SchemaVersion, nil
	}
	return parsed(&given, "a number", parse, shape{types: []string{"integer"}, least: SchemaVersion, most: SchemaVersion})
}

// readEnv reads the free table of environment variables. The images write their
// booleans Y and N (qemus/qemu src/utils.sh).
func readEnv(r *Recipe) form {
	item := shape{types: []string{"string", "integer", "boolean"}}
	return form{shape{types: []string{"object"}, fields: identityFields(item), others: &item}, func(d *reader, path string, v *value) {
		if !v.isTable() {
			d.report(path, "must be a table, not %s", v.describe())
			return
		}
		for _, key := range v.keys {
			at := join(path, key)
			d.places[at] = v.fields[key].at
			if text, ok := d.envText(at, v.fields[key]); ok {
				r.Env[key] = text
			}
		}
	}}
}

// identityFields are the variables whose values the catalog knows; they are for
// editors, and read like any other.
func identityFields(item shape) []field {
	with := func(examples []string) form {
		item.examples = examples
		return form{shape: item}
	}
	return []field{
		{"VERSION", "what to install, for Windows and macOS; cannot change once the machine exists", with(slices.Concat(shortNames(Windows), shortNames(MacOS)))},
		{"LANGUAGE", "Windows' language; cannot change once the machine exists", with(languageIDs())},
		{"BOOT", "what to boot, for Linux: a name, or the URL of an image", with(shortNames(Linux))},
	}
}

func (d *reader) envText(at string, item *value) (string, bool) {
	switch item.kind {
	case unstable.String:
		return item.text, true
	case unstable.Integer:
		return decimal(item.text), true
	case unstable.Bool:
		return yesNo(item.text), true
	case unstable.Float:
		d.report(at, "must be a string, an integer or a boolean; write %s", strconv.Quote(item.text))
	default:
		d.report(at, "must be a string, an integer or a boolean, not %s", item.describe())
	}
	return "", false
}

func yesNo(literal string) string {
	if literal == "true" {
		return "Y"
	}
	return "N"
}
