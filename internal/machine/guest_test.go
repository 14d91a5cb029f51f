package machine

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vmctl/internal/cri"
	"vmctl/internal/cri/critest"
	"vmctl/internal/machine/machinetest"
	"vmctl/internal/recipe"
	"vmctl/internal/storage"
)

// rig is a manager on a fake runtime in which an imitation of the demo image runs.
type rig struct {
	*Manager
	rt    *critest.Server
	guest *machinetest.Guest
}

const (
	rigImage  = machinetest.Image
	rigRecipe = machinetest.Recipe
)

func newRig(t *testing.T, opts ...critest.Option) *rig {
	t.Helper()
	rt := critest.NewServer(t, opts...)
	client, err := cri.Dial(t.Context(), rt.Endpoint())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return &rig{rt: rt, guest: machinetest.Run(rt),
		Manager: &Manager{Runtime: client, Store: storage.NewStore(t.TempDir()),
			PollInterval: 5 * time.Millisecond, Patience: 200 * time.Millisecond}}
}

// counter is how often the guest has booted from the disk; 0 if there is none.
func (r *rig) counter(t *testing.T, name string) int {
	t.Helper()
	n, err := machinetest.Counter(filepath.Join(r.Store.Root(), name, storage.StorageDir))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return n
}

func (r *rig) recipe(t *testing.T, extra string) *recipe.Recipe {
	t.Helper()
	return parse(t, extra+rigRecipe)
}

// up makes and starts a machine and fails the test if that fails.
func (r *rig) up(t *testing.T, name string) Machine {
	t.Helper()
	mc, err := r.Up(t.Context(), name, r.recipe(t, ""), StartOptions{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return mc
}

// elsewhere is a manager of the same machines on another runtime.
func (r *rig) elsewhere(t *testing.T) (*Manager, *critest.Server) {
	t.Helper()
	rt := critest.NewServer(t)
	machinetest.Run(rt)
	client, err := cri.Dial(t.Context(), rt.Endpoint())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	other := *r.Manager
	other.Runtime = client
	return &other, rt
}

// empty fails the test if the runtime holds anything.
func (r *rig) empty(t *testing.T) {
	t.Helper()
	if list := r.rt.Sandboxes(); len(list) != 0 {
		t.Errorf("%d sandboxes are left: %+v", len(list), list)
	}
	if list := r.rt.Containers(); len(list) != 0 {
		t.Errorf("%d containers are left: %+v", len(list), list)
	}
}

// nothing fails the test if the user's directory holds anything.
func (r *rig) nothing(t *testing.T) {
	t.Helper()
	entries, err := os.ReadDir(r.Store.Root())
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() == ".lock" || e.Name() == ".ports" {
			continue // locks, the store's own
		}
		t.Errorf("%s is left in the machines' directory", e.Name())
	}
}

// eventually waits for a condition.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	for !ok() {
		if sleep(ctx, 2*time.Millisecond) != nil {
			t.Fatalf("%s did not happen", what)
		}
	}
}

// stages collects what a reporter is told.
type stages struct{ list []Progress }

func (s *stages) report(p Progress) { s.list = append(s.list, p) }

func (s *stages) seen() string {
	var out []string
	for _, p := range s.list {
		if len(out) == 0 || out[len(out)-1] != string(p.Stage) {
			out = append(out, string(p.Stage))
		}
	}
	return strings.Join(out, " ")
}
