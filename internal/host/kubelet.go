package host

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// k3sSocket is the socket of the containerd inside k3s (k3s docs, "Advanced options").
const k3sSocket = "/run/k3s/containerd/containerd.sock"

// Kubelet looks for a kubelet that uses the runtime at socket ("" if that is unknown). It
// deletes pods that its API server does not know, and so ours (kubernetes-sigs/cri-tools
// README). A kubelet inside a container, as of kind, has its own runtime and does not
// count.
func (h Host) Kubelet(socket string) Finding {
	const name = "kubelet"
	const fix = "use a runtime of our own: sudo vmctl runtime start"
	socket = strings.TrimPrefix(socket, "unix://")
	pids, err := os.ReadDir(h.path("/proc"))
	if err != nil {
		return Finding{name, Warn, fmt.Sprintf("processes cannot be listed: %v", err), ""}
	}
	other := ""
	for _, e := range pids {
		if _, err := strconv.Atoi(e.Name()); err != nil {
			continue
		}
		k, found := h.kubeletAt(e.Name())
		switch {
		case !found:
		case k.socket == "" || socket == "":
			return Finding{name, Warn, fmt.Sprintf("%s (pid %s) runs here and may delete machines if it uses the same runtime", k.command, e.Name()), fix}
		case k.socket == socket:
			return Finding{name, Warn, fmt.Sprintf("%s (pid %s) uses the same runtime and may delete machines", k.command, e.Name()), fix}
		default:
			other = fmt.Sprintf("%s (pid %s) uses another runtime", k.command, e.Name())
		}
	}
	if other != "" {
		return ok(name, other)
	}
	return ok(name, "none runs here")
}

type kubelet struct {
	command string
	socket  string // "" if it is not to be seen
}

// kubeletAt reports whether a process is a kubelet of this host.
func (h Host) kubeletAt(pid string) (kubelet, bool) {
	dir := filepath.Join(h.path("/proc"), pid)
	comm, err := os.ReadFile(filepath.Join(dir, "comm"))
	if err != nil {
		return kubelet{}, false
	}
	k := kubelet{command: strings.TrimSpace(string(comm))}
	switch k.command {
	case "kubelet", "kubelite": // kubelite: MicroK8s
	case "k3s", "k3s-server", "k3s-agent":
		k.socket = k3sSocket
	default:
		return kubelet{}, false
	}
	if theirs, err := os.Readlink(filepath.Join(dir, "ns", "mnt")); err == nil {
		if ours, err := os.Readlink(h.path("/proc/self/ns/mnt")); err == nil && ours != theirs {
			return kubelet{}, false
		}
	}
	cmdline, err := os.ReadFile(filepath.Join(dir, "cmdline"))
	if err != nil {
		return k, true
	}
	if s := endpointFlag(strings.Split(string(cmdline), "\x00")); s != "" {
		k.socket = s
	}
	return k, true
}

// endpointFlag finds the socket among a kubelet's arguments.
func endpointFlag(args []string) string {
	const flag = "--container-runtime-endpoint"
	for i, a := range args {
		if v, found := strings.CutPrefix(a, flag+"="); found {
			return strings.TrimPrefix(v, "unix://")
		}
		if a == flag && i+1 < len(args) {
			return strings.TrimPrefix(args[i+1], "unix://")
		}
	}
	return ""
}
