package containerd

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"vmctl/internal/hint"
)

// defaultGroup may use the socket where no other was asked for.
const defaultGroup = "vmctl"

// capSysResource is CAP_SYS_RESOURCE (capabilities(7)).
const capSysResource = unix.CAP_SYS_RESOURCE

// systemdRuns tells whether systemd is the init of this system, as sd_booted(3)
// does.
func systemdRuns() bool {
	info, err := os.Stat("/run/systemd/system")
	return err == nil && info.IsDir()
}

// unifiedCgroups tells whether cgroups are version 2 alone (systemd: "Control
// Group APIs and Delegation": statfs of /sys/fs/cgroup).
func unifiedCgroups() bool {
	var fs unix.Statfs_t
	return unix.Statfs("/sys/fs/cgroup", &fs) == nil && fs.Type == unix.CGROUP2_SUPER_MAGIC
}

// hasCapability tells whether this process has a capability (unix.CAP_*) in
// effect.
func hasCapability(number int) bool {
	data, err := os.ReadFile("/proc/self/status")
	return err == nil && capabilityIn(string(data), number)
}

// capabilityIn reads it from the text of /proc/self/status (proc(5), CapEff).
func capabilityIn(status string, number int) bool {
	for line := range strings.Lines(status) {
		if text, ok := strings.CutPrefix(line, "CapEff:"); ok {
			mask, err := strconv.ParseUint(strings.TrimSpace(text), 16, 64)
			return err == nil && mask&(1<<number) != 0
		}
	}
	return false
}

// overlayWorks tries an overlay mount in dir: it fails where dir is on an overlay
// itself, or on a file system without what overlays need.
func overlayWorks(dir string) bool {
	base, err := os.MkdirTemp(dir, ".overlay-*")
	if err != nil {
		return false
	}
	defer func() { _ = os.RemoveAll(base) }()
	at := map[string]string{}
	for _, name := range []string{"lower", "upper", "work", "merged"} {
		at[name] = filepath.Join(base, name)
		if os.Mkdir(at[name], 0o700) != nil {
			return false
		}
	}
	options := fmt.Sprintf("lowerdir=%s,upperdir=%s,workdir=%s", at["lower"], at["upper"], at["work"])
	if unix.Mount("overlay", at["merged"], "overlay", 0, options) != nil {
		return false
	}
	return unix.Unmount(at["merged"], 0) == nil
}

// groupID finds a group by name or number. "" is the group "vmctl" if there is
// one, else root's.
func groupID(group string) (int, error) {
	if group == "" {
		if g, err := user.LookupGroup(defaultGroup); err == nil {
			return strconv.Atoi(g.Gid)
		}
		return 0, nil
	}
	if gid, err := strconv.ParseUint(group, 10, 31); err == nil {
		return int(gid), nil
	}
	g, err := user.LookupGroup(group)
	var unknown user.UnknownGroupError
	if errors.As(err, &unknown) {
		return 0, hint.With(fmt.Errorf("no group %q", group), "make it: sudo groupadd --system %s; or name another with --group", group)
	}
	if err != nil {
		return 0, fmt.Errorf("find group %q: %w", group, err)
	}
	return strconv.Atoi(g.Gid)
}

// NeedRoot is the error, an ErrNotRoot, of a verb ("start", "stop") that only root can
// do; nil for root.
func (i *Instance) NeedRoot(verb string) error {
	if os.Geteuid() == 0 {
		return nil
	}
	return hint.With(fmt.Errorf("%s the private runtime: %w", verb, ErrNotRoot), "sudo %s", i.command(verb))
}
