package host

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// These ask the kernel of this host the same question another way.

func TestMemoryAgreesWithSysinfo(t *testing.T) {
	var info unix.Sysinfo_t
	if err := unix.Sysinfo(&info); err != nil {
		t.Fatal(err)
	}
	total, available, err := Host{}.meminfo()
	if err != nil {
		t.Fatal(err)
	}
	// /proc/meminfo counts whole KiB.
	if whole := uint64(info.Totalram) * uint64(info.Unit); total>>10 != whole>>10 || available > total {
		t.Errorf("%d of %d bytes available, sysinfo(2) says %d", available, total, whole)
	}
}

func TestCapabilityAgreesWithPrctl(t *testing.T) {
	for number := range uint(unix.CAP_LAST_CAP + 1) {
		in, err := unix.PrctlRetInt(unix.PR_CAPBSET_READ, uintptr(number), 0, 0, 0)
		if err != nil {
			continue // this kernel does not know it
		}
		has, err := Host{}.HasCapability(number)
		if err != nil || has != (in == 1) {
			t.Errorf("capability %d: %v, %v; prctl(2) says %d", number, has, err, in)
		}
	}
	if capSysResource != unix.CAP_SYS_RESOURCE {
		t.Error("capSysResource is another capability")
	}
}

func TestCgroupAgreesWithMounts(t *testing.T) {
	var st unix.Statfs_t
	err := unix.Statfs("/sys/fs/cgroup", &st)
	if errors.Is(err, fs.ErrNotExist) {
		t.Log("no cgroups here")
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	unified := st.Type == unix.CGROUP2_SUPER_MAGIC
	if got := (Host{}).CgroupVersion(); (got == 2) != unified {
		t.Errorf("version %d, but /sys/fs/cgroup unified: %v", got, unified)
	}
}

func TestSystemdAgreesWithInit(t *testing.T) {
	comm, err := os.ReadFile("/proc/1/comm")
	if err != nil {
		t.Fatal(err)
	}
	if got := (Host{}).HasSystemd(); got != (strings.TrimSpace(string(comm)) == "systemd") {
		t.Errorf("HasSystemd = %v, process 1 is %q", got, comm)
	}
}

// What the resolver check hands to pods can never be this host's loopback.
func TestResolversHere(t *testing.T) {
	servers, err := Host{}.Resolvers()
	if err != nil {
		t.Fatal(err)
	}
	if i := slices.IndexFunc(servers, func(s string) bool { return strings.HasPrefix(s, "127.") || s == "::1" }); i >= 0 {
		t.Errorf("a pod would be given %s", servers[i])
	}
}

func TestEndpointFlag(t *testing.T) {
	for want, args := range map[string][]string{
		"/a.sock": {"kubelet", "--v=2", "--container-runtime-endpoint=unix:///a.sock", ""},
		"/b.sock": {"kubelet", "--container-runtime-endpoint", "unix:///b.sock"},
		"/c.sock": {"kubelet", "--container-runtime-endpoint=/c.sock"},
		"":        {"kubelet", "--container-runtime-endpoint"},
	} {
		if got := endpointFlag(args); got != want {
			t.Errorf("endpointFlag(%q) = %q, want %q", args, got, want)
		}
	}
	if got := endpointFlag(nil); got != "" {
		t.Errorf("endpointFlag(nil) = %q", got)
	}
}

// A descriptor that is no KVM, and a KVM whose guest lost its processor: errors that name
// the step, and nothing left open.
func TestGuestErrors(t *testing.T) {
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := runGuest(t.Context(), f, guestProgram()); !errors.Is(err, unix.ENOTTY) {
		t.Errorf("a file as KVM: %v, want ENOTTY", err)
	}
	f.Close()
	if err := runGuest(t.Context(), f, guestProgram()); !errors.Is(err, unix.EBADF) {
		t.Errorf("a closed KVM: %v, want EBADF", err)
	}
}
