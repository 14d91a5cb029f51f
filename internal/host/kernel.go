package host

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Cgroup checks that control groups are mounted, and says which version.
func (h Host) Cgroup() Finding {
	switch v := h.CgroupVersion(); v {
	case 0:
		return Finding{"cgroup", Fail, "no control groups are mounted at /sys/fs/cgroup",
			"sudo mount -t cgroup2 none /sys/fs/cgroup"}
	default:
		return ok("cgroup", fmt.Sprintf("version %d", v))
	}
}

// CgroupVersion returns 2 for the unified hierarchy, 1 for the old ones (also where the
// unified one is mounted beside them without controllers), 0 for none.
func (h Host) CgroupVersion() int {
	if h.exists("/sys/fs/cgroup/cgroup.controllers") {
		return 2
	}
	for _, controller := range []string{"memory", "cpu", "devices"} {
		if h.exists("/sys/fs/cgroup/" + controller) {
			return 1
		}
	}
	return 0
}

// Systemd says whether systemd runs this host: it decides the cgroup driver and how
// machines are started at boot. Neither answer is wrong.
func (h Host) Systemd() Finding {
	if h.HasSystemd() {
		return ok("systemd", "runs this host")
	}
	return ok("systemd", "does not run this host: machines cannot be started at boot by it")
}

// HasSystemd reports whether systemd is the init system (sd_booted(3)).
func (h Host) HasSystemd() bool { return h.exists("/run/systemd/system") }

// IPForward checks that the kernel routes between interfaces, which pods need to be
// reached. The CNI bridge plugin turns it on with the first pod.
func (h Host) IPForward() Finding {
	const name, fix = "ip_forward", "sudo sysctl -w net.ipv4.ip_forward=1"
	data, err := os.ReadFile(h.path("/proc/sys/net/ipv4/ip_forward"))
	switch {
	case err != nil:
		return Finding{name, Warn, fmt.Sprintf("is unknown: %v", err), fix}
	case strings.TrimSpace(string(data)) != "1":
		return Finding{name, Warn, "is off: the guest's network may fall back to user mode until the first pod turns it on", fix}
	}
	return ok(name, "is on")
}

// capSysResource is the number of CAP_SYS_RESOURCE (capabilities(7)).
const capSysResource = 24

// SysResource checks that root may lower OOM scores here. Inside restricted containers and
// virtual machines it may not, and then a runtime starts pods only if its configuration
// says restrict_oom_score_adj = true.
func (h Host) SysResource() Finding {
	const name = "cap_sys_resource"
	has, err := h.HasCapability(capSysResource)
	switch {
	case err != nil:
		return Finding{name, Warn, fmt.Sprintf("is unknown: %v", err), ""}
	case !has:
		return Finding{name, Warn, "is missing: most runtimes cannot start a pod here",
			"use the private runtime, which allows for it: sudo vmctl runtime start"}
	}
	return ok(name, "is there")
}

// HasCapability reports whether a process of root could have the capability with this
// number: whether it is in the bounding set.
func (h Host) HasCapability(number uint) (bool, error) {
	data, err := os.ReadFile(h.path("/proc/self/status"))
	if err != nil {
		return false, err
	}
	for _, line := range strings.Split(string(data), "\n") {
		value, found := strings.CutPrefix(line, "CapBnd:")
		if !found {
			continue
		}
		set, err := strconv.ParseUint(strings.TrimSpace(value), 16, 64)
		return set>>number&1 == 1, err
	}
	return false, errors.New("/proc/self/status does not say")
}

func (h Host) exists(path string) bool {
	_, err := os.Stat(h.path(path))
	return err == nil
}
