//go:build e2e

package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const e2eSecret = "correct-horse-battery"

// schemaRecipe uses the keys of the schema that change the pod: a secret, a protected
// viewer, two further disks and a device, with as few rights as possible.
const schemaRecipe = `extends = "demo"
security = "minimal"

[secrets]
PASSWORD = { command = ["cat", "password"] }

[viewer]
protect = true

[[disks]]
name = "games"
size = "100M"

[[disks]]
name = "stick"
device = %q

[[devices]]
path = "/dev/null"
target = "/dev/nothing"
`

func TestE2ESchema(t *testing.T) {
	for runtime, endpoint := range realRuntimes(t) {
		t.Run(runtime, func(t *testing.T) {
			u := newUser(t, endpoint)
			stick := loopDevice(t, filepath.Join(u.home, "stick.img"), 70<<20)
			password := filepath.Join(u.home, "password")
			file := filepath.Join(u.home, "schema.toml")
			text := strings.ReplaceAll(fmt.Sprintf(schemaRecipe, stick), `"password"`, fmt.Sprintf("%q", password))
			for path, text := range map[string]string{password: e2eSecret + "\n", file: text} {
				if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			u.deleteAtEnd("schema")
			printed := u.run("up", file)
			m := u.show("schema")
			testProtected(t, m.ViewerURL)
			testFurtherDisks(t, m)
			if got := u.run("exec", "schema", "--", "sh", "-c", "echo x > /dev/nothing && stat -c %F /dev/nothing"); got != "character special file\n" {
				t.Errorf("the device is a %q", got)
			}
			printed += u.run("show", "schema") + u.run("show", "--json", "schema") + u.run("ls", "--json") + u.run("render", "schema") + u.run("logs", "schema")
			testNoSecret(t, printed, m.Directory, password)
			if got := u.run("render", "--reveal", "schema"); !strings.Contains(got, e2eSecret) {
				t.Error("render --reveal does not show the secret")
			}
			// The disk of a mounted device is not given away.
			u.run("stop", "schema")
			mountDevice(t, stick)
			if _, stderr, code := u.try("start", "schema"); code != exitGuard || !strings.Contains(stderr, "mounted at") {
				t.Errorf("a mounted device: exit code %d, want %d: %s", code, exitGuard, stderr)
			}
		})
	}
}

// testProtected looks whether the viewer wants the secret password, and takes it.
func testProtected(t *testing.T, url string) {
	t.Helper()
	for password, want := range map[string]int{"": http.StatusUnauthorized, "demo": http.StatusUnauthorized, e2eSecret: http.StatusOK} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		if password != "" {
			req.SetBasicAuth("demo", password)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("viewer with password %q: %d, want %d", password, resp.StatusCode, want)
		}
	}
}

// testFurtherDisks asks the guest which disks it sees.
func testFurtherDisks(t *testing.T, m jsonMachine) {
	t.Helper()
	want := map[string]int64{"disk2": 100 << 20, "disk3": 70 << 20}
	within(t, 30*time.Second, "the guest's disks", func() error {
		resp, err := http.Get("http://" + m.hostPort(t, "http") + "/status.json")
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		var status struct{ Disks map[string]int64 }
		if err := json.NewDecoder(resp.Body).Decode(&status); err != nil {
			return err
		}
		if fmt.Sprint(status.Disks) != fmt.Sprint(want) {
			return fmt.Errorf("it sees %v, want %v", status.Disks, want)
		}
		return nil
	})
	if info, err := os.Stat(filepath.Join(m.Directory, "disks/games/data2.img")); err != nil || info.Size() != 100<<20 {
		t.Errorf("the disk's file: %v, %v", info, err)
	}
}

// testNoSecret looks for the secret in what was printed and in all files but its own.
func testNoSecret(t *testing.T, printed, dir, own string) {
	t.Helper()
	if strings.Contains(printed, e2eSecret) {
		t.Errorf("the secret was printed:\n%s", printed)
	}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || path == own || strings.HasSuffix(path, ".img") {
			return err
		}
		data, err := os.ReadFile(path)
		if err == nil && bytes.Contains(data, []byte(e2eSecret)) {
			t.Errorf("the secret is in %s", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// loopDevice makes a block device of a file, until the test ends.
func loopDevice(t *testing.T, file string, size int64) string {
	t.Helper()
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(file, size); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("losetup", "--find", "--show", file).CombinedOutput()
	if err != nil {
		t.Fatalf("losetup: %v: %s", err, out)
	}
	device := strings.TrimSpace(string(out))
	t.Cleanup(func() {
		if out, err := exec.Command("losetup", "--detach", device).CombinedOutput(); err != nil {
			t.Errorf("losetup --detach %s: %v: %s", device, err, out)
		}
	})
	return device
}

// mountDevice makes a file system on a device and mounts it, until the test ends.
func mountDevice(t *testing.T, device string) {
	t.Helper()
	dir := t.TempDir()
	for _, words := range [][]string{{"mkfs.ext4", "-q", "-F", device}, {"mount", device, dir}} {
		if out, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %v: %s", words, err, out)
		}
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			t.Errorf("umount: %v: %s", err, out)
		}
	})
}

// TestE2EKeyring asks a real keyring, in a desktop session of its own.
func TestE2EKeyring(t *testing.T) {
	home := t.TempDir()
	recipe := filepath.Join(home, "keyring.toml")
	text := "guest = \"demo\"\n[secrets]\nPASSWORD = { keyring = \"vmctl/work\" }\n"
	if err := os.WriteFile(recipe, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	const session = `set -eu
fifo=$HOME/unlock; mkfifo "$fifo"
gnome-keyring-daemon --foreground --unlock --components=secrets < "$fifo" > /dev/null 2>&1 & daemon=$!
trap 'kill $daemon' EXIT
printf unlock > "$fifo"
for _ in $(seq 100); do gdbus_ready=$(dbus-send --session --print-reply --dest=org.freedesktop.DBus / org.freedesktop.DBus.NameHasOwner string:org.freedesktop.secrets || true)
  case "$gdbus_ready" in *true*) break ;; esac; sleep 0.1; done
"$VMCTL" render "$RECIPE" || true
"$VMCTL" render --reveal "$RECIPE" && exit 1
printf %s "$SECRET" | secret-tool store --label vmctl/work service vmctl username work
"$VMCTL" render --reveal "$RECIPE"`
	cmd := exec.Command("dbus-run-session", "--", "bash", "-c", session)
	cmd.Env = append(os.Environ(), "HOME="+home, "XDG_DATA_HOME="+home+"/data", "XDG_CONFIG_HOME="+home+"/config", "XDG_RUNTIME_DIR="+home,
		"VMCTL="+filepath.Join(os.Getenv("VMCTL_E2E_BIN"), "vmctl"), "RECIPE="+recipe, "SECRET="+e2eSecret)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s%s", err, out.String(), errs.String())
	}
	if n := strings.Count(out.String(), e2eSecret); n != 1 || !strings.Contains(out.String(), "(secret: keyring vmctl/work)") {
		t.Errorf("the secret was shown %d times, want once:\n%s", n, out.String())
	}
	if !strings.Contains(errs.String(), `the keyring has no "vmctl/work"`) || !strings.Contains(errs.String(), "secret-tool store") {
		t.Errorf("before it was stored: %s", errs.String())
	}
}
