package recipe

import (
	"path"
	"slices"
	"strings"
)

// checkInstall looks at what the guest is installed from. The images disagree about
// defaults from release to release, and a changed answer reinstalls the machine, so
// the recipe must say it.
func (d *reader) checkInstall(r *Recipe) {
	switch r.Guest {
	case Windows:
		d.checkVersion(r, "VERSION", "11")
		if l, ok := r.Env["LANGUAGE"]; ok && !knownLanguage(l) {
			d.report("env.LANGUAGE", "the image does not know %q%s; it knows %s",
				l, orDidYouMean(l, languageIDs()), strings.Join(languageIDs(), ", "))
		}
	case MacOS:
		d.checkVersion(r, "VERSION", "15")
	case Linux:
		d.checkVersion(r, "BOOT", "debian")
	}
}

func (d *reader) checkVersion(r *Recipe, name, example string) {
	given := r.Env[name]
	if given == "" {
		switch {
		case r.Guest == MacOS:
			d.report("env."+name, "missing; write what to install, such as %q", example)
		case !r.hasMedia():
			d.report("env."+name, "missing; write what to install, such as %q, or mount media at %s", example, r.Contract().MediaTargets[0])
		}
		return
	}
	if _, known := FindVersion(r.Guest, given); known || isMedia(given) {
		return
	}
	d.report("env."+name, "the image does not know %q%s; it knows %s, or the URL of an image file",
		given, orDidYouMean(given, allNames(r.Guest)), strings.Join(shortNames(r.Guest), ", "))
}

// hasMedia tells whether a mount says what to install, whatever VERSION or BOOT say.
// For macOS it only replaces the installer (dockur/macos src/install.sh).
func (r *Recipe) hasMedia() bool {
	targets := r.Contract().MediaTargets
	return r.Guest != MacOS && slices.ContainsFunc(r.Mounts, func(m Mount) bool { return slices.Contains(targets, path.Clean(m.Target)) })
}

// isMedia tells whether VERSION or BOOT is the URL of an image, or the name of a
// file in the storage directory.
func isMedia(s string) bool {
	s = strings.ToLower(s)
	if strings.HasPrefix(s, "http://") || strings.HasPrefix(s, "https://") {
		return true
	}
	ext := path.Ext(s)
	return slices.Contains([]string{".iso", ".esd", ".img", ".raw", ".qcow2", ".vmdk", ".vhd", ".vhdx", ".vdi", ".dmg"}, ext)
}

// ShortName is the spelling to show of a version of the guest: the first one.
func ShortName(g Guest, v Version) string {
	if g == Windows && len(v.Names) > 0 && !strings.Contains(v.Names[0], " ") {
		return v.Names[0]
	}
	return v.ID
}

func shortNames(g Guest) []string {
	var out []string
	for _, v := range Versions(g) {
		out = append(out, ShortName(g, v))
	}
	return out
}

// allNames are all spellings that are words.
func allNames(g Guest) []string {
	var out []string
	for _, v := range Versions(g) {
		for _, name := range append([]string{v.ID}, v.Names...) {
			if !strings.ContainsAny(name, "* ") {
				out = append(out, name)
			}
		}
	}
	return out
}

func languageIDs() []string {
	var out []string
	for _, l := range Languages() {
		out = append(out, l.ID)
	}
	return out
}

// checkResources holds the resources against what the image accepts. It refuses
// too little only when it starts, for Windows after it has cleared the disk.
func (d *reader) checkResources(r *Recipe) {
	res := r.Resources
	var v Version
	if !r.hasMedia() {
		v, _ = FindVersion(r.Guest, r.Env["VERSION"])
	}
	if below(res.Memory, v.Memory) {
		d.report("resources.memory", "%s needs at least %s, not %s", v.Title, v.Memory, res.Memory)
	}
	if below(res.Disk, v.Disk) {
		d.report("resources.disk", "%s needs at least %s, not %s", v.Title, v.Disk, res.Disk)
	}
	if r.Guest == MacOS && res.CPUs.Word == "" && !slices.Contains(macOSCPUs(), res.CPUs.Count) {
		d.report("resources.cpus", "macOS does not start with %d; write 1, 2, 4, 8, 16, 32 or 64", res.CPUs.Count)
	}
}

func below(given, least Size) bool { return given.Word == "" && given.Bytes < least.Bytes }

// macOSCPUs are the numbers of processors that dockur/macos src/cpu.sh accepts; it
// turns 3, 5 and 9 into the next lower number.
func macOSCPUs() []int {
	return []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 24, 32, 64}
}
