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
)

func TestUnitArgs(t *testing.T) {
	i, err := New(Options{Name: "lab"})
	if err != nil {
		t.Fatal(err)
	}
	b := binaries{containerd: "/opt/new/containerd", runc: "/usr/sbin/runc"}
	args := i.unitArgs(b, i.paths.unit, []string{"HTTPS_PROXY=http://proxy:3128", "HOME=/root"})
	end := slices.Index(args, "--")
	if want := []string{"/opt/new/containerd", "--config", i.paths.config}; end < 0 || !slices.Equal(args[end+1:], want) {
		t.Fatalf("command %q, want %q", args[end+1:], want)
	}
	text := strings.Join(args[:end], " ")
	for _, want := range []string{
		"--unit vmctl-runtime-lab.service", "--property Delegate=yes", "--property KillMode=process",
		"--property StandardOutput=append:" + i.paths.log, "--setenv PATH=/opt/new:", "--setenv HTTPS_PROXY=http://proxy:3128", "--collect",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in %q", want, text)
		}
	}
	if strings.Contains(text, "HOME=") {
		t.Errorf("the user's environment is in %q", text)
	}
}

// fakeSystemctl knows some units as loaded.
func fakeSystemctl(t *testing.T, script string) {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "systemctl"), "#!/bin/sh\n"+script, 0o755)
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
}

func TestFreeUnit(t *testing.T) {
	i, err := New(Options{Name: "lab"})
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct{ name, script, want string }{
		{"first start", "echo not-found", "vmctl-runtime-lab.service"},
		{"after two crashes", `case "$5" in vmctl-runtime-lab.service|vmctl-runtime-lab.2.service) echo loaded ;; *) echo not-found ;; esac`, "vmctl-runtime-lab.3.service"},
		{"no answer", "echo no bus >&2; exit 1", "vmctl-runtime-lab.service"},
	} {
		fakeSystemctl(t, tc.script)
		if got := i.freeUnit(t.Context()); got != tc.want {
			t.Errorf("%s: got %q, want %q", tc.name, got, tc.want)
		}
	}
	fakeSystemctl(t, "echo loaded") // always
	if got := i.freeUnit(t.Context()); !strings.HasPrefix(got, "vmctl-runtime-lab.") {
		t.Errorf("got %q", got)
	}
}

func TestRunQuiet(t *testing.T) {
	if err := runQuiet(t.Context(), "sh", "-c", "echo fine"); err != nil {
		t.Error(err)
	}
	err := runQuiet(t.Context(), "sh", "-c", "echo out; echo no bus >&2; exit 3")
	if err == nil || !strings.Contains(err.Error(), "no bus") || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := runQuiet(ctx, "sleep", "60"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("too slow a program: %v", err)
	}
	if err := runQuiet(t.Context(), "no-such-program-here", "x"); err == nil {
		t.Error("a program that is not there ran")
	}
}
