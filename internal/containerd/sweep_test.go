package containerd

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAttachment(t *testing.T) {
	id := strings.Repeat("0a", 32)
	tests := []struct{ name, network, container string }{
		{"vmctl-lab-" + id + "-eth0", "vmctl-lab", id},
		{"vmctl-lab-2-" + id + "-eth0", "vmctl-lab-2", id},
		{"cni-loopback-" + id + "-lo", "cni-loopback", id},
		{"vmctl-lab-" + id[1:] + "-eth0", "", ""},
		{"vmctl-lab-" + id, "", ""},
		{"", "", ""},
	}
	for _, test := range tests {
		network, container := attachment(test.name)
		if network != test.network || container != test.container {
			t.Errorf("%q: network %q, container %q; want %q, %q", test.name, network, container, test.network, test.container)
		}
	}
}

func TestRemoveFiles(t *testing.T) {
	dir := t.TempDir()
	file, full := filepath.Join(dir, "file"), filepath.Join(dir, "full")
	if err := errors.Join(os.WriteFile(file, nil, 0o600), os.MkdirAll(filepath.Join(full, "x"), 0o700)); err != nil {
		t.Fatal(err)
	}
	err := removeFiles([]string{filepath.Join(dir, "none"), full, file})
	if err == nil || !strings.Contains(err.Error(), full) {
		t.Errorf("error %v, want one about %q", err, full)
	}
	if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the file after a failure is still there: %v", err)
	}
}

func TestRemoveState(t *testing.T) {
	i := &Instance{paths: paths{state: filepath.Join(t.TempDir(), "state")}}
	if err := os.MkdirAll(filepath.Join(i.paths.state, "a", "b"), 0o700); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time there is nothing
		if err := i.removeState(); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Stat(i.paths.state); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("still there: %v", err)
	}
}

// TestRemoveStateStopsAtMounts uses mounts that every Linux has.
func TestRemoveStateStopsAtMounts(t *testing.T) {
	i := &Instance{paths: paths{state: "/proc"}}
	if err := i.removeState(); err == nil || !strings.Contains(err.Error(), "still mounted") {
		t.Errorf("error %v, want that it is still mounted", err)
	}
}

func TestRemoveBridge(t *testing.T) {
	if err := removeBridge("vmctl-none"); err != nil {
		t.Errorf("no such bridge: %v", err)
	}
	if err := removeBridge("lo"); err != nil { // no bridge, so not ours
		t.Errorf("another link: %v", err)
	}
}

func TestRemoveCgroup(t *testing.T) {
	tree := t.TempDir()
	for _, dir := range []string{"cpu/vmctl", "memory/vmctl/busy", "pids"} {
		if err := os.MkdirAll(filepath.Join(tree, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := removeCgroup(filepath.Join(tree, "*", "vmctl")); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(tree, "cpu", "vmctl")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the empty one is still there: %v", err)
	}
	if _, err := os.Stat(filepath.Join(tree, "memory", "vmctl", "busy")); err != nil {
		t.Errorf("the one in use: %v", err)
	}
	if err := removeCgroup("["); err == nil {
		t.Error("a bad pattern is no error")
	}
}

func TestOthersAmongMounts(t *testing.T) {
	i, err := New(Options{Name: "lab"})
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name   string
		mounts []string
		want   bool
	}{
		{"none", nil, false},
		{"our own", []string{"/run/vmctl/lab/state/netns/cni-1", "/run/vmctl/lab"}, false},
		{"a tmpfs for all", []string{"/run/vmctl"}, false},
		{"another's", []string{"/run/vmctl/lab/state/netns/cni-1", "/run/vmctl/default/state/netns/cni-2"}, true},
		{"one whose name begins alike", []string{"/run/vmctl/lab2/state/netns/cni-3"}, true},
	} {
		if got := i.othersAmong(tc.mounts); got != tc.want {
			t.Errorf("%s: %v", tc.name, got)
		}
	}
}
