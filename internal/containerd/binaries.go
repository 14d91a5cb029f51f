package containerd

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"vmctl/internal/hint"
)

// EnvContainerd names the daemon's executable.
const EnvContainerd = "VMCTL_CONTAINERD"

// systemPath is where executables are looked for besides PATH: a user's PATH
// often lacks the sbin directories, in which runc and iptables are.
const systemPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// binaries are the executables that an instance runs.
type binaries struct {
	containerd string
	version    string // of containerd
	runc       string
	iptables   string
	plugins    plugins
}

// path is the daemon's PATH. The daemon's own directory comes first: containerd
// looks its shim up in PATH before it looks beside itself, and a shim of another
// release fails with "bootstrap parameters do not match command-line arguments".
func (b binaries) path() string {
	return strings.Join([]string{filepath.Dir(b.containerd), filepath.Dir(b.runc), systemPath}, ":")
}

// findBinaries finds all of them, or says which are missing.
func (i *Instance) findBinaries(ctx context.Context) (binaries, error) {
	var missing []string
	need := func(name string, path string) string {
		if path == "" {
			missing = append(missing, name)
		}
		return path
	}
	daemon, err := i.findContainerd()
	if err != nil {
		return binaries{}, err
	}
	b := binaries{
		containerd: need("containerd", daemon),
		runc:       need("runc", lookPath("runc")),
		iptables:   need("iptables", lookPath("iptables")),
	}
	b.plugins = findPlugins(ctx, pluginDirs())
	for _, name := range b.plugins.missing {
		need("CNI plugin "+name, "")
	}
	if len(missing) > 0 {
		err := fmt.Errorf("%s: %w", strings.Join(missing, ", "), ErrMissing)
		return b, hint.With(err, "sudo apt-get install containerd runc containernetworking-plugins iptables")
	}
	b.version, err = binaryVersion(ctx, b.containerd)
	return b, err
}

// findContainerd returns the daemon's absolute path, "" where there is none. A
// path that somebody gave must exist.
func (i *Instance) findContainerd() (string, error) {
	for _, given := range []string{i.options.Containerd, os.Getenv(EnvContainerd)} {
		if given == "" {
			continue
		}
		if !executable(given) {
			return "", fmt.Errorf("no executable %q: %w", given, ErrMissing)
		}
		return filepath.Abs(given)
	}
	if found := lookPath("containerd"); found != "" {
		return found, nil
	}
	for _, dir := range shippedDirs("runtime") {
		if file := filepath.Join(dir, "containerd"); executable(file) {
			return file, nil
		}
	}
	return "", nil
}

// shippedDirs are the directories in which a build, an installation or a package of
// ours puts sub: beside the executable, below the prefix it was installed to, or in
// the system's. The working directory is none: what lies there must not come to run
// as root.
func shippedDirs(sub string) []string {
	var dirs []string
	if self, err := os.Executable(); err == nil {
		bin := filepath.Dir(self)
		for _, at := range []string{".", "../lib/vmctl", "../share/vmctl"} {
			dirs = append(dirs, filepath.Join(bin, at, sub))
		}
	}
	return append(dirs, filepath.Join("/usr/lib/vmctl", sub), filepath.Join("/usr/share/vmctl", sub))
}

// lookPath finds an executable in PATH or where a user's PATH does not look.
func lookPath(name string) string {
	for _, dir := range filepath.SplitList(os.Getenv("PATH") + ":" + systemPath) {
		if file := filepath.Join(dir, name); filepath.IsAbs(file) && executable(file) {
			return file
		}
	}
	return ""
}

func executable(file string) bool {
	info, err := os.Stat(file)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

// binaryVersion asks the daemon's executable, which prints
// "containerd github.com/containerd/containerd/v2 v2.4.2 COMMIT".
func binaryVersion(ctx context.Context, file string) (string, error) {
	out, err := exec.CommandContext(ctx, file, "--version").Output()
	if err != nil {
		err = cmp.Or(contextError(ctx), err) // "signal: killed" says less
		return "", fmt.Errorf("ask %q for its version: %w", file, err)
	}
	fields := strings.Fields(string(out))
	if len(fields) < 3 || fields[0] != "containerd" {
		return "", fmt.Errorf("%q is not containerd: it printed %q as its version", file, strings.TrimSpace(string(out)))
	}
	return cleanVersion(fields[2]), nil
}

// cleanVersion makes "2.4.2" of "v2.4.2" and of "2.4.2+unknown", which a build
// outside of containerd's tree says, and "1.6.20" of Debian's "1.6.20~ds1".
func cleanVersion(v string) string {
	v = strings.TrimPrefix(v, "v")
	if end := strings.IndexAny(v, "~+"); end >= 0 {
		v = v[:end]
	}
	return v
}
