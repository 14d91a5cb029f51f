//go:build e2e

package cli

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestE2ECrictl takes the old way with what render writes: crictl runp, create and
// start, unchanged. vmctl sees the machine that comes of it, and can end it.
func TestE2ECrictl(t *testing.T) {
	crictl := filepath.Join(os.Getenv("VMCTL_E2E_BIN"), "tools", "crictl")
	if _, err := os.Stat(crictl); err != nil {
		t.Fatalf("no crictl: make tools builds it: %v", err)
	}
	for runtime, endpoint := range realRuntimes(t) {
		t.Run(runtime, func(t *testing.T) {
			u := newUser(t, endpoint)
			run := func(args ...string) string {
				t.Helper()
				out, err := exec.Command(crictl, append([]string{"--runtime-endpoint", endpoint, "--image-endpoint", endpoint}, args...)...).Output()
				if err != nil {
					t.Fatalf("crictl %s: %v\n%s%s", strings.Join(args, " "), err, out, stderrOf(err))
				}
				return strings.TrimSpace(string(out))
			}
			dir := t.TempDir()
			u.run("render", "demo", "--name", "byhand", "-o", dir)
			pod, container := filepath.Join(dir, podConfigFile), filepath.Join(dir, containerConfigFile)
			sandbox := run("runp", pod)
			t.Cleanup(func() {
				if _, stderr, code := u.try("stop", "byhand"); code != 0 {
					t.Errorf("stop: %s", stderr)
				}
				testNothingLeft(t, endpoint)
			})
			id := run("create", sandbox, container, pod)
			run("start", id)
			if info := run("inspect", id); !strings.Contains(info, `"privileged": true`) || !strings.Contains(info, "/dev/net/tun") {
				t.Errorf("privileged or the devices were lost on the way: %s", info)
			}
			if ls := u.run("ls"); !strings.Contains(ls, "byhand") || !strings.Contains(ls, "orphan") {
				t.Errorf("ls does not show it as an orphan:\n%s", ls)
			}
			url := u.show("byhand").ViewerURL
			within(t, 30*time.Second, "the viewer of a machine made by crictl", func() error {
				resp, err := http.Get(url)
				if err == nil {
					resp.Body.Close()
				}
				return err
			})
		})
	}
}

func stderrOf(err error) string {
	if e, ok := err.(*exec.ExitError); ok {
		return string(e.Stderr)
	}
	return ""
}
