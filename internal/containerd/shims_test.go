package containerd

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestShimsAreOnlyOurs starts programs that look like shims: by their command line
// or their directory, some of them are ours.
func TestShimsAreOnlyOurs(t *testing.T) {
	i, err := New(Options{Name: "shims-test"})
	if err != nil {
		t.Fatal(err)
	}
	i.paths.daemon = filepath.Join(t.TempDir(), "state")
	bundle := filepath.Join(i.paths.daemon, "io.containerd.runtime.v2.task", "k8s.io", "x")
	if err := os.MkdirAll(bundle, 0o700); err != nil {
		t.Fatal(err)
	}
	ours := []int{
		pretend(t, "/", "containerd-shim-runc-v2", "-namespace", "k8s.io", "-id", "x", "-address", i.Socket()),
		pretend(t, bundle, "/opt/bin/containerd-shim-runc-v2"),
	}
	for _, others := range []struct {
		dir  string
		args []string
	}{
		{"/", []string{"containerd-shim-runc-v2", "-address", "/run/containerd/containerd.sock"}},
		{"/", []string{"containerd-shim-runc-v2", "-address", i.Socket() + ".ttrpc"}},
		{"/", []string{"containerd-shim-runc-v2", "-id", i.Socket(), "-address"}},
		{bundle, []string{"some-shell"}},
		{"/", []string{"tail", "-f", i.Socket()}},
	} {
		pretend(t, others.dir, others.args...)
	}
	var got []int
	for _, p := range i.shims() {
		got = append(got, p.PID)
	}
	slices.Sort(ours)
	slices.Sort(got)
	if diff := cmp.Diff(ours, got); diff != "" {
		t.Errorf("shims (-want +got):\n%s", diff)
	}
	if err := i.killAll(t.Context(), i.shims()); err != nil {
		t.Error(err)
	}
	if left := i.shims(); len(left) > 0 {
		t.Errorf("still there: %v", left)
	}
}

// pretend runs a sleep under another command line until the test ends.
func pretend(t *testing.T, dir string, args ...string) int {
	t.Helper()
	// The shell reads its script from a pipe that stays open, whatever its arguments
	// are.
	cmd := exec.Command("/bin/sh")
	cmd.Args = append([]string{args[0], "-s", "--"}, args[1:]...)
	cmd.Dir = dir
	if _, err := cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	waited := make(chan struct{})
	go func() { _ = cmd.Wait(); close(waited) }()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-waited
	})
	return cmd.Process.Pid
}

func TestContainerIDs(t *testing.T) {
	dir := t.TempDir()
	i := &Instance{paths: paths{runc: filepath.Join(dir, "runc"), daemon: filepath.Join(dir, "state")}}
	a, b, c := strings.Repeat("a", 64), strings.Repeat("b", 64), strings.Repeat("c", 64)
	for _, made := range []string{
		"runc/k8s.io/" + a, "state/io.containerd.runtime.v2.task/k8s.io/" + a, "state/io.containerd.runtime.v2.task/k8s.io/" + b,
		"state/io.containerd.grpc.v1.cri/sandboxes/" + c, "state/io.containerd.grpc.v1.cri/netns/cni-1", "runc/k8s.io/" + a[1:] + "z",
	} {
		if err := os.MkdirAll(filepath.Join(dir, made), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]string{a, b, c}, i.containerIDs()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestShimSockets: the name that containerd 1.6.20 and 2.4.2 gave to a shim's socket.
func TestShimSockets(t *testing.T) {
	i := &Instance{paths: paths{socket: "/run/vmctl/lab/containerd.sock"}}
	got := i.shimSockets([]string{strings.Repeat("a", 64)})
	want := []string{
		// printf %s /run/vmctl/lab/containerd.sock/k8s.io/aaa... | sha256sum
		shimSocketDir + "/f9a007f3bb97d069f8de680ec8995ddd6389db69924891442a30440942a6a000",
		shimSocketDir + "/215db6409791794acf06d0736f6fc302dfad04ee95178a35f424ad02d91fa917",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
