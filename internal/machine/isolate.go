package machine

import (
	"context"
	"errors"
	"os"

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

// isolate keeps other pods away from the machine's screen, before there is one. Where
// that cannot be done the start goes on: it is one line of defence among others, and the
// images have none at all.
func (m *Manager) isolate(ctx context.Context, sandbox string, r *recipe.Recipe) {
	v, closeTo := r.Viewer, firewall.CloseToPeers
	if r.Network == recipe.NetworkLAN {
		closeTo = firewall.CloseToNeighbours
	}
	if v.Peers {
		return
	}
	status, err := m.Runtime.Sandbox(ctx, sandbox)
	if err == nil && status.NetNSPath == "" {
		err = errors.New("the runtime does not tell its network namespace")
	}
	if err == nil && os.Geteuid() != 0 {
		err = os.ErrPermission
	}
	if err == nil {
		err = closeTo(status.NetNSPath, openPorts(v))
	}
	if err != nil {
		m.log().Info("other pods of this host can reach the machine's VNC", "sandbox", sandbox, "error", err)
	}
}
