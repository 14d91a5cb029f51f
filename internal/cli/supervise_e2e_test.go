//go:build e2e

package cli

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// TestE2EForeground kills the QEMU of a supervised machine, which is started again on
// the same disk, and ends the supervisor as systemd does.
func TestE2EForeground(t *testing.T) {
	endpoint := oneRuntime(t, "containerd-2")["containerd-2"]
	u := newUser(t, endpoint)
	u.deleteAtEnd("demo")
	cmd := exec.Command(filepath.Join(os.Getenv("VMCTL_E2E_BIN"), "vmctl"), "up", "demo", "--foreground", "--set", "lifecycle.restart=on-failure")
	var said bytes.Buffer
	cmd.Env, cmd.Stdout, cmd.Stderr = u.env, &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	running := func(not string) string {
		var id string
		within(t, 90*time.Second, "the machine runs", func() error {
			stdout, _, code := u.try("show", "--json", "demo")
			if code != 0 {
				return exec.ErrNotFound
			}
			m := decodeMachine(t, stdout)
			if m.Phase != "Running" || m.ContainerID == not {
				return exec.ErrNotFound
			}
			id = m.ContainerID
			return nil
		})
		return id
	}
	first := running("")
	u.run("exec", "demo", "--", "sh", "-c", "kill -KILL $(cat /run/shm/qemu.pid)")
	running(first)
	if n := u.counter("demo"); n != 2 {
		t.Errorf("counter = %d after a crash, want 2: the disk did not survive", n)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case <-done:
	case <-time.After(60 * time.Second):
		t.Fatalf("the supervisor does not end:\n%s", said.String())
	}
	if code := cmd.ProcessState.ExitCode(); code != exitInterrupted {
		t.Errorf("exit code %d, want %d:\n%s", code, exitInterrupted, said.String())
	}
	testNothingLeft(t, endpoint)
}
