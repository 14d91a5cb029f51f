//go:build e2e

package cli

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"vmctl/internal/cri"
	"vmctl/internal/cri/critest"
)

// faultRig is a user with one machine, on a small disk of their own, and a private runtime
// whose parts are killed.
type faultRig struct {
	*user
	daemon   string // the containerd
	runtime  string // the name of the private runtime
	state    string // what a reboot takes
	endpoint string
	gate     *critest.Gate
	machine  string // its directory
	last     int    // the guest's counter when it was last seen
	kept     int    // the counter in the snapshot "first"
	rows     []faultRow
}

// faultRow is what became of one fault at one stage.
type faultRow struct {
	fault, stage string
	hit          bool
	counter      int
	lost, left   int
	took         time.Duration
}

func newFaultRig(t *testing.T, containerd string) *faultRig {
	t.Helper()
	var path string
	for entry := range strings.SplitSeq(os.Getenv("VMCTL_E2E_CONTAINERDS"), ",") {
		if name, at, _ := strings.Cut(entry, "="); name == containerd {
			path = at
		}
	}
	if path == "" {
		t.Fatal("VMCTL_E2E_CONTAINERDS is not set: run make faults")
	}
	name := fmt.Sprintf("f%d-%s", os.Getpid(), containerd)
	r := &faultRig{daemon: path, runtime: name, state: "/run/vmctl/" + name}
	r.endpoint = "unix://" + r.state + "/containerd.sock"
	r.gate = critest.NewGate(t, r.endpoint)
	r.user = newUser(t, r.gate.Endpoint())
	r.machine = r.home + "/data/vmctl/machines/demo"
	smallDisk(t, r.home+"/data")
	t.Cleanup(func() {
		r.run("--runtime-name", r.runtime, "runtime", "stop")
		for _, left := range []string{"/var/lib/vmctl/runtime/" + name, r.state, "/var/log/vmctl/containerd-" + name + ".log"} {
			_ = os.RemoveAll(left)
		}
	})
	r.startRuntime()
	r.run("--runtime-endpoint", r.endpoint, "image", "import", os.Getenv("VMCTL_E2E_DEMO")) // the gate passes CRI only
	r.deleteAtEnd("demo")
	up := []string{"up", "demo"}
	for _, port := range []string{"viewer", "vnc", "http", "echo", "echo-udp"} {
		up = append(up, "--set", "ports."+port+".host=any") // the other half chooses at the same time
	}
	r.run(up...)
	r.last = r.counter("demo")
	return r
}

// smallDisk mounts a file system that can be filled, for the time of a test.
func smallDisk(t *testing.T, at string) {
	t.Helper()
	image := t.TempDir() + "/disk.ext4"
	script := `truncate -s 3G "$1" && mkfs.ext4 -q -m 0 "$1" && mkdir -p "$2" && mount -o loop "$1" "$2"`
	if out, err := exec.Command("sh", "-ec", script, "sh", image, at).CombinedOutput(); err != nil {
		t.Fatalf("mount a file system: %v\n%s", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", at).CombinedOutput(); err != nil {
			t.Errorf("umount: %v\n%s", err, out)
		}
	})
}

func (r *faultRig) startRuntime() {
	r.t.Helper()
	r.run("--runtime-name", r.runtime, "runtime", "start", "--containerd", r.daemon)
}

// processes are those of the runtime whose command lines hold a text, and their children's
// where asked for.
func (r *faultRig) processes(text string, children bool) []int {
	r.t.Helper()
	entries, err := os.ReadDir("/proc")
	if err != nil {
		r.t.Fatal(err)
	}
	parents, ours := map[int]int{}, map[int]bool{}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if i := bytes.LastIndexByte(stat, ')'); i > 0 { // proc(5): pid (comm) state ppid
			parents[pid], _ = strconv.Atoi(strings.Fields(string(stat[i+1:]))[1])
		}
		argv := strings.Split(string(line), "\x00")
		if strings.Contains(filepath.Base(argv[0]), text) && strings.Contains(string(line), "/"+r.runtime+"/") {
			ours[pid] = true
		}
	}
	if children {
		for range 8 {
			for pid, parent := range parents {
				if ours[parent] {
					ours[pid] = true
				}
			}
		}
	}
	var pids []int
	for pid := range ours {
		pids = append(pids, pid)
	}
	return pids
}

// guests are the QEMUs that have the machine's disk before them.
func (r *faultRig) guests() []int {
	r.t.Helper()
	disk, err := os.Stat(r.machine + "/storage/data.img")
	if err != nil {
		return nil
	}
	var pids []int
	lines, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, file := range lines {
		line, _ := os.ReadFile(file)
		dir := filepath.Dir(file)
		seen, err := os.Stat(dir + "/root/storage/data.img")
		if bytes.HasPrefix(line, []byte("qemu-system")) && err == nil && os.SameFile(disk, seen) {
			pid, _ := strconv.Atoi(filepath.Base(dir))
			pids = append(pids, pid)
		}
	}
	return pids
}

// killAll kills processes and waits until they have ended.
func (r *faultRig) killAll(pids []int) {
	r.t.Helper()
	for _, pid := range pids {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	for _, pid := range pids {
		within(r.t, 20*time.Second, fmt.Sprintf("process %d ends", pid), func() error {
			stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
			if err == nil && !bytes.Contains(stat, []byte(") Z ")) {
				return fmt.Errorf("it is there: %s", stat)
			}
			return nil
		})
	}
}

// reboot takes what a reboot takes: all processes, and all that is below /run.
func (r *faultRig) reboot() {
	r.t.Helper()
	r.killAll(append(r.processes("containerd", false), r.processes("containerd-shim", true)...))
	script := `tac /proc/self/mountinfo | awk -v at="$1" 'index($5, at "/") == 1 || $5 == at {print $5}' | while read -r m; do umount -l "$m"; done
rm -rf "$1"`
	if out, err := exec.Command("sh", "-ec", script, "sh", r.state).CombinedOutput(); err != nil {
		r.t.Fatalf("reboot: %v\n%s", err, out)
	}
	r.startRuntime()
}

// fill leaves no free byte on the user's disk, until the answer is called.
func (r *faultRig) fill() (free func()) {
	r.t.Helper()
	var fs unix.Statfs_t
	if err := unix.Statfs(r.home+"/data", &fs); err != nil {
		r.t.Fatal(err)
	}
	file := r.home + "/data/filler"
	f, err := os.Create(file)
	if err != nil {
		r.t.Fatal(err)
	}
	defer f.Close()
	for size := int64(fs.Bavail) * fs.Bsize; size > 0; size -= 4096 {
		if unix.Fallocate(int(f.Fd()), 0, 0, size) == nil {
			break
		}
	}
	for chunk := make([]byte, 4096); ; { // the last blocks, one by one
		if _, err := f.Seek(0, 2); err != nil {
			r.t.Fatal(err)
		}
		if _, err := f.Write(chunk); err != nil {
			break
		}
	}
	return func() { _ = os.Remove(file) }
}

// runs tells whether the runtime itself says that a container runs.
func (r *faultRig) runs() bool {
	r.t.Helper()
	client, err := cri.Dial(r.t.Context(), r.endpoint)
	if err != nil {
		r.t.Fatal(err)
	}
	defer client.Close()
	containers, err := client.ListContainers(r.t.Context(), cri.ContainerFilter{})
	if err != nil {
		r.t.Fatal(err)
	}
	return slices.ContainsFunc(containers, func(c cri.Container) bool { return c.State == cri.ContainerRunning })
}

// left tells what there is that should not be: more than one of each while the machine runs, and
// anything while it does not.
func (r *faultRig) left(running int) []string {
	r.t.Helper()
	var left []string
	more := func(what string, n, want int) {
		if n != want {
			left = append(left, fmt.Sprintf("%d %s, not %d", n, what, want))
		}
	}
	ctx := context.Background() // it also runs when the test's own context has ended
	client, err := cri.Dial(ctx, r.endpoint)
	if err != nil {
		r.t.Fatal(err)
	}
	defer client.Close()
	sandboxes, err := client.ListSandboxes(ctx, cri.SandboxFilter{})
	if err != nil {
		r.t.Fatal(err)
	}
	containers, err := client.ListContainers(ctx, cri.ContainerFilter{})
	if err != nil {
		r.t.Fatal(err)
	}
	more("sandboxes", len(sandboxes), running)
	more("containers", len(containers), running)
	more("QEMUs", len(r.guests()), running)
	more("shims", len(r.processes("containerd-shim", false)), running)
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		r.t.Fatal(err)
	}
	netns := regexp.MustCompile(" "+regexp.QuoteMeta(r.state)+"/\\S*/netns/cni-").FindAll(mounts, -1)
	more("network namespaces", len(netns), running)
	if running == 0 {
		more("mounts", strings.Count(string(mounts), " "+r.state+"/state/"), 0)
	}
	for _, pattern := range []string{".creating*", "demo/snapshots/.*", "demo/restore.json", "demo/.writing*", "../../../*.partial"} {
		found, _ := filepath.Glob(filepath.Join(filepath.Dir(r.machine), pattern))
		left = append(left, found...)
	}
	return left
}
