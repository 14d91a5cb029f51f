package machine

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vmctl/internal/machine/machinetest"
	"vmctl/internal/storage"
)

func TestConfigsOfARecipe(t *testing.T) {
	m := &Manager{Store: storage.NewStore("/store")}
	text := strings.Replace(demoRecipe, "[lifecycle]", `
[[ports]]
name = "web"
guest = 80
host = "8006+"
[[ports]]
name = "again"
guest = 81
host = "8006+"
[lifecycle]`, 1)
	first, err := m.Configs(t.Context(), "demo", parse(t, text), "/srv/demo")
	if err != nil {
		t.Fatal(err)
	}
	second, err := m.Configs(t.Context(), "demo", parse(t, text), "/srv/demo")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(first, second); diff != "" {
		t.Errorf("two exports differ: %s", diff)
	}
	if first.Made || first.Pod.LogDirectory != "/srv/demo/logs" || first.Container.Mounts[0].HostPath != "/srv/demo/storage" {
		t.Errorf("a machine yet to be made: %+v", first)
	}
	var ports []int
	for _, p := range first.Pod.PortMappings {
		ports = append(ports, p.HostPort)
	}
	if diff := cmp.Diff([]int{0, 8006, 8007}, ports); diff != "" {
		t.Errorf("ports: %s", diff)
	}
	other, err := m.Configs(t.Context(), "other", parse(t, text), "/srv/demo")
	if err != nil || other.Pod.Hostname == first.Pod.Hostname || other.Pod.UID == first.Pod.UID {
		t.Errorf("another machine has the host name %q and the uid %q: %v", other.Pod.Hostname, other.Pod.UID, err)
	}
}

func TestConfigsOfAMachine(t *testing.T) {
	r := newRig(t)
	r.up(t, "demo")
	ran := r.rt.Sandboxes()[0].Config
	c, err := r.Configs(t.Context(), "demo", nil, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(ran, c.Pod); diff != "" {
		t.Errorf("not what runs: %s", diff)
	}
	if own := filepath.Join(r.Store.Root(), "demo", "storage"); !c.Made || !c.Installed || c.Container.Mounts[0].HostPath != own {
		t.Errorf("made %v, installed %v, storage %v, want %s", c.Made, c.Installed, c.Container.Mounts[0], own)
	}
	if c.Endpoint != r.Runtime.Endpoint() {
		t.Errorf("for the runtime %q", c.Endpoint)
	}
	if c.Danger == "" {
		t.Error("a guest that runs has no marker, and that is not told")
	}
	if err := r.Stop(t.Context(), "demo", StopOptions{}, nil); err != nil {
		t.Fatal(err)
	}
	if c, err = r.Configs(t.Context(), "demo", nil, ""); err != nil || c.Danger != "" {
		t.Errorf("after a clean stop: %q, %v", c.Danger, err)
	}
	changed := parse(t, machinetest.Recipe)
	changed.Env["VERSION"] = "2"
	if _, err := r.Configs(t.Context(), "demo", changed, ""); !errors.Is(err, ErrGuard) {
		t.Errorf("another VERSION on the same disk: %v", err)
	}
	if _, err := r.Configs(t.Context(), "none", nil, ""); !errors.Is(err, ErrNotFound) {
		t.Errorf("no such machine: %v", err)
	}
}
