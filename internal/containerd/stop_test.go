package containerd

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// standIn is a process with another command line, that ends with the test.
func standIn(t *testing.T, args ...string) process {
	t.Helper()
	cmd := exec.Command("/bin/sh")
	cmd.Args = append([]string{args[0], "-c", "read line"}, args[1:]...)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = in.Close(); _ = cmd.Process.Kill(); _ = cmd.Wait() })
	p, err := processOf(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// A user's ctr has our socket on its command line too.
func TestShimsAreNoUsersPrograms(t *testing.T) {
	i := instanceAt(t, t.TempDir())
	p := standIn(t, "ctr", "-address", i.paths.socket, "events")
	if got := i.shims(); len(got) > 0 {
		t.Errorf("found %+v", got)
	}
	if err := p.signal(unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
}

func TestHasLeftovers(t *testing.T) {
	i := instanceAt(t, t.TempDir())
	if i.hasLeftovers() {
		t.Error("a new instance has leftovers")
	}
	pod := filepath.Join(i.paths.daemon, "io.containerd.grpc.v1.cri", "sandboxes", strings.Repeat("c", 64))
	if err := os.MkdirAll(pod, 0o755); err != nil {
		t.Fatal(err)
	}
	if !i.hasLeftovers() {
		t.Error("a pod's directory is no leftover")
	}
}

func TestStopOfWhatWasNeverStarted(t *testing.T) {
	i := instanceAt(t, t.TempDir())
	i.paths.root = filepath.Join(i.paths.root, "absent")
	err := i.Stop(t.Context())
	if os.Geteuid() != 0 {
		if !errors.Is(err, ErrNotRoot) {
			t.Errorf("got %v, want ErrNotRoot", err)
		}
		return
	}
	if err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(i.paths.root); !os.IsNotExist(err) {
		t.Errorf("stopping made a directory: %v", err)
	}
}
