package recipe

import (
	"fmt"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/pelletier/go-toml/v2/unstable"

	"vmctl/internal/portfwd"
)

// commandLine is the File of problems with overrides.
const commandLine = "command line"

// SetField changes one key of the recipe as the command line does: see Apply.
func SetField(r *Recipe, key, value string) error { return r.Apply([]string{key + "=" + value}) }

// Apply changes the recipe by overrides of the form KEY=VALUE, in their order. KEY
// is a key of the schema, and VALUE what a file would have without quotes:
//
//	resources.memory=16G   env.VERSION=10   lifecycle.stop_grace=3m
//	ports.viewer.host=9000   disks.games.size=200G   mounts./oem.source=~/oem
//	(by the port's or disk's name, or the mount's target; one that is not there is made)
//	secrets.PASSWORD.file=~/.secrets/win   viewer.protect=true
//
// or one of the short forms behind the options of the same name:
//
//	cpus=4   memory=16G   disk=100G   env=NAME=VALUE
//	port=HOST:GUEST[/udp]   (HOST: 8080, 8080+ or any; [ADDRESS:]HOST:GUEST and ranges also)
//	mount=SOURCE:TARGET[:ro]
//
// A port that forwards the same guest port, and a mount with the same target, is
// replaced. Relative paths begin at the working directory. All that is wrong comes
// back at once as Problems, and then the recipe is as it was.
func (r *Recipe) Apply(overrides []string) error {
	list := make([]Override, len(overrides))
	for i, text := range overrides {
		list[i] = Override{Text: text, From: commandLine}
	}
	return r.Override(list)
}

// Override is a change of a recipe that comes from elsewhere than its file.
type Override struct {
	Text string // KEY=VALUE: see Recipe.Apply
	From string // who says it, "command line" or "variable VMCTL_MEMORY"
}

// Override is Apply for changes from several places. A later one wins.
func (r *Recipe) Override(list []Override) error {
	_, err := r.override(list)
	return err
}

// override changes the recipe and returns who said each key that was changed.
func (r *Recipe) override(list []Override) (Origins, error) {
	changed, origins := r.clone(), Origins{}
	d := &reader{file: commandLine, places: map[string]position{}}
	if wd, err := os.Getwd(); err == nil {
		d.base = wd
	}
	for _, o := range list {
		d.file, d.places = o.From, map[string]position{}
		key, value, ok := strings.Cut(o.Text, "=")
		switch {
		case !utf8.ValidString(o.Text):
			d.report("", "not UTF-8, as all recipes are: %q", o.Text)
			continue
		case !ok:
			d.report(o.Text, "no value; write KEY=VALUE")
			continue
		}
		d.overrideAlone(changed, strings.TrimSpace(key), value)
		for path := range d.places {
			origins[path] = o.From
		}
	}
	if len(d.problems) == 0 {
		d.complete(changed)
		d.check(changed)
	}
	if err := d.problems.err(); err != nil {
		return nil, err
	}
	*r = *changed
	return origins, nil
}

func (r *Recipe) clone() *Recipe {
	c := *r
	c.Env = maps.Clone(r.Env)
	if c.Env == nil {
		c.Env = map[string]string{}
	}
	c.Secrets = maps.Clone(r.Secrets)
	c.Ports, c.Mounts = slices.Clone(r.Ports), slices.Clone(r.Mounts)
	c.Disks, c.Devices = slices.Clone(r.Disks), slices.Clone(r.Devices)
	return &c
}

// overrideAlone reports what is wrong with one override, whatever was wrong before it: two
// options may be wrong in the same key.
func (d *reader) overrideAlone(r *Recipe, key, value string) {
	before := d.problems
	d.problems = nil
	d.override(r, key, value)
	d.problems = append(before, d.problems...)
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
	switch table, rest, deeper := strings.Cut(key, "."); {
	case deeper && slices.Contains([]string{"ports", "disks", "mounts"}, table):
		d.overrideItem(r, table, rest, value)
		return
	case table == "devices":
		d.report(key, "cannot be set here; write [[devices]] in a recipe")
		return
	case table == extendsKey || table == unsetKey:
		d.report(key, "cannot be set here; write it in a recipe")
		return
	case table == "network":
		delete(r.Env, envNetwork)
	case table == "secrets":
		name, _, _ := strings.Cut(rest, ".")
		delete(r.Env, name)
		delete(r.Secrets, name)
	}
	d.readTable("", nest(strings.Split(key, "."), value), recipeFields(r))
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
	case envNetwork, envDHCP:
		r.Network = ""
		delete(r.Env, envNetwork)
	case envDisplay:
		r.Viewer.Display = ""
	case envProtect:
		r.Viewer.Protect = false
	case envAudio:
		r.Viewer.Audio = false
	case envWidth, envHeight:
		r.resize()
	}
	delete(r.Secrets, name)
	r.Env[name] = value
	d.places[join("env", name)] = position{}
}

// overrideItem sets KEY of the item that NAME means, for "NAME.KEY" below ports, disks
// or mounts; one that is not there is made.
func (d *reader) overrideItem(r *Recipe, array, rest, value string) {
	dot := strings.LastIndex(rest, ".")
	if dot < 0 {
		example := map[string]string{"ports": "ports.viewer.host", "disks": "disks.games.size", "mounts": "mounts./shared.source"}[array]
		d.report(array+"."+rest, "write %s.NAME.KEY, such as %s", array, example)
		return
	}
	name, tree := rest[:dot], nest([]string{rest[dot+1:]}, value)
	at, items := array+"."+name, len(r.Ports)+len(r.Disks)+len(r.Mounts)
	switch array {
	case "ports":
		blank := blankPort()
		blank.Name = name
		p := item(&r.Ports, blank, func(p Port) bool { return p.Name == name })
		d.readTable(at, tree, portFields(p))
	case "disks":
		k := item(&r.Disks, Disk{Name: name}, func(k Disk) bool { return k.Name == name })
		d.readTable(at, tree, diskFields(k))
	case "mounts":
		m := item(&r.Mounts, Mount{Target: name}, func(m Mount) bool { return path.Clean(m.Target) == path.Clean(name) })
		d.readTable(at, tree, mountFields(m))
	}
	if len(r.Ports)+len(r.Disks)+len(r.Mounts) > items { // then its name is said here too
		d.places[at+"."+identityKey(array)] = position{}
	}
}

// item returns the item that is the one meant, or appends a blank one.
func item[T any](list *[]T, blank T, is func(T) bool) *T {
	i := slices.IndexFunc(*list, is)
	if i < 0 {
		*list = append(*list, blank)
		i = len(*list) - 1
	}
	return &(*list)[i]
}

// overridePort reads [ADDRESS:]HOST:GUEST[/PROTOCOL]; see portfwd.ParseSpec.
func (d *reader) overridePort(r *Recipe, text string) {
	specs, err := portfwd.ParseSpec(text)
	if err != nil {
		d.report("port", "%v", err)
		return
	}
	for _, s := range specs {
		p := blankPort()
		p.Guest, p.Protocol = s.Guest, string(s.Protocol)
		if s.Address.IsValid() {
			p.Address = s.Address.String()
		}
		parsed(&p.Host, "", ParseHostPort, shape{}).read(d, "port", nest(nil, s.HostText()))
		i := slices.IndexFunc(r.Ports, func(q Port) bool { return q.Guest == p.Guest && q.Protocol == p.Protocol })
		if i < 0 {
			i = len(r.Ports)
			r.Ports = append(r.Ports, p)
		}
		p.Name, p.Via = r.Ports[i].Name, r.Ports[i].Via
		r.Ports[i] = p
		d.places[fmt.Sprintf("ports[%d]", i)] = position{}
	}
}

// overrideMount reads SOURCE:TARGET[:ro].
func (d *reader) overrideMount(r *Recipe, text string) {
	parts := strings.Split(text, ":")
	if len(parts) < 2 || len(parts) > 3 || len(parts) == 3 && parts[2] != "ro" && parts[2] != "rw" {
		d.report("mount", "%q; write SOURCE:TARGET or SOURCE:TARGET:ro", text)
		return
	}
	m := Mount{Target: parts[1], ReadOnly: len(parts) == 3 && parts[2] == "ro"}
	hostPath(&m.Source).read(d, "mount", nest(nil, parts[0]))
	d.checkSource("mount", m)
	i := slices.IndexFunc(r.Mounts, func(other Mount) bool { return other.Target == m.Target })
	if i < 0 {
		i = len(r.Mounts)
		r.Mounts = append(r.Mounts, Mount{})
	}
	r.Mounts[i] = m
	d.places[fmt.Sprintf("mounts[%d]", i)] = position{}
}

// resize takes the screen's size apart, so that one side of it can be changed.
func (r *Recipe) resize() {
	if m := resolutionPattern.FindStringSubmatch(r.Viewer.Resolution); m != nil {
		r.Env[envWidth], r.Env[envHeight] = m[1], m[2]
	}
	r.Viewer.Resolution = ""
}
