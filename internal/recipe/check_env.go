package recipe

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

var envName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

func (d *reader) checkEnvNames(r *Recipe) {
	for _, name := range slices.Sorted(maps.Keys(r.Env)) {
		if !envName.MatchString(name) {
			d.report(join("env", name), "not a name for a variable; write letters, digits and _")
		}
		if strings.ContainsRune(r.Env[name], 0) {
			d.report(join("env", name), "must not contain a zero byte")
		}
	}
}

// contractEnv are the variables that would break what the launcher relies on.
func contractEnv() map[string]string {
	const viewer = "the launcher looks for the guest's screen there; write a host port in [[ports]] instead"
	return map[string]string{
		"STORAGE":      "the guest's disks would be lost with the container; write storage.path",
		"DISK_NAME":    "the launcher would not find the disk that it must protect",
		"WEB_PORT":     viewer,
		"VNC_PORT":     viewer,
		"QEMU_TIMEOUT": "write TIMEOUT, or better lifecycle.stop_grace",
	}
}

func (d *reader) checkEnv(r *Recipe) {
	for name, why := range contractEnv() {
		if _, ok := r.Env[name]; ok {
			d.report("env."+name, "must not be set: %s", why)
		}
	}
	c := r.Contract()
	if _, ok := r.Env["SERIAL"]; ok && c.MarkerFile != "" {
		d.report("env.SERIAL", "must not be set: the image sees on the serial port that the guest has started, and deletes a disk that never did")
	}
	if disabled(r.Env["SHUTDOWN"]) {
		d.report("env.SHUTDOWN", "must not be off: the guest would be cut off at every stop, and may lose its disk")
	}
	if given, ok := r.Env[envTimeout]; ok {
		if _, ok := timeout(r); !ok {
			d.report("env."+envTimeout, "must be a number of seconds from 1 to %d, not %q", maxTimeout, given)
		}
	}
	if r.Guest == Windows && utf8.RuneCountInString(r.Env["USERNAME"]) > 20 {
		d.report("env.USERNAME", "must have at most 20 characters")
	}
}
