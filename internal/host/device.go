package host

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

// kvmWatchdog bounds the trial run of a guest: it needs a millisecond.
const kvmWatchdog = 3 * time.Second

const (
	kvmEmulateOnly = `emulate, about ten times slower: KVM = "N" in the recipe's env`
	kvmEmulate     = "or " + kvmEmulateOnly
)

// KVM checks that hardware virtualisation works: /dev/kvm is there and opens, and a guest
// really runs its instructions. Inside virtual machines the last is often not so though
// everything else looks right.
func (h Host) KVM(ctx context.Context) Finding {
	const name = "kvm"
	f, err := os.OpenFile(h.path("/dev/kvm"), os.O_RDWR, 0)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Finding{name, Fail, "/dev/kvm is missing: no hardware virtualisation",
			"enable virtualisation (VT-x, AMD-V) in the firmware, then sudo modprobe kvm_intel or kvm_amd; " + kvmEmulate}
	case errors.Is(err, fs.ErrPermission):
		return Finding{name, Warn, "/dev/kvm is there; this user may not open it, so it was not tried",
			"to have it checked: sudo usermod -aG kvm $USER, and log in again"}
	case err != nil:
		return Finding{name, Fail, fmt.Sprintf("/dev/kvm does not open: %v", err),
			"sudo modprobe kvm_intel or kvm_amd; " + kvmEmulate}
	}
	defer f.Close()
	ctx, cancel := context.WithTimeout(ctx, kvmWatchdog)
	defer cancel()
	if err := runGuest(ctx, f, guestProgram()); err != nil {
		return Finding{name, Fail, fmt.Sprintf("/dev/kvm opens, but a guest does not run on it: %v", err),
			"if this host is itself a virtual machine, enable nested virtualisation for it; " + kvmEmulate}
	}
	if runtime.GOARCH == "amd64" && !h.cpuFlag("vmx", "svm") {
		return Finding{name, Fail, "/dev/kvm works, but the processor shows neither vmx nor svm, and the images refuse to start",
			kvmEmulateOnly}
	}
	return ok(name, "/dev/kvm runs a guest")
}

// cpuFlag reports whether the processor shows one of the flags. The images look for vmx and
// svm before anything else (qemus/qemu src/init.sh checkKvm).
func (h Host) cpuFlag(names ...string) bool {
	data, err := os.ReadFile(h.path("/proc/cpuinfo"))
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(data)) {
		key, flags, _ := strings.Cut(line, ":")
		if strings.TrimSpace(key) != "flags" {
			continue
		}
		return slices.ContainsFunc(strings.Fields(flags), func(f string) bool { return slices.Contains(names, f) })
	}
	return false
}

// Tun checks that /dev/net/tun is there and opens: the images give the guest its network
// through a tap device.
func (h Host) Tun(context.Context) Finding {
	const name = "tun"
	f, err := os.OpenFile(h.path("/dev/net/tun"), os.O_RDWR, 0)
	switch {
	case err == nil:
		f.Close()
		return ok(name, "/dev/net/tun opens")
	case errors.Is(err, fs.ErrPermission):
		return Finding{name, Warn, "/dev/net/tun is there; this user may not open it, so it was not tried", ""}
	case errors.Is(err, fs.ErrNotExist):
		return Finding{name, Fail, "/dev/net/tun is missing", `sudo modprobe tun; or do without: NETWORK = "user" in the recipe's env`}
	}
	return Finding{name, Fail, fmt.Sprintf("/dev/net/tun does not open: %v", err),
		`sudo modprobe tun; or do without: NETWORK = "user" in the recipe's env`}
}
