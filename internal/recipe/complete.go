package recipe

import (
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/distribution/reference"
)

// The variables of the images that have a key of their own in a recipe.
const (
	envMemory  = "RAM_SIZE"
	envCPUs    = "CPU_CORES"
	envDisk    = "DISK_SIZE"
	envTimeout = "TIMEOUT"
	envCommand = "COMMAND"
)

// complete fills in what the recipe leaves open, so that nothing of it changes when
// a default does.
func (d *reader) complete(r *Recipe) {
	if r.Guest == "" {
		r.Guest, _ = guestOf(r.Image)
	}
	c := r.Contract()
	if r.Image == "" {
		r.Image = c.DefaultImage
	}
	if named, err := reference.ParseNormalizedNamed(r.Image); err == nil {
		r.Image = named.String()
	}
	completeEnv(r, c)
	d.adoptResources(r)
	d.adoptNetwork(r)
	d.adoptViewer(r)
	setDefault(&r.Resources.CPUs, c.defaults.CPUs)
	setDefault(&r.Resources.Memory, c.defaults.Memory)
	setDefault(&r.Resources.Disk, c.defaults.Disk)
	setDefault(&r.Security, SecurityPrivileged)
	setDefault(&r.Lifecycle.StopGrace, stopGrace(r, c))
	setDefault(&r.Lifecycle.Ready, readyOf(r, c))
	setDefault(&r.Lifecycle.Restart, RestartNo)
	if r.Lifecycle.Idle.After > 0 {
		setDefault(&r.Lifecycle.Idle.Action, IdleStop)
	}
	setDefault(&r.Network, NetworkNAT)
	setDefault(&r.Viewer.Display, DisplayWeb)
	namePorts(r.Ports)
	numberDisks(r.Disks)
}

func setDefault[T comparable](dst *T, value T) {
	var zero T
	if *dst == zero {
		*dst = value
	}
}

// adoptResources moves the images' own variables for resources into the keys for
// them, as someone may write them who comes from docker compose. Both at once is a
// problem.
func (d *reader) adoptResources(r *Recipe) {
	adopt(d, r, envCPUs, "resources.cpus", &r.Resources.CPUs, ParseCPUs)
	adopt(d, r, envMemory, "resources.memory", &r.Resources.Memory, ParseSize)
	adopt(d, r, envDisk, "resources.disk", &r.Resources.Disk, ParseSize)
}

func adopt[T comparable](d *reader, r *Recipe, name, key string, dst *T, parse func(string) (T, error)) {
	if given, ok := r.Env[name]; ok {
		delete(r.Env, name)
		adoptText(d, name, given, key, dst, parse)
	}
}

// adoptText takes the text of a variable for the key.
func adoptText[T comparable](d *reader, name, text, key string, dst *T, parse func(string) (T, error)) {
	var zero T
	if _, read := d.places[key]; *dst != zero || read {
		d.report("env."+name, "set twice; remove it: %s has the say", key)
		return
	}
	v, err := parse(text)
	if err != nil {
		d.report("env."+name, "%v; better write %s", err, key)
		return
	}
	*dst = v
}

// stopGrace is the default grace: long enough for the recipe's own TIMEOUT.
func stopGrace(r *Recipe, c Contract) time.Duration {
	if t, ok := timeout(r); ok {
		return max(t+StopMargin, minStopGrace)
	}
	return c.StopGrace
}

// timeout is the TIMEOUT that the recipe sets itself, if it is one that leaves room for
// the image to end within maxStopGrace.
func timeout(r *Recipe) (time.Duration, bool) {
	seconds, err := strconv.Atoi(r.Env[envTimeout])
	if err != nil || seconds < 1 || seconds > maxTimeout {
		return 0, false
	}
	return time.Duration(seconds) * time.Second, true
}

// completeEnv says what an image would choose by itself. Windows' VERSION matters
// even with media of the user's own: once they are gone, it is what was installed.
func completeEnv(r *Recipe, c Contract) {
	defaults := maps.Clone(c.env)
	if r.Guest == Windows && r.hasMedia() {
		defaults["VERSION"] = "11"
	}
	for name, value := range defaults {
		if _, ok := r.Env[name]; !ok {
			r.Env[name] = value
		}
	}
}

// readyOf is the default of how readiness is known. An installation by hand never
// runs the command that writes the marker, and Windows before Vista has no COMMAND
// (dockur/windows docs/environment.md).
func readyOf(r *Recipe, c Contract) Ready {
	if c.ready == ReadyLog && r.Guest == Windows {
		v, known := FindVersion(Windows, r.Env["VERSION"])
		if enabled(r.Env["MANUAL"]) || known && v.Legacy && !r.hasMedia() {
			return ReadyViewer
		}
	}
	return c.ready
}

// enabled and disabled read a switch as the images do (qemus/qemu src/utils.sh).
func enabled(s string) bool {
	s = strings.ToLower(s)
	return s == "1" || s == "true" || s == "on" || strings.HasPrefix(s, "y")
}

func disabled(s string) bool {
	s = strings.ToLower(s)
	return s == "0" || s == "false" || s == "off" || strings.HasPrefix(s, "n")
}

// namePorts gives the ports without a name one made of protocol and number.
func namePorts(ports []Port) {
	for i, p := range ports {
		if p.Name == "" {
			ports[i].Name = p.Protocol + strconv.Itoa(p.Guest)
		}
	}
}
