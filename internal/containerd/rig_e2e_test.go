//go:build e2e

package containerd

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// insideEnv is set for the copy of the test program that runs in namespaces of its
// own.
const insideEnv = "VMCTL_E2E_INSIDE"

// insideScript hides other instances and containerds, then runs its arguments.
const insideScript = `
ip link set lo up
tac /proc/self/mountinfo | awk '$5 ~ "^/run/vmctl/" {print $5}' | while read -r point; do umount -l "$point"; done
for dir in /run/vmctl /run/containerd /var/lib/cni; do
  mkdir -p "$dir"
  mount -t tmpfs tmpfs "$dir"
done
exec "$@"`

// TestMain runs the tests in a new network and mount namespace: there, all links,
// rules and mounts are ours, and before and after can be compared strictly. On a
// machine that is ours alone, and under systemd, which starts daemons in its own
// namespaces, they run as they are: set VMCTL_E2E_INSIDE.
func TestMain(m *testing.M) {
	if os.Getenv(insideEnv) != "" || os.Geteuid() != 0 {
		os.Exit(m.Run())
	}
	args := append([]string{"--net", "--mount", "--propagation", "private", "--", "sh", "-ec", insideScript, "sh"}, os.Args...)
	cmd := exec.Command("unshare", args...)
	cmd.Env = append(os.Environ(), insideEnv+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "tests in namespaces of their own:", err)
		os.Exit(1)
	}
}

// onEachContainerd runs a test on all daemons of $VMCTL_E2E_CONTAINERDS, such as
// "containerd-1=/usr/bin/containerd,containerd-2=/abs/bin/runtime/containerd".
func onEachContainerd(t *testing.T, test func(t *testing.T, r *rig)) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("needs root: starts runtimes and pods")
	}
	list := os.Getenv("VMCTL_E2E_CONTAINERDS")
	if list == "" {
		t.Fatal("VMCTL_E2E_CONTAINERDS is not set: run make test, or scripts/with-runtimes.sh")
	}
	pause := filepath.Join(os.Getenv("VMCTL_E2E_BIN"), "images", "pause.tar")
	if !readable(pause) {
		t.Fatalf("no pause image %q: set VMCTL_E2E_BIN, run make images", pause)
	}
	for entry := range strings.SplitSeq(list, ",") {
		name, path, _ := strings.Cut(entry, "=")
		t.Run(name, func(t *testing.T) {
			t.Setenv(EnvPause, pause)
			test(t, newRig(t, Options{Name: fmt.Sprintf("e2e%d-%s", os.Getpid(), name), Containerd: path}))
		})
	}
}

// rig is one instance under test.
type rig struct {
	*Instance
	conn   *grpc.ClientConn
	client cri.RuntimeServiceClient
	before hostView
}

func newRig(t *testing.T, o Options) *rig {
	t.Helper()
	o.Log = slog.New(slog.NewTextHandler(testWriter{t}, nil))
	i, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := connect(i.Socket())
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{Instance: i, conn: conn, client: cri.NewRuntimeServiceClient(conn), before: viewHost(t)}
	t.Cleanup(func() {
		if err := r.Stop(context.Background()); err != nil {
			t.Errorf("clean up: %v", err)
		}
		_ = conn.Close()
		_ = os.RemoveAll(i.paths.root)
		_ = os.Remove(i.paths.log)
	})
	return r
}

type testWriter struct{ t *testing.T }

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Logf("%s", p)
	return len(p), nil
}

func (r *rig) start(t *testing.T) StartResult {
	t.Helper()
	result, err := r.Start(t.Context())
	if err != nil {
		t.Fatalf("start: %v", err)
	}
	r.conn.ResetConnectBackoff()
	return result
}

// stopClean stops and compares the host with what it was before.
func (r *rig) stopClean(t *testing.T, pods ...*pod) {
	t.Helper()
	if err := r.Stop(t.Context()); err != nil {
		t.Fatalf("stop: %v", err)
	}
	viewHost(t).compare(t, r.before)
	r.checkGone(t, pods)
}

// pod is a privileged one with a container and a forwarded port.
type pod struct {
	sandbox, container string
	pid                int    // of the container's first process
	disk               string // a file of the host's in it
}

const podPort = 18006

// runPod does what vmctl does for a machine, with the pause program for a guest.
// Where systemd manages cgroups, the parent is its slice, whatever is asked for.
func (r *rig) runPod(t *testing.T, name, cgroupParent string) *pod {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if r.cgroupDriver() == "systemd" {
		cgroupParent = "vmctl.slice"
	}
	storage := t.TempDir()
	disk := filepath.Join(storage, "data.img")
	if err := os.WriteFile(disk, []byte("sacred"), 0o600); err != nil {
		t.Fatal(err)
	}
	namespaces := &cri.NamespaceOption{Pid: cri.NamespaceMode_CONTAINER}
	config := &cri.PodSandboxConfig{
		Metadata:     &cri.PodSandboxMetadata{Name: name, Namespace: "vmctl", Uid: name},
		Hostname:     name,
		LogDirectory: t.TempDir(),
		PortMappings: []*cri.PortMapping{
			{Protocol: cri.Protocol_TCP, ContainerPort: 80, HostPort: podPort, HostIp: "127.0.0.1"},
			{Protocol: cri.Protocol_UDP, ContainerPort: 80, HostPort: podPort, HostIp: "127.0.0.1"},
		},
		Linux: &cri.LinuxPodSandboxConfig{CgroupParent: cgroupParent, SecurityContext: &cri.LinuxSandboxSecurityContext{
			Privileged: true, NamespaceOptions: namespaces,
		}},
	}
	ran, err := r.client.RunPodSandbox(ctx, &cri.RunPodSandboxRequest{Config: config})
	if err != nil {
		t.Fatalf("run pod: %v", err)
	}
	created, err := r.client.CreateContainer(ctx, &cri.CreateContainerRequest{
		PodSandboxId: ran.GetPodSandboxId(), SandboxConfig: config,
		Config: &cri.ContainerConfig{
			Metadata: &cri.ContainerMetadata{Name: "vm"}, Image: &cri.ImageSpec{Image: PauseImage}, LogPath: "vm.log",
			Mounts: []*cri.Mount{{HostPath: storage, ContainerPath: "/storage"}},
			Linux: &cri.LinuxContainerConfig{SecurityContext: &cri.LinuxContainerSecurityContext{
				Privileged: true, NamespaceOptions: namespaces,
			}},
		},
	})
	if err != nil {
		t.Fatalf("create container: %v", err)
	}
	p := &pod{sandbox: ran.GetPodSandboxId(), container: created.GetContainerId(), disk: disk}
	if _, err := r.client.StartContainer(ctx, &cri.StartContainerRequest{ContainerId: p.container}); err != nil {
		t.Fatalf("start container: %v", err)
	}
	p.pid = r.pidOf(t, p.container)
	return p
}

// pidOf reads the container's first process where the shim writes it.
func (r *rig) pidOf(t *testing.T, container string) int {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(r.paths.daemon, "io.containerd.runtime.v2.task", criNamespace, container, "init.pid"))
	if err != nil {
		t.Fatal(err)
	}
	var pid int
	if _, err := fmt.Sscan(string(data), &pid); err != nil {
		t.Fatal(err)
	}
	return pid
}

// killDaemon kills it as a crash would, and waits for its end.
func (r *rig) killDaemon(t *testing.T) {
	t.Helper()
	p, ok := readProcess(r.paths.process)
	if !ok {
		t.Fatal("no process file")
	}
	if err := r.killAll(t.Context(), []process{p}); err != nil {
		t.Fatal(err)
	}
}

func (r *rig) killShims(t *testing.T) {
	t.Helper()
	shims := r.shims()
	if len(shims) == 0 {
		t.Fatal("no shim found: nothing would be proven")
	}
	if err := r.killAll(t.Context(), shims); err != nil {
		t.Fatal(err)
	}
}
