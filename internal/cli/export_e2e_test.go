//go:build e2e

package cli

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// exported is a machine that was exported to crictl, with its script.
type exported struct {
	t   *testing.T
	dir string
	env []string
}

func newExported(t *testing.T, endpoint string, args ...string) *exported {
	t.Helper()
	u := newUser(t, endpoint)
	dir := filepath.Join(t.TempDir(), "out")
	u.run(append([]string{"export", "crictl", "-o", dir}, args...)...)
	x := &exported{t, dir, append(u.env, "CRICTL="+filepath.Join(os.Getenv("VMCTL_E2E_BIN"), "tools", "crictl"))}
	t.Cleanup(func() {
		if out, code := x.try("stop"); code != 0 {
			t.Errorf("stop: %s", out)
		}
		testNothingLeft(t, endpoint)
	})
	return x
}

// try runs the script and returns what it printed and its exit code.
func (x *exported) try(args ...string) (out string, code int) {
	x.t.Helper()
	cmd := exec.Command("sh", append([]string{filepath.Join(x.dir, "machine.sh")}, args...)...)
	cmd.Env = x.env
	data, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState == nil {
		x.t.Fatal(err)
	}
	x.t.Logf("machine.sh %s: %v\n%s", strings.Join(args, " "), err, data)
	return string(data), cmd.ProcessState.ExitCode()
}

func (x *exported) run(args ...string) string {
	x.t.Helper()
	out, code := x.try(args...)
	if code != 0 {
		x.t.Fatalf("machine.sh %s: exit code %d\n%s", strings.Join(args, " "), code, out)
	}
	return out
}

// boots waits until the guest has written the n-th boot on its disk.
func (x *exported) boots(n int) {
	x.t.Helper()
	within(x.t, 90e9, "the guest's counter", func() error {
		log := x.run("logs")
		found := regexp.MustCompile(`counter=(\d+)`).FindAllStringSubmatch(log, -1)
		if len(found) == 0 || found[len(found)-1][1] != fmt.Sprint(n) || !strings.Contains(log, "VMCTL_READY") {
			return fmt.Errorf("want counter=%d: %v", n, found)
		}
		return nil
	})
}

// TestE2EExportCrictl takes the exported script through the life of a real guest.
func TestE2EExportCrictl(t *testing.T) {
	for runtime, endpoint := range oneRuntime(t, "containerd-1") {
		t.Run(runtime, func(t *testing.T) {
			x := newExported(t, endpoint, "demo", "--name", "byscript", "--env", "PASSWORD=it's \"$HOME\"")
			if out, code := x.try("status"); code != 3 || !strings.Contains(out, "stopped") {
				t.Errorf("status of what never ran: code %d, %s", code, out)
			}
			url := strings.Fields(x.run("start"))
			resp, err := http.Get(url[len(url)-1])
			if err != nil {
				t.Fatalf("the address that start printed: %v", err)
			}
			resp.Body.Close()
			x.boots(1)
			if out := x.run("start"); !strings.Contains(out, "it runs already") {
				t.Errorf("a second start: %s", out)
			}
			if out := x.run("status"); !strings.Contains(out, "running\nhttp://127.0.0.1:") {
				t.Errorf("status: %s", out)
			}
			x.run("stop")
			x.run("start")
			x.boots(2)
			x.testTwoAtOnce()
			x.testGuard()
		})
	}
}

// testTwoAtOnce has a lock held, as another command does.
func (x *exported) testTwoAtOnce() {
	holder := exec.Command("flock", filepath.Join(x.dir, "lock"), "sh", filepath.Join(x.dir, "machine.sh"), "stop")
	holder.Env = x.env
	if out, err := holder.CombinedOutput(); err == nil || !strings.Contains(string(out), "another command") {
		x.t.Errorf("stop while the lock is held: %v, %s", err, out)
	}
	if out := x.run("status"); !strings.Contains(out, "running") {
		x.t.Errorf("and then: %s", out)
	}
}

// testGuard takes the marker away, as a power cut before the first clean stop leaves it.
func (x *exported) testGuard() {
	x.run("stop")
	marker, disk := filepath.Join(x.dir, "storage", "demo.boot"), filepath.Join(x.dir, "storage", "data.img")
	if err := os.Remove(marker); err != nil {
		x.t.Fatal(err)
	}
	if out, code := x.try("start"); code != 7 || !strings.Contains(out, "refused to protect the disk") {
		x.t.Errorf("start of an unmarked disk: code %d, %s", code, out)
	}
	if _, err := os.Stat(disk); err != nil {
		x.t.Fatal(err)
	}
	if err := os.WriteFile(marker, nil, 0o644); err != nil {
		x.t.Fatal(err)
	}
	x.run("start")
	x.boots(3)
}
