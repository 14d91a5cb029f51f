package containerd

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestFindContainerd(t *testing.T) {
	dir := t.TempDir()
	program := write(t, filepath.Join(dir, "containerd"), "#!/bin/sh\n", 0o755)
	other := write(t, filepath.Join(dir, "other"), "#!/bin/sh\n", 0o755)
	plain := write(t, filepath.Join(dir, "plain"), "text", 0o644)
	t.Setenv("PATH", dir)
	for _, tc := range []struct {
		name, option, environment string
		want                      string // "" is ErrMissing
	}{
		{"by option", other, program, other},
		{"by environment", "", other, other},
		{"in PATH", "", "", program},
		{"option is absent", filepath.Join(dir, "absent"), "", ""},
		{"option cannot be run", plain, "", ""},
		{"option is a directory", dir, "", ""},
		{"environment is absent", "", filepath.Join(dir, "absent"), ""},
	} {
		t.Setenv(EnvContainerd, tc.environment)
		i, err := New(Options{Containerd: tc.option})
		if err != nil {
			t.Fatal(err)
		}
		got, err := i.findContainerd()
		if tc.want == "" {
			if !errors.Is(err, ErrMissing) {
				t.Errorf("%s: got %q, %v, want ErrMissing", tc.name, got, err)
			}
			continue
		}
		if err != nil || got != tc.want {
			t.Errorf("%s: got %q, %v, want %q", tc.name, got, err, tc.want)
		}
	}
}

func TestFindContainerdMakesPathsAbsolute(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "mine"), "#!/bin/sh\n", 0o755)
	t.Chdir(dir)
	i, err := New(Options{Containerd: "./mine"})
	if err != nil {
		t.Fatal(err)
	}
	got, err := i.findContainerd()
	if err != nil || !filepath.IsAbs(got) || !executable(got) {
		t.Errorf("got %q, %v", got, err)
	}
}

// A program in the working directory must not come to run as root.
func TestNothingIsTakenFromTheWorkingDirectory(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "no-such-tool"), "#!/bin/sh\n", 0o755)
	t.Chdir(dir)
	t.Setenv("PATH", ".:")
	if got := lookPath("no-such-tool"); got != "" {
		t.Errorf("found %q", got)
	}
	for _, found := range append(shippedDirs("runtime"), shippedDirs("images")...) {
		if !filepath.IsAbs(found) {
			t.Errorf("%q depends on the working directory", found)
		}
	}
}

func TestBinaryVersion(t *testing.T) {
	dir := t.TempDir()
	for _, tc := range []struct{ name, prints, want string }{
		{"debian", "containerd github.com/containerd/containerd 1.6.20~ds1 1.6.20~ds1-1+deb12u3", "1.6.20"},
		{"built by us", "containerd github.com/containerd/containerd/v2 2.4.2+unknown", "2.4.2"},
		{"released", "containerd github.com/containerd/containerd/v2 v2.1.4 75cb2b7193", "2.1.4"},
		{"another program", "docker version 28", ""},
		{"silent", "", ""},
	} {
		file := write(t, filepath.Join(dir, "x"), "#!/bin/sh\necho '"+tc.prints+"'\n", 0o755)
		got, err := binaryVersion(t.Context(), file)
		if got != tc.want || (err == nil) != (tc.want != "") {
			t.Errorf("%s: got %q, %v, want %q", tc.name, got, err, tc.want)
		}
	}
	slow := write(t, filepath.Join(dir, "x"), "#!/bin/sh\nexec sleep 60\n", 0o755)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := binaryVersion(ctx, slow); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("too slow: got %v", err)
	}
	if _, err := binaryVersion(t.Context(), filepath.Join(dir, "absent")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("absent: got %v", err)
	}
}

func TestDaemonsOwnShimComesFirst(t *testing.T) {
	b := binaries{containerd: "/opt/new/containerd", runc: "/usr/sbin/runc"}
	if got := b.path(); !strings.HasPrefix(got, "/opt/new:") {
		t.Errorf("PATH is %q", got)
	}
}
