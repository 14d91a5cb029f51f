package recipe

import (
	"strconv"

	"github.com/pelletier/go-toml/v2/unstable"
)

// The schema: each table's keys and how they are read. A value is written into the
// recipe that the fields were made for, so reading a second document into the same
// recipe overrides the first.

func recipeFields(r *Recipe) []field {
	return []field{
		{extendsKey, func(d *reader, path string, v *value) {
			d.report(path, "cannot be followed here: this text stands alone")
		}},
		{"name", text(&r.Name)},
		{"summary", text(&r.Summary)},
		{"image", text(&r.Image)},
		{"guest", choice(&r.Guest, Guests()...)},
		{"security", choice(&r.Security, SecurityPrivileged, SecurityMinimal)},
		{"runtime_handler", text(&r.RuntimeHandler)},
		{"resources", func(d *reader, path string, v *value) { d.table(path, v, resourceFields(&r.Resources)) }},
		{"env", func(d *reader, path string, v *value) { readEnv(d, path, v, r) }},
		{"ports", array(func(d *reader, path string, item *value) {
			p := Port{Protocol: TCP, Address: Loopback}
			d.table(path, item, portFields(&p))
			r.Ports = append(r.Ports, p)
		})},
		{"storage", func(d *reader, path string, v *value) { d.table(path, v, storageFields(&r.Storage)) }},
		{"mounts", array(func(d *reader, path string, item *value) {
			var m Mount
			d.table(path, item, mountFields(&m))
			r.Mounts = append(r.Mounts, m)
		})},
		{"lifecycle", func(d *reader, path string, v *value) { d.table(path, v, lifecycleFields(&r.Lifecycle)) }},
	}
}

func resourceFields(res *Resources) []field {
	const size = `a size such as "8G"`
	return []field{
		{"cpus", parsed(&res.CPUs, `a number, "half" or "max"`, ParseCPUs, unstable.Integer, unstable.String)},
		{"memory", parsed(&res.Memory, size, ParseSize, unstable.String, unstable.Integer)},
		{"disk", parsed(&res.Disk, size, ParseSize, unstable.String, unstable.Integer)},
	}
}

func portFields(p *Port) []field {
	const host = `a port such as 8006, "8006+" or "any"`
	return []field{
		{"name", text(&p.Name)},
		{"guest", parsed(&p.Guest, "a port from 1 to 65535", parsePort, unstable.Integer)},
		{"host", parsed(&p.Host, host, ParseHostPort, unstable.Integer, unstable.String)},
		{"protocol", choice(&p.Protocol, TCP, UDP)},
		{"address", text(&p.Address)},
	}
}

func storageFields(s *Storage) []field { return []field{{"path", storagePath(&s.Path)}} }

func mountFields(m *Mount) []field {
	return []field{
		{"source", hostPath(&m.Source)},
		{"target", text(&m.Target)},
		{"read_only", boolean(&m.ReadOnly)},
	}
}

func lifecycleFields(l *Lifecycle) []field {
	return []field{
		{"stop_grace", duration(&l.StopGrace)},
		{"ready", choice(&l.Ready, ReadyNone, ReadyViewer, ReadyLog)},
	}
}

// readEnv reads the free table of environment variables. The images write their
// booleans Y and N (qemus/qemu src/utils.sh).
func readEnv(d *reader, path string, v *value, r *Recipe) {
	if v.kind != unstable.Table {
		d.report(path, "must be a table, not %s", v.describe())
		return
	}
	for _, key := range v.keys {
		item, at := v.fields[key], join(path, key)
		d.places[at] = item.at
		switch item.kind {
		case unstable.String:
			r.Env[key] = item.text
		case unstable.Integer:
			r.Env[key] = decimal(item.text)
		case unstable.Bool:
			r.Env[key] = yesNo(item.text)
		case unstable.Float:
			d.report(at, "must be a string, an integer or a boolean; write %s", strconv.Quote(item.text))
		default:
			d.report(at, "must be a string, an integer or a boolean, not %s", item.describe())
		}
	}
}

func yesNo(literal string) string {
	if literal == "true" {
		return "Y"
	}
	return "N"
}
