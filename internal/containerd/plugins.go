package containerd

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// pluginDirs are where distributions (Debian and Ubuntu first, then containerd's
// own default, then Fedora) put the CNI plugins.
func pluginDirs() []string {
	return []string{"/usr/lib/cni", "/opt/cni/bin", "/usr/libexec/cni"}
}

// requiredPlugins are those without which no pod starts: containerd itself runs
// loopback for each.
func requiredPlugins() []string { return []string{"bridge", "host-local", "loopback"} }

// specVersions are the CNI versions we write, the best first. 1.1.0 is too new
// for the libcni in containerd 1.6 and for Debian 12's plugins.
func specVersions() []string { return []string{"1.0.0", "0.4.0"} }

// plugins says what CNI plugins there are.
type plugins struct {
	dir      string
	version  string // of the CNI specification, which all of them speak
	portmap  bool
	firewall bool
	missing  []string // of the required ones
}

// findPlugins takes the first directory that has all required plugins.
func findPlugins(ctx context.Context, dirs []string) plugins {
	has := func(dir, name string) bool { return executable(filepath.Join(dir, name)) }
	for _, dir := range dirs {
		if slices.ContainsFunc(requiredPlugins(), func(name string) bool { return !has(dir, name) }) {
			continue
		}
		p := plugins{dir: dir, portmap: has(dir, "portmap"), firewall: has(dir, "firewall")}
		p.version = commonVersion(p.supported(ctx))
		return p
	}
	return plugins{missing: missingPlugins(dirs)}
}

// missingPlugins are the required ones that no directory has; all of them if they
// are scattered over several, because containerd 1.6 takes one directory only.
func missingPlugins(dirs []string) []string {
	missing := slices.DeleteFunc(requiredPlugins(), func(name string) bool {
		return slices.ContainsFunc(dirs, func(dir string) bool { return executable(filepath.Join(dir, name)) })
	})
	if len(missing) == 0 {
		return requiredPlugins()
	}
	return missing
}

// supported asks each plugin that the network uses for its versions.
func (p plugins) supported(ctx context.Context) [][]string {
	names := []string{"bridge", "host-local"}
	if p.portmap {
		names = append(names, "portmap")
	}
	if p.firewall {
		names = append(names, "firewall")
	}
	var all [][]string
	for _, name := range names {
		all = append(all, pluginVersions(ctx, filepath.Join(p.dir, name)))
	}
	return all
}

// pluginVersions asks as the CNI specification says (section 3, VERSION). A
// plugin that does not answer is taken to speak the oldest version we write.
func pluginVersions(ctx context.Context, file string) []string {
	cmd := exec.CommandContext(ctx, file)
	cmd.Env = append(os.Environ(), "CNI_COMMAND=VERSION")
	cmd.Stdin = strings.NewReader(`{"cniVersion":"1.0.0"}`)
	var answer struct {
		SupportedVersions []string `json:"supportedVersions"`
	}
	out, err := cmd.Output()
	if err != nil || json.Unmarshal(out, &answer) != nil {
		return []string{specVersions()[len(specVersions())-1]}
	}
	return answer.SupportedVersions
}

// commonVersion is the best version that all speak, else the oldest we write.
func commonVersion(all [][]string) string {
	for _, v := range specVersions() {
		if !slices.ContainsFunc(all, func(one []string) bool { return !slices.Contains(one, v) }) {
			return v
		}
	}
	return specVersions()[len(specVersions())-1]
}
