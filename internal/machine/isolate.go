package machine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"time"

	"vmctl/internal/cri"
	"vmctl/internal/firewall"
	"vmctl/internal/recipe"
)

// vncPort is where QEMU shows the screen to whoever connects: it has no password, also
// where the viewer has one (qemus/qemu src/display.sh).
const vncPort = 5900

// openPorts are the ports of the image's own that ask nobody for a password.
func openPorts(v recipe.Viewer) []uint16 {
	ports := []uint16{vncPort}
	if !v.Protect {
		ports = append(ports, viewerPort)
	}
	return ports
}

// isolateLimit bounds the errand that makes the rules.
const isolateLimit = 20 * time.Second

// isolate keeps other pods away from the machine's screen, before there is one. Where
// that cannot be done the start goes on: it is one line of defence among others, and the
// images have none at all.
func (m *Manager) isolate(ctx context.Context, id string, s cri.SandboxConfig, r *recipe.Recipe) {
	if r.Viewer.Peers {
		return
	}
	closePorts := m.closeByErrand
	if os.Geteuid() == 0 {
		closePorts = m.closeInside
	}
	err := closePorts(ctx, id, s, r)
	if err == nil || ctx.Err() != nil {
		return
	}
	level := slog.LevelWarn
	if !m.podIsHere(ctx, id) {
		level = slog.LevelInfo
	}
	m.log().Log(ctx, level, "other pods of this host can reach the machine's VNC", "sandbox", id, "error", err)
}

// podIsHere tells whether a pod's network namespace is seen from here. One that is not may
// be on another host, or in a virtual machine.
func (m *Manager) podIsHere(ctx context.Context, id string) bool {
	status, err := m.Runtime.Sandbox(ctx, id)
	if err != nil {
		return false
	}
	_, err = os.Stat(status.NetNSPath)
	return err == nil
}

// closeInside is for root, who may enter the pod's network namespace.
func (m *Manager) closeInside(ctx context.Context, id string, _ cri.SandboxConfig, r *recipe.Recipe) error {
	status, err := m.Runtime.Sandbox(ctx, id)
	if err != nil {
		return err
	}
	if status.NetNSPath == "" {
		return errors.New("the runtime does not tell its network namespace")
	}
	if r.Network == recipe.NetworkLAN {
		return firewall.CloseToNeighbours(status.NetNSPath, openPorts(r.Viewer))
	}
	return firewall.CloseToPeers(status.NetNSPath, openPorts(r.Viewer))
}

// closeByErrand is for others who may use the runtime's socket: vmctl does the same from
// a container within the pod.
func (m *Manager) closeByErrand(ctx context.Context, id string, s cri.SandboxConfig, r *recipe.Recipe) error {
	args := []string{"errand", "isolate"}
	if r.Network == recipe.NetworkLAN {
		args = append(args, "--neighbours")
	}
	for _, port := range openPorts(r.Viewer) {
		args = append(args, strconv.Itoa(int(port)))
	}
	result, err := m.RunErrand(ctx, Errand{Args: args, Pod: id, Sandbox: s, Privileged: s.Privileged, Capability: "NET_ADMIN", Limit: isolateLimit})
	if err == nil && result.ExitCode != 0 {
		err = fmt.Errorf("exit code %d: %s", result.ExitCode, result.Output)
	}
	return err
}
