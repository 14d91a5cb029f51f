package gui

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"vmctl/internal/cri"
	"vmctl/internal/cri/critest"
	"vmctl/internal/machine"
	"vmctl/internal/recipe"
	"vmctl/internal/storage"
)

const demoRecipe = `summary = "A demo"
image = "localhost/demo:1"
guest = "demo"
[resources]
cpus = 2
memory = "512M"
disk = "1G"
`

// newLive is the real engine over a fake runtime.
func newLive(t *testing.T) (Live, *critest.Server) {
	t.Helper()
	runtime := critest.NewServer(t)
	client, err := cri.Dial(t.Context(), runtime.Endpoint())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	store := storage.NewStore(t.TempDir())
	bundled := fstest.MapFS{"demo.toml": {Data: []byte(demoRecipe)}, "broken.toml": {Data: []byte("nonsense")}}
	return Live{
		Connect: func(context.Context) (*machine.Manager, error) {
			return &machine.Manager{Runtime: client, Store: store, PollInterval: time.Millisecond}, nil
		},
		Offline: func() *machine.Manager { return &machine.Manager{Store: store} },
		Catalog: func() *recipe.Catalog { return recipe.NewCatalog(bundled) },
		Browse:  func(string) error { return nil },
	}, runtime
}

func TestLiveDraft(t *testing.T) {
	l, _ := newLive(t)
	got, err := l.Draft("demo")
	if err != nil {
		t.Fatal(err)
	}
	want := Plan{Recipe: "demo", Name: "demo", CPUs: "2", Memory: "512M", Disk: "1G"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if _, err := l.Draft("nothing"); !errors.Is(err, recipe.ErrUnknown) {
		t.Errorf("unknown recipe: %v", err)
	}
	if entries := l.Recipes(); len(entries) != 2 || entries[0].Err == nil || entries[1].Name != "demo" {
		t.Errorf("recipes: %+v", entries)
	}
}

func TestLiveCheck(t *testing.T) {
	l, _ := newLive(t)
	right := Plan{Recipe: "demo", Name: "demo", CPUs: "2", Memory: "512M", Disk: "1G"}
	for _, f := range []Field{FieldName, FieldCPUs, FieldMemory, FieldDisk} {
		if err := l.Check(right, f); err != nil {
			t.Errorf("%s: %v", f, err)
		}
		wrong := right
		wrong.set(f, "No Good")
		err := l.Check(wrong, f)
		if err == nil {
			t.Errorf("%s: %q is taken", f, wrong.Value(f))
			continue
		}
		if strings.Contains(err.Error(), "command line") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %q says where the field is, which the user sees", f, err)
		}
	}
	if err := l.Check(Plan{Recipe: "nothing"}, FieldCPUs); !errors.Is(err, recipe.ErrUnknown) {
		t.Errorf("unknown recipe: %v", err)
	}
}

func TestLivePlanBecomesARecipe(t *testing.T) {
	l, _ := newLive(t)
	r, err := l.recipe(Plan{Recipe: "demo", Name: "x", CPUs: "4", Memory: "1G", Disk: "2G"})
	if err != nil {
		t.Fatal(err)
	}
	got := []string{r.Resources.CPUs.String(), r.Resources.Memory.String(), r.Resources.Disk.String()}
	if diff := cmp.Diff([]string{"4", "1G", "2G"}, got); diff != "" {
		t.Error(diff)
	}
	if _, err := l.recipe(Plan{Recipe: "demo", CPUs: "many", Memory: "1G", Disk: "2G"}); err == nil {
		t.Error("a plan with many CPUs became a recipe")
	}
}

// What the engine below says comes through: the window acts on it.
func TestLiveErrors(t *testing.T) {
	l, _ := newLive(t)
	ctx := t.Context()
	verbs := map[string]func() error{
		"start":     func() error { return l.Start(ctx, "nobody", machine.StartOptions{}, nil) },
		"stop":      func() error { return l.Stop(ctx, "nobody", nil) },
		"restart":   func() error { return l.Restart(ctx, "nobody", machine.StartOptions{}, nil) },
		"delete":    func() error { return l.Delete(ctx, "nobody", machine.DeleteOptions{}, nil) },
		"logs":      func() error { return l.Logs(ctx, "nobody", 10, func(string) error { return nil }) },
		"inventory": func() error { _, err := l.Inventory(ctx, "nobody"); return err },
	}
	for name, verb := range verbs {
		if err := verb(); !errors.Is(err, machine.ErrNotFound) {
			t.Errorf("%s of a machine that is not there: %v", name, err)
		}
	}
	if err := l.Up(ctx, Plan{Recipe: "nothing"}, machine.StartOptions{}, nil); !errors.Is(err, recipe.ErrUnknown) {
		t.Errorf("up of an unknown recipe: %v", err)
	}
}

func TestLiveWithoutRuntime(t *testing.T) {
	l, _ := newLive(t)
	l.Connect = func(context.Context) (*machine.Manager, error) { return nil, cri.ErrNoRuntime }
	ctx := t.Context()
	verbs := map[string]func() error{
		"list": func() error { _, err := l.List(ctx); return err },
		"up": func() error {
			return l.Up(ctx, Plan{Recipe: "demo", CPUs: "1", Memory: "1G", Disk: "1G"}, machine.StartOptions{}, nil)
		},
		"start":   func() error { return l.Start(ctx, "x", machine.StartOptions{}, nil) },
		"stop":    func() error { return l.Stop(ctx, "x", nil) },
		"restart": func() error { return l.Restart(ctx, "x", machine.StartOptions{}, nil) },
		"delete":  func() error { return l.Delete(ctx, "x", machine.DeleteOptions{}, nil) },
		"logs":    func() error { return l.Logs(ctx, "x", 10, func(string) error { return nil }) },
	}
	for name, verb := range verbs {
		if err := verb(); !errors.Is(err, cri.ErrNoRuntime) {
			t.Errorf("%s without a runtime: %v", name, err)
		}
	}
}

// The window over the real engine: a runtime that goes away and comes back.
func TestWindowOverLiveEngine(t *testing.T) {
	l, runtime := newLive(t)
	m, err := l.Connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r, err := l.Catalog().Get("demo")
	if err != nil {
		t.Fatal(err)
	}
	h := newHarnessOver(t, l)
	h.untilText("There are no machines yet.")
	if _, err := m.Create(t.Context(), "mine", r); err != nil {
		t.Fatal(err)
	}
	h.untilText("A demo")
	runtime.Stop()
	h.untilText("does not answer")
	if !h.row("mine").Stale {
		t.Error("the machine is not greyed")
	}
	if err := runtime.Restart(); err != nil {
		t.Fatal(err)
	}
	h.untilNoText("does not answer")
	h.press("Delete…")
	h.untilText("Delete mine?")
	h.press("Delete, keep the disks")
	h.untilText("There are no machines yet.")
}
