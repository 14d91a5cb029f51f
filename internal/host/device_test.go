package host

import (
	"os"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestDevicesMissingOrWrong(t *testing.T) {
	none := fake(t, nil)
	want(t, none.KVM(t.Context()), Fail, "/dev/kvm is missing")
	want(t, none.Tun(t.Context()), Fail, "/dev/net/tun is missing")

	odd := fake(t, map[string]string{"dev/kvm": "a file", "dev/net/tun/": ""})
	want(t, odd.KVM(t.Context()), Fail, "does not run on it")
	want(t, odd.Tun(t.Context()), Fail, "does not open")
	want(t, fake(t, map[string]string{"dev/kvm/": ""}).KVM(t.Context()), Fail, "does not open")
	want(t, fake(t, map[string]string{"dev/net/tun": "a file"}).Tun(t.Context()), OK, "opens")
}

// It is the container that opens the device, as root: who may not is not told that it
// fails.
func TestDevicesWithoutPermission(t *testing.T) {
	h := fake(t, map[string]string{"dev/kvm": "", "dev/net/tun": ""})
	for _, f := range []string{"dev/kvm", "dev/net/tun"} {
		if err := os.Chmod(h.path("/"+f), 0); err != nil {
			t.Fatal(err)
		}
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // never unlocked: the thread ends with its lost privilege
		if os.Geteuid() == 0 {
			hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
			if err := unix.Capset(&hdr, &make([]unix.CapUserData, 2)[0]); err != nil {
				t.Error(err)
			}
		}
		want(t, h.KVM(t.Context()), Warn, "this user may not open it")
		want(t, h.Tun(t.Context()), Warn, "this user may not open it")
	}()
	<-done
}

func TestCPUFlag(t *testing.T) {
	h := fake(t, map[string]string{"proc/cpuinfo": "processor\t: 0\nvmx flags\t: vnmi\nflags\t\t: fpu svm_lock svm sse\n"})
	if !h.cpuFlag("vmx", "svm") || h.cpuFlag("vmx") || fake(t, nil).cpuFlag("svm") || fake(t, map[string]string{"proc/cpuinfo": "x"}).cpuFlag("svm") {
		t.Error("cpuFlag is wrong")
	}
}

// Whatever this host's KVM is like, the check ends in time.
func TestKVMEnds(t *testing.T) {
	start := time.Now()
	t.Logf("%+v", Host{}.KVM(t.Context()))
	if took := time.Since(start); took > kvmWatchdog+kvmKicks*kvmKick+time.Second {
		t.Errorf("took %v", took)
	}
}
