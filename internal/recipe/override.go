package recipe

import (
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// commandLine is the File of problems with overrides.
const commandLine = "command line"

// SetField changes one key of the recipe as the command line does: see Apply.
func SetField(r *Recipe, key, value string) error { return r.Apply([]string{key + "=" + value}) }

// Apply changes the recipe by overrides of the form KEY=VALUE, in their order. KEY
// is a key of the schema, and VALUE what a file would have without quotes:
//
//	resources.memory=16G   env.VERSION=10   lifecycle.stop_grace=3m
//	ports.viewer.host=9000 (by the port's name; one that is not there is made)
//
// or one of the short forms behind the options of the same name:
//
//	cpus=4   memory=16G   disk=100G   env=NAME=VALUE
//	port=HOST:GUEST[/udp]   (HOST: 8080, 8080+ or any; [ADDRESS:]HOST:GUEST also)
//	mount=SOURCE:TARGET[:ro]
//
// A port that forwards the same guest port, and a mount with the same target, is
// replaced. Relative paths begin at the working directory. All that is wrong comes
// back at once as Problems, and then the recipe is as it was.
func (r *Recipe) Apply(overrides []string) error {
	changed := r.clone()
	d := &reader{file: commandLine, places: map[string]position{}}
	if wd, err := os.Getwd(); err == nil {
		d.base = wd
	}
	for _, o := range overrides {
		key, value, ok := strings.Cut(o, "=")
		if !ok {
			d.report(o, "no value; write KEY=VALUE")
			continue
		}
		d.override(changed, strings.TrimSpace(key), value)
	}
	if len(d.problems) == 0 {
		d.complete(changed)
		d.check(changed)
	}
	if err := d.problems.err(); err != nil {
		return err
	}
	*r = *changed
	return nil
}

func (r *Recipe) clone() *Recipe {
	c := *r
	c.Env = maps.Clone(r.Env)
	if c.Env == nil {
		c.Env = map[string]string{}
	}
	c.Ports, c.Mounts = slices.Clone(r.Ports), slices.Clone(r.Mounts)
	return &c
}

func (d *reader) override(r *Recipe, key, value string) {
	switch key {
	case "cpus", "memory", "disk":
		key = "resources." + key
	case "port":
		d.overridePort(r, value)
		return
	case "mount":
		d.overrideMount(r, value)
		return
	case "env":
		name, v, ok := strings.Cut(value, "=")
		if !ok {
			d.report("env", "no value in %q; write NAME=VALUE", value)
			return
		}
		d.overrideEnv(r, name, v)
		return
	}
	if name, ok := strings.CutPrefix(key, "env."); ok {
		d.overrideEnv(r, name, value)
		return
	}
	if rest, ok := strings.CutPrefix(key, "ports."); ok {
		d.overridePortField(r, key, rest, value)
		return
	}
	d.table("", nest(strings.Split(key, "."), value), recipeFields(r))
}

// nest makes the tree of a document that has one dotted key.
func nest(keys []string, text string) *value {
	if len(keys) == 0 {
		return &value{kind: unstable.String, text: text, loose: true}
	}
	table := newTable(position{})
	table.put(keys[0], nest(keys[1:], text))
	return table
}

// overrideEnv sets a variable; those that have a key of their own set that key.
func (d *reader) overrideEnv(r *Recipe, name, value string) {
	switch name {
	case envMemory:
		r.Resources.Memory = Size{}
	case envCPUs:
		r.Resources.CPUs = CPUs{}
	case envDisk:
		r.Resources.Disk = Size{}
	}
	r.Env[name] = value
}

// overridePortField sets "NAME.KEY" of the port with that name.
func (d *reader) overridePortField(r *Recipe, key, rest, value string) {
	name, field, ok := strings.Cut(rest, ".")
	if !ok {
		d.report(key, "write ports.NAME.KEY, such as ports.viewer.host")
		return
	}
	i := slices.IndexFunc(r.Ports, func(p Port) bool { return p.Name == name })
	if i < 0 {
		r.Ports = append(r.Ports, Port{Name: name, Protocol: TCP, Address: Loopback})
		i = len(r.Ports) - 1
	}
	d.table("ports."+name, nest(strings.Split(field, "."), value), portFields(&r.Ports[i]))
}

// overridePort reads [ADDRESS:]HOST:GUEST[/PROTOCOL].
func (d *reader) overridePort(r *Recipe, text string) {
	p := Port{Protocol: TCP, Address: Loopback}
	pair, protocol, given := strings.Cut(text, "/")
	if given {
		choice(&p.Protocol, TCP, UDP)(d, "port", nest(nil, protocol))
	}
	colon := strings.LastIndex(pair, ":")
	if colon < 0 {
		d.report("port", "%q; write HOST:GUEST, such as 8080:80, 8080+:80 or any:53/udp", text)
		return
	}
	host, guest := pair[:colon], pair[colon+1:]
	if i := strings.LastIndex(host, ":"); i >= 0 {
		p.Address, host = strings.Trim(host[:i], "[]"), host[i+1:]
	}
	parsed(&p.Host, "", ParseHostPort)(d, "port", nest(nil, host))
	parsed(&p.Guest, "", parsePort)(d, "port", nest(nil, guest))
	for i, q := range r.Ports {
		if q.Guest == p.Guest && q.Protocol == p.Protocol {
			p.Name = q.Name
			r.Ports[i] = p
			return
		}
	}
	r.Ports = append(r.Ports, p)
}

// overrideMount reads SOURCE:TARGET[:ro].
func (d *reader) overrideMount(r *Recipe, text string) {
	parts := strings.Split(text, ":")
	if len(parts) < 2 || len(parts) > 3 || len(parts) == 3 && parts[2] != "ro" && parts[2] != "rw" {
		d.report("mount", "%q; write SOURCE:TARGET or SOURCE:TARGET:ro", text)
		return
	}
	m := Mount{Target: parts[1], ReadOnly: len(parts) == 3 && parts[2] == "ro"}
	hostPath(&m.Source)(d, "mount", nest(nil, parts[0]))
	d.checkSource("mount", m)
	for i, other := range r.Mounts {
		if other.Target == m.Target {
			r.Mounts[i] = m
			return
		}
	}
	r.Mounts = append(r.Mounts, m)
}
