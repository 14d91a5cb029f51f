package containerd

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// sleeper starts a process that ends with the test. Its name is what makes
// /proc/PID/stat hard to read.
func sleeper(t *testing.T) *exec.Cmd {
	t.Helper()
	script := write(t, filepath.Join(t.TempDir(), "a) S 1 (b"), "#!/bin/sh\nread line\n", 0o755)
	cmd := exec.Command(script)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = in.Close(); _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return cmd
}

func TestProcessFile(t *testing.T) {
	p, err := processOf(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	p.Containerd, p.Version, p.Unit = "/usr/bin/containerd", "2.4.2", "x.service"
	file := filepath.Join(t.TempDir(), "daemon.json")
	if err := p.write(file); err != nil {
		t.Fatal(err)
	}
	got, ok := readProcess(file)
	if diff := cmp.Diff(p, got); !ok || diff != "" {
		t.Errorf("ok %v (-written +read):\n%s", ok, diff)
	}
	if !got.alive() {
		t.Error("this very process is not alive")
	}
	if age := time.Since(p.Since); age < 0 || age > time.Minute {
		t.Errorf("since %v", p.Since)
	}
}

func TestReadProcessOfNonsense(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"empty": "", "no JSON": "12", "no pid": "{}", "init": `{"pid":1}`, "negative": `{"pid":-1}`} {
		if p, ok := readProcess(write(t, filepath.Join(dir, "x"), text, 0o600)); ok {
			t.Errorf("%s: read as %+v", name, p)
		}
	}
	if _, ok := readProcess(filepath.Join(dir, "absent")); ok {
		t.Error("an absent file was read")
	}
}

func TestAliveKnowsItsProcess(t *testing.T) {
	cmd := sleeper(t)
	p, err := processOf(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	later, otherBoot, none := p, p, p
	later.Start++
	otherBoot.BootID = "another"
	none.PID = 0
	for name, tc := range map[string]struct {
		p    process
		want bool
	}{"itself": {p, true}, "the number's next owner": {later, false}, "before a reboot": {otherBoot, false}, "none": {none, false}} {
		if got := tc.p.alive(); got != tc.want {
			t.Errorf("%s: alive is %v", name, got)
		}
	}
}

func TestSignalSparesTheNextOwner(t *testing.T) {
	cmd := sleeper(t)
	p, err := processOf(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	stranger := p
	stranger.Start--
	if err := (process{}).signal(unix.SIGKILL); err != nil {
		t.Errorf("signal to no process: %v", err)
	}
	if err := stranger.signal(unix.SIGKILL); err != nil {
		t.Errorf("signal to a process that is gone: %v", err)
	}
	if !p.alive() {
		t.Fatal("another process was killed for one that had its number before")
	}
	if err := p.signal(unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if !waitUntil(t.Context(), 10*time.Second, func() bool { return !p.alive() }) {
		t.Fatal("the process lives on")
	}
	// It is a zombie now, that nobody waited for.
	if _, err := startOf(p.PID); !errors.Is(err, errZombie) {
		t.Errorf("a zombie: got %v, want errZombie", err)
	}
	_ = cmd.Wait()
	if err := p.signal(unix.SIGKILL); err != nil {
		t.Errorf("signal to nobody: %v", err)
	}
	if _, err := processOf(p.PID); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("process of nobody: %v", err)
	}
}
