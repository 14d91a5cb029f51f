package machine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"vmctl/internal/cri"
	"vmctl/internal/hint"
	"vmctl/internal/host"
	"vmctl/internal/recipe"
)

// passthrough is what of the host goes into the container beside the storage: further
// disks and devices.
type passthrough struct {
	devices []cri.Device
	cdi     []string
	mounts  []cri.Mount
}

// usbBus is where the device nodes of USB are; QEMU opens them itself.
const usbBus = "/dev/bus/usb"

// passThrough translates the recipe's disks and devices. disk says where a disk is
// kept, and nodes are those of the USB devices, which a privileged container needs not:
// it gets the whole bus, so that they may come and go.
func passThrough(r *recipe.Recipe, disk func(recipe.Disk) string, nodes []string) passthrough {
	var p passthrough
	node := func(path, target, permissions string) {
		p.devices = append(p.devices, cri.Device{HostPath: path, ContainerPath: target, Permissions: permissions})
	}
	for _, k := range r.Disks {
		if k.Device != "" {
			node(k.Device, k.Device, "rwm")
			continue
		}
		p.mounts = append(p.mounts, cri.Mount{HostPath: disk(k), ContainerPath: k.Target()})
	}
	for _, v := range r.Devices {
		switch {
		case v.CDI != "":
			p.cdi = append(p.cdi, v.CDI)
		case v.Path != "":
			node(v.Path, either(v.Target, v.Path), either(v.Permissions, "rwm"))
		}
	}
	switch {
	case !hasUSB(r):
	case r.Security == recipe.SecurityMinimal:
		for _, n := range nodes {
			node(n, n, "rwm")
		}
	default:
		p.mounts = append(p.mounts, cri.Mount{HostPath: usbBus, ContainerPath: usbBus})
	}
	return p
}

func either(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func hasUSB(r *recipe.Recipe) bool {
	return slices.ContainsFunc(r.Devices, func(v recipe.Device) bool { return v.USB != "" })
}

// diskPath is where a further disk is kept.
func (h *handle) diskPath(k recipe.Disk) string {
	if h.rec.Ephemeral {
		return h.dir.Ephemeral().DiskPath(k.Name)
	}
	if k.Path == "" {
		return h.dir.DiskPath(k.Name)
	}
	if real, err := filepath.EvalSymlinks(k.Path); err == nil {
		return real
	}
	return k.Path
}

// diskPaths are the directories and devices of all further disks, which no other
// machine may use at the same time.
func (h *handle) diskPaths() []string {
	var out []string
	for _, k := range h.recipe.Disks {
		if k.Device == "" {
			out = append(out, h.diskPath(k))
		} else if real, err := filepath.EvalSymlinks(k.Device); err == nil {
			out = append(out, real)
		}
	}
	return out
}

// checkPassthrough makes sure that all of it is there, and makes the directories of the
// machine's own disks: the runtime would make folders of root's instead.
func (m *Manager) checkPassthrough(ctx context.Context, h *handle, report Reporter) (passthrough, error) {
	for _, k := range h.recipe.Disks {
		if err := m.checkExtraDisk(h, k); err != nil {
			return passthrough{}, fmt.Errorf("disk %q: %w", k.Name, err)
		}
	}
	for _, v := range h.recipe.Devices {
		if v.Path == "" {
			continue
		}
		if _, err := os.Stat(filepath.Join(m.Host.Root, v.Path)); err != nil {
			err := fmt.Errorf("%w: device %s: %w", errHost, v.Path, errors.Unwrap(err))
			return passthrough{}, hint.With(err, "plug it in or load its driver, or take it out of the recipe")
		}
	}
	if err := m.checkCDI(ctx, h.recipe); err != nil {
		return passthrough{}, err
	}
	nodes, err := m.findUSB(h.recipe, report)
	if err != nil {
		return passthrough{}, err
	}
	return passThrough(h.recipe, h.diskPath, nodes), nil
}

func (m *Manager) checkExtraDisk(h *handle, k recipe.Disk) error {
	if k.Device == "" {
		if k.Path != "" {
			return nil // CheckPaths has looked
		}
		return os.MkdirAll(h.diskPath(k), 0o700)
	}
	use, err := m.Host.BlockInUse(k.Device)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return hint.With(fmt.Errorf("%w: %s does not exist", errHost, k.Device), "plug it in, or take it out of the recipe; see what there is with: lsblk")
	case err != nil:
		return fmt.Errorf("%w: %w", errHost, err)
	case use != "":
		err := fmt.Errorf("%w: this host uses %s (%s), and both would destroy it", ErrGuard, k.Device, use)
		return hint.With(err, "unmount it first, and keep it out of /etc/fstab")
	}
	return nil
}

// checkCDI refuses CDI names where the runtime would silently ignore them: containerd
// knows them since 1.7 (containerd docs/cri/config.md, enable_cdi).
func (m *Manager) checkCDI(ctx context.Context, r *recipe.Recipe) error {
	if !slices.ContainsFunc(r.Devices, func(v recipe.Device) bool { return v.CDI != "" }) {
		return nil
	}
	v, err := m.Runtime.Version(ctx)
	if err != nil {
		return err
	}
	number := strings.TrimPrefix(v.RuntimeVersion, "v")
	if v.RuntimeName == "containerd" && (strings.HasPrefix(number, "1.6.") || strings.HasPrefix(number, "1.5.")) {
		err := fmt.Errorf("%w: the runtime containerd %s does not know CDI devices", errHost, number)
		return hint.With(err, "use containerd 1.7 or newer, or pass the device nodes by path")
	}
	return nil
}

// findUSB looks for the recipe's USB devices. One that is not plugged in is noted where
// it can come later, else it is an error.
func (m *Manager) findUSB(r *recipe.Recipe, report Reporter) (nodes []string, err error) {
	if !hasUSB(r) {
		return nil, nil
	}
	if _, err := os.Stat(filepath.Join(m.Host.Root, usbBus)); err != nil {
		return nil, hint.With(fmt.Errorf("%w: it has no USB (%s is missing)", errHost, usbBus), "take the USB devices out of the recipe")
	}
	plugged, err := m.Host.USB()
	if err != nil {
		return nil, err
	}
	for _, v := range r.Devices {
		if v.USB == "" {
			continue
		}
		i := slices.IndexFunc(plugged, func(u host.USBDevice) bool { return u.Is(v.USB) })
		switch {
		case i >= 0:
			nodes = append(nodes, plugged[i].Node)
		case r.Security == recipe.SecurityMinimal:
			err := fmt.Errorf("%w: USB device %s is not plugged in", errHost, v.USB)
			return nil, hint.With(err, `plug it in, or write security = "privileged", with which it may come later; lsusb lists what is there`)
		default:
			report.note("USB device " + v.USB + " is not plugged in; the guest gets it when it is")
		}
	}
	return nodes, nil
}
