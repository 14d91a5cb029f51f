//go:build e2e

package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"vmctl/internal/cri"
)

// realRuntimes returns the runtimes that `make test` has started, by name.
func realRuntimes(t *testing.T) map[string]string {
	t.Helper()
	text := os.Getenv("VMCTL_E2E_ENDPOINTS")
	if text == "" {
		t.Fatal("VMCTL_E2E_ENDPOINTS is not set: run this test with make test-e2e, which starts the runtimes")
	}
	out := map[string]string{}
	for _, item := range strings.Split(text, ",") {
		name, endpoint, ok := strings.Cut(item, "=")
		if !ok {
			t.Fatalf("VMCTL_E2E_ENDPOINTS: %q is not name=endpoint", item)
		}
		out[name] = endpoint
	}
	return out
}

// oneRuntime is realRuntimes for what does not depend on the runtime: one is enough, and
// each test takes its time on a real guest.
func oneRuntime(t *testing.T, name string) map[string]string {
	t.Helper()
	endpoint, ok := realRuntimes(t)[name]
	if !ok {
		t.Fatalf("no runtime %s: run this test with make test-e2e", name)
	}
	return map[string]string{name: endpoint}
}

// anyPorts are options for a demo machine of a test that runs beside others: a machine on
// another runtime may have mapped a port that nothing answers on yet, which nobody can see.
func anyPorts() (options []string) {
	for _, name := range []string{"viewer", "vnc", "http", "echo", "echo-udp"} {
		options = append(options, "--set", "ports."+name+".host=any")
	}
	return options
}

// user is somebody with the real vmctl, an empty home and one runtime.
type user struct {
	t    *testing.T
	home string
	env  []string
	as   *syscall.Credential // nil: whoever runs the tests
}

func newUser(t *testing.T, endpoint string) *user {
	t.Helper()
	home := t.TempDir()
	return &user{t, home, append(os.Environ(), "HOME="+home, "XDG_DATA_HOME="+home+"/data",
		"XDG_CONFIG_HOME="+home+"/config", "VMCTL_RUNTIME_ENDPOINT="+endpoint), nil}
}

// try runs vmctl and returns what it printed and its exit code.
func (u *user) try(args ...string) (stdout, stderr string, code int) {
	u.t.Helper()
	cmd := exec.Command(filepath.Join(os.Getenv("VMCTL_E2E_BIN"), "vmctl"), args...)
	var out, errs bytes.Buffer
	cmd.Env, cmd.Stdout, cmd.Stderr = u.env, &out, &errs
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: u.as}
	begin := time.Now()
	err := cmd.Run()
	u.t.Logf("vmctl %s: %v after %.1f s", strings.Join(args, " "), err, time.Since(begin).Seconds())
	if err != nil && cmd.ProcessState == nil {
		u.t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// run is try for what must succeed.
func (u *user) run(args ...string) string {
	u.t.Helper()
	stdout, stderr, code := u.try(args...)
	if code != 0 {
		u.t.Fatalf("vmctl %s: exit code %d\n%s%s", strings.Join(args, " "), code, stdout, stderr)
	}
	return stdout
}

func (u *user) show(name string) jsonMachine {
	u.t.Helper()
	return decodeMachine(u.t, u.run("show", "--json", name))
}

func decodeMachine(t *testing.T, text string) jsonMachine {
	t.Helper()
	var m jsonMachine
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// hostPort is the host's side of a port of the machine, "127.0.0.1:8080".
func (m jsonMachine) hostPort(t *testing.T, name string) string {
	t.Helper()
	for _, p := range m.Ports {
		if p.Name == name {
			return net.JoinHostPort(p.Address, strconv.Itoa(p.Host))
		}
	}
	t.Fatalf("machine %s has no port %q: %+v", m.Name, name, m.Ports)
	return ""
}

// counter is the number of boots that the guest itself has written on its disk, as
// its log tells.
func (u *user) counter(name string) int {
	u.t.Helper()
	var found [][]string
	within(u.t, 60*time.Second, "the guest's counter", func() error {
		log := u.run("logs", name)
		if found = regexp.MustCompile(`counter=(\d+)`).FindAllStringSubmatch(log, -1); len(found) == 0 {
			return fmt.Errorf("it is not in the log:\n%s", log)
		}
		return nil
	})
	n, err := strconv.Atoi(found[len(found)-1][1])
	if err != nil {
		u.t.Fatal(err)
	}
	return n
}

// within tries something until it succeeds.
func within(t *testing.T, limit time.Duration, what string, try func() error) {
	t.Helper()
	var err error
	for deadline := time.Now().Add(limit); time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		if err = try(); err == nil {
			return
		}
	}
	t.Fatalf("%s within %s: %v", what, limit, err)
}

func (u *user) deleteAtEnd(name string) {
	u.t.Cleanup(func() {
		if out, errs, code := u.try("delete", name, "--force", "--storage", "--yes"); code != 0 && code != 3 {
			u.t.Errorf("the machine is left: %s%s", out, errs)
		}
	})
}

// TestE2ELife is the whole life of a machine with a real guest on each runtime.
func TestE2ELife(t *testing.T) {
	for runtime, endpoint := range realRuntimes(t) {
		t.Run(runtime, func(t *testing.T) {
			u := newUser(t, endpoint)
			u.deleteAtEnd("demo")
			out := u.run("up", "demo")
			if !strings.Contains(out, "demo is running") {
				t.Errorf("up said %q", out)
			}
			m := u.show("demo")
			if m.Phase != "Running" || !m.Installed || m.Address == "" {
				t.Errorf("machine %+v", m)
			}
			if n := u.counter("demo"); n != 1 {
				t.Errorf("counter = %d after the installation, want 1", n)
			}
			testGuestPorts(t, m)
			testBrowser(t, m.ViewerURL)

			u.run("stop", "demo")
			testNothingLeft(t, endpoint)
			if _, err := os.Stat(filepath.Join(m.Storage, "demo.boot")); err != nil {
				t.Errorf("a clean stop left no marker: %v", err)
			}
			u.run("up", "demo")
			if n := u.counter("demo"); n != 2 {
				t.Errorf("counter = %d after stop and up, want 2: the disk did not survive", n)
			}
			u.run("stop", "--force", "--yes", "demo")
			u.run("up", "demo")
			if n := u.counter("demo"); n != 3 {
				t.Errorf("counter = %d after a pulled plug, want 3: the disk did not survive", n)
			}
			if got := u.run("exec", "demo", "--", "cat", "/run/shm/qemu.ip"); !strings.HasPrefix(got, "172.30.") {
				t.Errorf("the guest's address is %q", got)
			}
			if _, _, code := u.try("exec", "demo", "--", "sh", "-c", "exit 7"); code != 7 {
				t.Errorf("exec ended with %d, want the command's 7", code)
			}
			u.run("delete", "demo", "--force", "--storage", "--yes")
			testNothingLeft(t, endpoint)
			if entries, _ := filepath.Glob(filepath.Dir(m.Directory) + "/[a-z]*"); len(entries) > 0 {
				t.Errorf("left in the machines' directory: %v", entries)
			}
		})
	}
}

// testGuestPorts reaches the guest itself, through the host's ports, TCP and UDP.
func testGuestPorts(t *testing.T, m jsonMachine) {
	t.Helper()
	within(t, 30*time.Second, "the guest's web server", func() error {
		resp, err := http.Get("http://" + m.hostPort(t, "http") + "/status.json")
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err == nil && !strings.Contains(string(body), `"counter"`) {
			err = fmt.Errorf("it says %q", body)
		}
		return err
	})
	within(t, 20*time.Second, "the guest's UDP echo", func() error {
		conn, err := net.Dial("udp", m.hostPort(t, "echo-udp"))
		if err != nil {
			return err
		}
		defer conn.Close()
		if _, err := conn.Write([]byte("hello\n")); err != nil {
			return err
		}
		if err := conn.SetReadDeadline(time.Now().Add(2 * time.Second)); err != nil {
			return err
		}
		answer := make([]byte, 16)
		n, err := conn.Read(answer)
		if err == nil && string(answer[:n]) != "hello\n" {
			err = fmt.Errorf("it says %q", answer[:n])
		}
		return err
	})
}

// testNothingLeft asks the runtime itself.
func testNothingLeft(t *testing.T, endpoint string) {
	t.Helper()
	ctx := context.Background() // it also runs when the test's own context has ended
	client, err := cri.Dial(ctx, endpoint)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	sandboxes, err := client.ListSandboxes(ctx, cri.SandboxFilter{})
	if err != nil || len(sandboxes) != 0 {
		t.Errorf("sandboxes left: %+v, %v", sandboxes, err)
	}
	containers, err := client.ListContainers(ctx, cri.ContainerFilter{})
	if err != nil || len(containers) != 0 {
		t.Errorf("containers left: %+v, %v", containers, err)
	}
}

// TestE2EGuard cuts the power of a freshly installed guest: its image would delete
// the disk at the next start, and vmctl does not let it.
func TestE2EGuard(t *testing.T) {
	for runtime, endpoint := range realRuntimes(t) {
		t.Run(runtime, func(t *testing.T) {
			u := newUser(t, endpoint)
			u.deleteAtEnd("cut")
			u.run("up", "demo", "--name", "cut")
			m := u.show("cut")
			client, err := cri.Dial(t.Context(), endpoint)
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			if err := client.StopContainer(t.Context(), m.ContainerID, 0); err != nil { // SIGKILL
				t.Fatal(err)
			}
			if got := u.show("cut"); got.Phase != "Failed" || !strings.Contains(got.Reason, "killed") {
				t.Errorf("after the kill: %s, %q", got.Phase, got.Reason)
			}
			_, stderr, code := u.try("up", "demo", "--name", "cut")
			if code != exitGuard || !strings.Contains(stderr, "--mark-installed") {
				t.Fatalf("exit code %d, want %d: %s", code, exitGuard, stderr)
			}
			u.run("start", "cut", "--mark-installed")
			if n := u.counter("cut"); n != 2 {
				t.Errorf("counter = %d, want 2: the disk did not survive", n)
			}
		})
	}
}

// TestE2ERefusals are the wrong turns of a new user, on a real runtime: one error, one
// hint, and nothing is left behind.
func TestE2ERefusals(t *testing.T) {
	for runtime, endpoint := range realRuntimes(t) {
		t.Run(runtime, func(t *testing.T) {
			u := newUser(t, endpoint)
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer listener.Close()
			port := strconv.Itoa(listener.Addr().(*net.TCPAddr).Port)
			for _, tc := range []struct {
				what string
				args []string
				code int
				want string
			}{
				{"an unknown recipe", []string{"up", "dmeo"}, exitNotFound, "did you mean demo"},
				{"an image that is nowhere", []string{"up", "demo", "--set", "image=127.0.0.1:1/none:1"}, exitOther, "pull image"},
				{"an image that is not there", []string{"up", "demo", "--set", "image=localhost/none:1"}, exitNotFound, "image import"},
				{"a port that is taken", []string{"up", "demo", "--set", "ports.viewer.host=" + port}, exitPhase, "pid " + strconv.Itoa(os.Getpid())},
				{"no such runtime", []string{"up", "demo", "--runtime-endpoint", "unix:///nowhere.sock"}, exitRuntime, "nowhere"},
			} {
				stdout, stderr, code := u.try(tc.args...)
				if code != tc.code && tc.code != exitOther || code == 0 || !strings.Contains(stderr, tc.want) {
					t.Errorf("%s: exit code %d, want %d\n%s%s", tc.what, code, tc.code, stdout, stderr)
				}
				if strings.Count(stderr, "vmctl: error:") != 1 || strings.Count(stderr, "vmctl: hint:") > 1 {
					t.Errorf("%s: not one error and one hint:\n%s", tc.what, stderr)
				}
				testNothingLeft(t, endpoint)
				if entries, _ := filepath.Glob(u.home + "/data/vmctl/machines/[a-z]*"); len(entries) > 0 {
					t.Errorf("%s: left %v", tc.what, entries)
				}
			}
		})
	}
}
