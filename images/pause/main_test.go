package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The test binary runs main itself when this variable is set, so that the
// tests drive the very program that the image holds.
const runMain = "VMCTL_PAUSE_TEST_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(runMain) != "" {
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestEndsWithZeroOnSignal(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(sig.String(), func(t *testing.T) {
			cmd := startWithChildren(t, 1)
			poll(t, "no child", func() bool { return len(children(t, cmd.Process.Pid)) == 0 })
			if err := cmd.Process.Signal(sig); err != nil {
				t.Fatal(err)
			}
			if err := cmd.Wait(); err != nil {
				t.Errorf("ended with %v, want exit code 0", err)
			}
		})
	}
}

func TestReapsChildren(t *testing.T) {
	cmd := startWithChildren(t, 3)
	poll(t, "no child, not even a zombie", func() bool { return len(children(t, cmd.Process.Pid)) == 0 })
}

// startWithChildren runs the pause program with n children that end soon: a shell
// starts them and becomes the program by exec. Once they are reaped, the program
// catches signals.
func startWithChildren(t *testing.T, n int) *exec.Cmd {
	t.Helper()
	script := fmt.Sprintf(`for i in $(seq %d); do sleep 0.2 & done; exec "$0"`, n)
	cmd := exec.Command("sh", "-c", script, os.Args[0])
	cmd.Env = append(os.Environ(), runMain+"=1")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if cmd.ProcessState == nil {
			cmd.Process.Kill()
			cmd.Wait()
		}
	})
	poll(t, "the children", func() bool { return len(children(t, cmd.Process.Pid)) == n })
	return cmd
}

// children returns the pids whose parent is pid, zombies included.
func children(t *testing.T, pid int) []string {
	t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, stat := range stats {
		data, err := os.ReadFile(stat)
		if err != nil {
			continue // it ended between the two calls
		}
		// "pid (name) state ppid ...": the name may hold spaces.
		_, rest, _ := strings.Cut(string(data), ") ")
		if f := strings.Fields(rest); len(f) > 1 && f[1] == fmt.Sprint(pid) {
			found = append(found, stat)
		}
	}
	return found
}

func poll(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if done() {
			return
		}
	}
	t.Fatalf("not seen within 10 s: %s", what)
}
