package machine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"vmctl/internal/cri"
	"vmctl/internal/hint"
	"vmctl/internal/host"
	"vmctl/internal/recipe"
)

// errHost is the root of what this computer lacks.
var errHost = errors.New("this host cannot run the machine")

// checkHost looks at what the guest needs of this computer and returns the devices
// to pass. What only makes the guest slower or smaller is noted.
func (m *Manager) checkHost(ctx context.Context, h *handle, report Reporter) (devices []string, err error) {
	if err := m.checkDisk(h); err != nil {
		return nil, err
	}
	if wantsKVM(h.recipe) {
		finding := m.Host.KVM(ctx)
		switch {
		case finding.Level == host.OK:
		case finding.Level == host.Warn: // the container is root and may open what this user may not
			m.log().Info("KVM was not tried", "why", finding.Detail)
		case h.recipe.Guest == recipe.Demo: // it falls back to emulation by itself
			report.note("without hardware virtualisation, the guest is emulated: " + finding.Detail)
		default:
			return nil, hint.With(fmt.Errorf("%w: %s", errHost, finding.Detail), "%s", finding.Fix)
		}
	}
	if wantsTun(h.recipe) {
		if finding := m.Host.Tun(ctx); finding.Level == host.Fail {
			return nil, hint.With(fmt.Errorf("%w: %s", errHost, finding.Detail), "%s", finding.Fix)
		}
	}
	for _, d := range []string{deviceKVM, deviceTun} {
		if _, err := os.Stat(filepath.Join(m.Host.Root, d)); err == nil {
			devices = append(devices, d)
		}
	}
	return devices, nil
}

// minFree is how many bytes must be free for a start to make sense: the images
// fail in odd ways, half-way, on a full disk.
func minFree(g recipe.Guest) uint64 {
	if g == recipe.Demo {
		return 64 << 20
	}
	return 1 << 30
}

func (m *Manager) checkDisk(h *handle) error {
	finding := m.Host.DiskFree(h.storagePath(), minFree(h.recipe.Guest))
	if finding.Level != host.Fail {
		return nil
	}
	return hint.With(fmt.Errorf("%w: %s", cri.ErrDiskFull, finding.Detail), "%s", finding.Fix)
}

// wantsKVM tells whether the image will insist on /dev/kvm (qemus/qemu src/init.sh).
func wantsKVM(r *recipe.Recipe) bool { return !disabled(r.Env["KVM"]) }

// wantsTun tells whether the image will make a tap device (qemus/qemu src/network.sh).
func wantsTun(r *recipe.Recipe) bool { return r.Network == recipe.NetworkNAT }

// disabled reads a switch as the images do (qemus/qemu src/utils.sh): unset is on.
func disabled(value string) bool {
	switch strings.ToLower(strings.TrimSpace(value)) {
	case "n", "no", "false", "0", "off", "disabled":
		return true
	}
	return false
}

// checkRuntime looks whether a sandbox can have a network, before CRI-O blocks
// without end in RunPodSandbox waiting for one.
func (m *Manager) checkRuntime(ctx context.Context) error {
	status, err := m.Runtime.Status(ctx)
	switch {
	case err != nil:
		return fmt.Errorf("runtime status: %w", err)
	case !status.RuntimeReady.OK:
		return fmt.Errorf("%w: %s", cri.ErrNotReady, oneLine(status.RuntimeReady.Reason+" "+status.RuntimeReady.Message))
	case !status.NetworkReady.OK:
		err := fmt.Errorf("%w: it has no pod network: %s", cri.ErrNotReady, oneLine(status.NetworkReady.Message))
		return hint.With(err, "put a CNI configuration into /etc/cni/net.d, or use the private runtime, which brings one: sudo vmctl runtime start")
	}
	return nil
}

// dns returns the name servers to give to the pod: nil, the runtime's copy of the
// host's file, unless that file names a stub on the host's loopback, which a pod
// cannot reach.
func (m *Manager) dns() (*cri.DNSConfig, error) {
	servers, err := m.Host.Resolvers()
	if err != nil {
		return nil, fmt.Errorf("name servers of this host: %w", err)
	}
	if len(servers) == 0 {
		return nil, nil
	}
	return &cri.DNSConfig{Servers: servers}, nil
}
