//go:build e2e

package cli

import (
	"crypto/sha256"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/nftables"
	"github.com/vishvananda/netns"

	"vmctl/internal/cri"
	"vmctl/internal/machine"
)

// newStranger is somebody who is not root and may use the runtime's socket, by its group.
func newStranger(t *testing.T, endpoint string) *user {
	t.Helper()
	const uid, gid = 54321, 54322
	socket := strings.TrimPrefix(endpoint, "unix://")
	info, err := os.Stat(socket)
	if err != nil {
		t.Fatal(err)
	}
	was := int(info.Sys().(*syscall.Stat_t).Gid)
	if err := os.Chown(socket, -1, gid); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.Chown(socket, -1, was); err != nil {
			t.Error(err)
		}
	})
	u := newUser(t, endpoint)
	for dir := u.home; dir != os.TempDir(); dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chown(u.home, uid, uid); err != nil {
		t.Fatal(err)
	}
	u.as = &syscall.Credential{Uid: uid, Gid: uid, Groups: []uint32{gid}}
	return u
}

// TestE2EOwn: an unprivileged user keeps, copies, moves and removes a machine whose files
// the container's root owns, and may not even read.
func TestE2EOwn(t *testing.T) {
	t.Parallel()
	endpoint := oneRuntime(t, "containerd-2")["containerd-2"]
	u := newStranger(t, endpoint)
	for _, name := range []string{"demo", "twin", "copy", "moved"} {
		u.deleteAtEnd(name)
	}
	lock := func() { // what the image itself might do
		u.run("exec", "demo", "--", "sh", "-c", "mkdir -p /storage/backups/old && echo x > /storage/backups/old/data.img && chmod -R go= /storage/*")
	}
	if _, errs, code := u.try(append([]string{"up", "demo"}, anyPorts()...)...); code != 0 || strings.Contains(errs, "other pods") {
		t.Fatalf("up: exit code %d\n%s", code, errs)
	}
	m := u.show("demo")
	screenIsClosed(t, endpoint, m.SandboxID)
	lock()
	u.run("stop", "demo")
	m = u.show("demo")
	disk := filepath.Join(m.Storage, "data.img")
	if info, err := os.Stat(disk); err != nil || info.Sys().(*syscall.Stat_t).Uid != 0 || info.Mode().Perm()&0o077 != 0 {
		t.Fatalf("the disk is not root's alone: %v, %v", info.Mode(), err)
	}
	if out := u.run("snapshot", "create", "demo", "one"); !strings.Contains(out, "is kept as one") {
		t.Errorf("snapshot said %q", out)
	}
	if info, err := os.Stat(disk); err != nil || info.Sys().(*syscall.Stat_t).Uid != u.as.Uid {
		t.Errorf("the disk is not the user's: %+v, %v", info, err)
	}
	u.run("up", "demo")
	if n := u.counter("demo"); n != 2 {
		t.Errorf("counter = %d on a disk that changed hands, want 2", n)
	}
	lock()
	u.run("stop", "demo")
	testEphemeral(t, u, disk)
	for _, args := range [][]string{
		{"rename", "demo", "moved"},
		{"clone", "moved", "twin"},
		{"pack", "moved", filepath.Join(u.home, "it.vm")},
		{"unpack", filepath.Join(u.home, "it.vm"), "copy"},
		{"snapshot", "restore", "moved", "one"},
	} {
		rootsOwn(t, filepath.Join(filepath.Dir(m.Directory), "moved", "storage"))
		u.run(args...)
	}
	moved := u.show("moved")
	rootsOwn(t, filepath.Join(moved.Directory, "snapshots", "one", "storage"))
	u.run("snapshot", "delete", "moved", "one", "--yes")
	if left, _ := filepath.Glob(filepath.Join(moved.Directory, "snapshots", ".*")); len(left) > 0 {
		t.Errorf("left of the snapshot: %v", left)
	}
	testKilledErrand(t, u, moved, endpoint)
	for _, name := range []string{"moved", "twin", "copy"} {
		rootsOwn(t, filepath.Join(filepath.Dir(m.Directory), name, "storage", "backups"))
		u.run("delete", name, "--storage", "--yes")
	}
	if left, _ := filepath.Glob(filepath.Dir(m.Directory) + "/[a-z]*"); len(left) > 0 {
		t.Errorf("left in the machines' directory: %v", left)
	}
	testNothingLeft(t, endpoint)
}

// screenIsClosed looks for the rules that keep other pods away, in the pod's own network
// namespace. What they do is tested in package machine.
func screenIsClosed(t *testing.T, endpoint, sandbox string) {
	t.Helper()
	client, err := cri.Dial(t.Context(), endpoint)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	status, err := client.Sandbox(t.Context(), sandbox)
	if err != nil {
		t.Fatal(err)
	}
	ns, err := netns.GetFromPath(status.NetNSPath)
	if err != nil {
		t.Fatal(err)
	}
	defer ns.Close()
	c, err := nftables.New(nftables.WithNetNSFd(int(ns)))
	if err != nil {
		t.Fatal(err)
	}
	rules, err := c.GetRules(&nftables.Table{Family: nftables.TableFamilyINet, Name: "vmctl"}, &nftables.Chain{Name: "input"})
	if err != nil || len(rules) < 2 {
		t.Errorf("rules in the pod: %d, %v", len(rules), err)
	}
}

// testEphemeral runs a machine that has counted to 2 on a copy: the guest counts, and its own
// disk does not.
func testEphemeral(t *testing.T, u *user, disk string) {
	t.Helper()
	rootsOwn(t, filepath.Dir(disk))
	before := digest(t, disk)
	u.run("up", "demo", "--ephemeral")
	if n := u.counter("demo"); n != 3 {
		t.Errorf("counter = %d on a copy of 2, want 3", n)
	}
	if out := u.run("ls"); !strings.Contains(out, "(ephemeral)") {
		t.Errorf("ls does not tell: %s", out)
	}
	u.run("stop", "demo")
	if after := digest(t, disk); after != before {
		t.Error("an ephemeral run changed the machine's own disk")
	}
	if left, err := os.ReadDir(filepath.Join(filepath.Dir(filepath.Dir(disk)), "ephemeral")); !os.IsNotExist(err) {
		t.Errorf("left of an ephemeral run: %v, %v", left, err)
	}
}

func digest(t *testing.T, file string) string {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		t.Fatal(err)
	}
	return string(sum.Sum(nil))
}

// testKilledErrand kills vmctl while its errand's pod is there; the next command removes it.
func testKilledErrand(t *testing.T, u *user, m jsonMachine, endpoint string) {
	t.Helper()
	client, err := cri.Dial(t.Context(), endpoint)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	rootsOwn(t, m.Storage)
	cmd := exec.Command(filepath.Join(os.Getenv("VMCTL_E2E_BIN"), "vmctl"), "snapshot", "create", m.Name)
	cmd.Env, cmd.SysProcAttr = u.env, &syscall.SysProcAttr{Credential: u.as}
	inTime := killWhen(t, cmd, func(ended <-chan struct{}) {
		for {
			list, err := client.ListSandboxes(t.Context(), cri.SandboxFilter{})
			if err != nil || len(list) > 0 {
				return
			}
			select {
			case <-ended:
				return
			case <-time.After(5 * time.Millisecond):
			}
		}
	})
	if !inTime {
		t.Error("vmctl was not killed in time")
	}
	u.run("ls")
	testNothingLeft(t, endpoint)
}

// rootsOwn gives what is in a folder to root, as if an image had made it, where there is any.
func rootsOwn(t *testing.T, folder string) {
	t.Helper()
	err := filepath.WalkDir(folder, func(path string, e os.DirEntry, err error) error {
		if err != nil || path == folder {
			return err
		}
		mode := os.FileMode(0o600)
		if e.IsDir() {
			mode = 0o700
		}
		if err := os.Chown(path, 0, 0); err != nil {
			return err
		}
		return os.Chmod(path, mode)
	})
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
}

// TestE2EErrand: an errand's own pod and one in a machine's, and what is left when vmctl is
// killed meanwhile.
func TestE2EErrand(t *testing.T) {
	endpoint := oneRuntime(t, "containerd-1")["containerd-1"]
	client, err := cri.Dial(t.Context(), endpoint)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	m := &machine.Manager{Runtime: client, Program: func() (string, error) {
		return filepath.Join(os.Getenv("VMCTL_E2E_BIN"), "vmctl"), nil
	}}
	logs := t.TempDir()
	errand := machine.Errand{Args: []string{"version"}, Sandbox: cri.SandboxConfig{LogDirectory: logs}, Limit: time.Minute}
	for _, privileged := range []bool{false, true} {
		errand.Privileged = privileged
		begin := time.Now()
		result, err := m.RunErrand(t.Context(), errand)
		t.Logf("an errand took %s", time.Since(begin).Round(time.Millisecond))
		if err != nil || result.ExitCode != 0 || !strings.Contains(result.Output, "vmctl") {
			t.Errorf("%+v, %v", result, err)
		}
	}
	pod := cri.SandboxConfig{Name: "host", Namespace: "test", UID: "1", LogDirectory: logs}
	if errand.Pod, err = client.RunSandbox(t.Context(), pod, ""); err != nil {
		t.Fatal(err)
	}
	errand.Sandbox, errand.Args, errand.Privileged = pod, []string{"errand", "own", "/nowhere"}, false
	result, err := m.RunErrand(t.Context(), errand)
	if err != nil || result.ExitCode == 0 || !strings.Contains(result.Output, "/nowhere") {
		t.Errorf("in a given pod: %+v, %v", result, err)
	}
	if left, err := client.ListContainers(t.Context(), cri.ContainerFilter{SandboxID: errand.Pod}); err != nil || len(left) > 0 {
		t.Errorf("left in the pod: %+v, %v", left, err)
	}
	if err := client.StopSandbox(t.Context(), errand.Pod); err != nil {
		t.Error(err)
	}
	if err := client.RemoveSandbox(t.Context(), errand.Pod); err != nil {
		t.Error(err)
	}
	testNothingLeft(t, endpoint)
}
