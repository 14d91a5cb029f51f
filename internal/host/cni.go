package host

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// cniDirs is where CNI plugins usually are: upstream's place, Debian's, Fedora's.
func cniDirs() []string { return []string{"/opt/cni/bin", "/usr/lib/cni", "/usr/libexec/cni"} }

// CNI checks that one of dirs (nil: the usual ones) has the plugins that a pod network with
// port mappings needs.
func (h Host) CNI(dirs ...string) Finding {
	const name, fix = "cni", "sudo apt install containernetworking-plugins"
	if len(dirs) == 0 {
		dirs = cniDirs()
	}
	best, fewest := "", []string(nil)
	for _, dir := range dirs {
		missing, some := h.missingPlugins(dir)
		if some && len(missing) == 0 {
			return ok(name, "plugins are in "+dir)
		}
		if some && (best == "" || len(missing) < len(fewest)) {
			best, fewest = dir, missing
		}
	}
	if best == "" {
		return Finding{name, Fail, "no CNI plugins in " + strings.Join(dirs, ", "), fix}
	}
	detail := fmt.Sprintf("%s lacks %s", best, strings.Join(fewest, ", "))
	if len(fewest) == 1 && fewest[0] == "portmap" {
		return Finding{name, Fail, detail + ": ports of this host would silently not be mapped", fix}
	}
	return Finding{name, Fail, detail, fix}
}

func (h Host) missingPlugins(dir string) (missing []string, some bool) {
	for _, plugin := range []string{"bridge", "host-local", "loopback", "portmap"} {
		info, err := os.Stat(filepath.Join(h.path(dir), plugin))
		if err != nil || !info.Mode().IsRegular() || info.Mode().Perm()&0o111 == 0 {
			missing = append(missing, plugin)
		} else {
			some = true
		}
	}
	return missing, some
}
