package containerd

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"vmctl/internal/hint"
)

func TestDaemonEnvironment(t *testing.T) {
	in := []string{
		"PATH=/home/me/bin", "HTTPS_PROXY=http://proxy:3128", "no_proxy=localhost", "HOME=/home/me", "SSL_CERT_FILE=/ca.pem",
		"NOTIFY_SOCKET=/run/x", "XDG_RUNTIME_DIR=/run/user/1000", "LISTEN_FDS=1", "HTTP_PROXY",
	}
	want := []string{"PATH=/usr/bin", "HTTPS_PROXY=http://proxy:3128", "no_proxy=localhost", "SSL_CERT_FILE=/ca.pem", "HTTP_PROXY"}
	if got := daemonEnvironment(in, "/usr/bin"); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestWaitUntil(t *testing.T) {
	calls := 0
	if !waitUntil(t.Context(), time.Minute, func() bool { calls++; return calls == 3 }) {
		t.Error("it never was true")
	}
	if waitUntil(t.Context(), time.Millisecond, func() bool { return false }) {
		t.Error("false became true")
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if waitUntil(ended, time.Minute, func() bool { return false }) {
		t.Error("false became true after the end")
	}
}

func TestRotateLog(t *testing.T) {
	i := instanceAt(t, t.TempDir())
	if got := i.rotateLog(); got != 0 {
		t.Errorf("no log begins at %d", got)
	}
	write(t, i.paths.log, "12345", 0o600)
	if got := i.rotateLog(); got != 5 {
		t.Errorf("new entries begin at %d, want 5", got)
	}
	write(t, i.paths.log, strings.Repeat("x", logLimit+1), 0o600)
	if got := i.rotateLog(); got != 0 || !readable(i.paths.log+".1") || readable(i.paths.log) {
		t.Errorf("a big log: new entries begin at %d, put aside %v", got, readable(i.paths.log+".1"))
	}
}

func TestExplainQuotesTheLog(t *testing.T) {
	i := instanceAt(t, t.TempDir())
	write(t, i.paths.log, "of the last start\nlevel=fatal msg=\"no space\"\n", 0o600)
	err := i.explain(ErrDied, int64(len("of the last start\n")))
	if !errors.Is(err, ErrDied) || !strings.Contains(err.Error(), "no space") || strings.Contains(err.Error(), "last start") {
		t.Errorf("got %v", err)
	}
	if !strings.Contains(hint.Of(err), i.paths.log) {
		t.Errorf("hint %q does not name the log", hint.Of(err))
	}
	if err := i.explain(context.Canceled, 0); err != context.Canceled {
		t.Errorf("Ctrl-C was explained: %v", err)
	}
}

// fakeDaemon is a program that logs how it was started, and goes on until SIGTERM.
func fakeDaemon(t *testing.T, i *Instance) binaries {
	t.Helper()
	script := "#!/bin/sh\necho \"$0 $*\"\necho \"PATH=$PATH\"\necho \"in $PWD\"\nread line < /proc/self/stat\necho \"$line\"\ntrap 'echo ended; exit 0' TERM\nwhile :; do sleep 0.05; done\n"
	file := write(t, filepath.Join(i.paths.root, "containerd"), script, 0o755)
	return binaries{containerd: file, version: "9.9.9", runc: "/usr/sbin/runc"}
}

func TestSpawnAndEnd(t *testing.T) {
	i := instanceAt(t, t.TempDir())
	b := fakeDaemon(t, i)
	pid, err := i.spawnDetached(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	p, err := processOf(pid)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.signal(9) })
	if err := p.write(i.paths.process); err != nil {
		t.Fatal(err)
	}
	if !waitUntil(t.Context(), 10*time.Second, func() bool { return strings.Count(tail(i.paths.log, 0, 9), "\n") >= 3 }) {
		t.Fatalf("log: %q", tail(i.paths.log, 0, 9))
	}
	for _, want := range []string{"--config " + i.paths.config, "PATH=" + b.path(), "in /\n"} {
		if log := tail(i.paths.log, 0, 9); !strings.Contains(log, want) {
			t.Errorf("the log lacks %q:\n%s", want, log)
		}
	}
	if err := i.endDaemon(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	if p.alive() || readable(i.paths.process) {
		t.Errorf("alive %v, file there %v", p.alive(), readable(i.paths.process))
	}
	if log := tail(i.paths.log, 0, 1); log != "ended" {
		t.Errorf("not ended by SIGTERM: the log ends with %q", log)
	}
}

func TestSpawnOfNothing(t *testing.T) {
	i := instanceAt(t, t.TempDir())
	if _, err := i.spawnDetached(t.Context(), binaries{containerd: filepath.Join(i.paths.root, "absent")}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	i.paths.log = filepath.Join(i.paths.root, "absent", "log")
	if _, err := i.spawnDetached(t.Context(), fakeDaemon(t, i)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("without a place for the log: %v", err)
	}
}

func TestFindAndKill(t *testing.T) {
	i := instanceAt(t, t.TempDir())
	b := fakeDaemon(t, i)
	pid, err := i.spawnDetached(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	p, err := processOf(pid)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.signal(9) })
	// A script's command line begins with its interpreter; containerd's does not.
	// A child of its has it too, until it executes something else.
	got := findProcesses(func(_ int, args []string) bool { return slices.Contains(args, i.paths.config) })
	if !slices.ContainsFunc(got, func(p process) bool { return p.PID == pid }) {
		t.Fatalf("found %+v, want process %d", got, pid)
	}
	if err := i.killAll(t.Context(), got); err != nil || p.alive() {
		t.Errorf("kill: %v, alive %v", err, p.alive())
	}
}
