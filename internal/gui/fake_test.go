package gui

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"

	"vmctl/internal/machine"
	"vmctl/internal/portfwd"
	"vmctl/internal/recipe"
	"vmctl/internal/storage"
)

// fakeEngine is an Engine that remembers what was asked of it. Its verbs do what
// the test says, or else succeed at once.
type fakeEngine struct {
	lists atomic.Int64

	mu       sync.Mutex
	machines []machine.Machine
	gone     error
	calls    []string
	items    []storage.Item
	kept     []storage.Snapshot
	ports    []machine.PortInfo
	log      []string
	logErr   error

	// doing is called by every verb in its goroutine, with the call as text.
	doing func(ctx context.Context, call string, report machine.Reporter) error
}

var _ Engine = (*fakeEngine)(nil)

func (f *fakeEngine) set(machines ...machine.Machine) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.machines = machines
}

func (f *fakeEngine) vanish(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.gone = err
}

// made returns the calls made so far.
func (f *fakeEngine) made() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.calls)
}

func (f *fakeEngine) do(ctx context.Context, report machine.Reporter, format string, args ...any) error {
	call := fmt.Sprintf(format, args...)
	f.mu.Lock()
	f.calls = append(f.calls, call)
	doing := f.doing
	f.mu.Unlock()
	if doing == nil {
		return nil
	}
	return doing(ctx, call, report)
}

func (f *fakeEngine) List(context.Context) ([]machine.Machine, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lists.Add(1)
	return slices.Clone(f.machines), f.gone
}

func (f *fakeEngine) Up(ctx context.Context, p Plan, o machine.StartOptions, r machine.Reporter) error {
	return f.do(ctx, r, "up %s %s %s %s %s%s", p.Recipe, p.Name, p.CPUs, p.Memory, p.Disk, answer(o))
}

func (f *fakeEngine) Start(ctx context.Context, name string, o machine.StartOptions, r machine.Reporter) error {
	return f.do(ctx, r, "start %s%s", name, answer(o))
}

func (f *fakeEngine) Stop(ctx context.Context, name string, r machine.Reporter) error {
	return f.do(ctx, r, "stop %s", name)
}

func (f *fakeEngine) Restart(ctx context.Context, name string, o machine.StartOptions, r machine.Reporter) error {
	return f.do(ctx, r, "restart %s%s", name, answer(o))
}

func (f *fakeEngine) Delete(ctx context.Context, name string, o machine.DeleteOptions, r machine.Reporter) error {
	return f.do(ctx, r, "delete %s storage=%v", name, o.Storage)
}

func answer(o machine.StartOptions) string {
	switch {
	case o.MarkInstalled:
		return " mark-installed"
	case o.Reinstall:
		return " reinstall"
	}
	return ""
}

func (f *fakeEngine) Inventory(context.Context, string) ([]storage.Item, error) { return f.items, nil }

func (f *fakeEngine) Logs(ctx context.Context, name string, last int, line func(string) error) error {
	if err := f.do(ctx, nil, "logs %s", name); err != nil {
		return err
	}
	for _, l := range f.log {
		if err := line(l); err != nil {
			return err
		}
	}
	return f.logErr
}

func (f *fakeEngine) Recipes() []recipe.Entry {
	return []recipe.Entry{
		{Name: "alpine", Guest: recipe.Linux, Summary: "Alpine Linux", Source: "bundled:alpine"},
		{Name: "broken", Err: errors.New("broken.toml:5:1: unknown key")},
		{Name: "windows-11", Guest: recipe.Windows, Summary: "Windows 11", Source: "/recipes/windows-11.toml"},
	}
}

func (f *fakeEngine) Draft(name string) (Plan, error) {
	return Plan{Recipe: name, Name: name, CPUs: "4", Memory: "8G", Disk: "64G"}, nil
}

func (f *fakeEngine) Check(p Plan, field Field) error {
	if field == FieldName {
		return storage.ValidName(p.Name)
	}
	if p.Value(field) == "8" {
		return errors.New("write 8G or 8M")
	}
	return nil
}

func (f *fakeEngine) ChangeRecipe(name string, changes map[Field]string) error {
	call := "change " + name
	for _, field := range slices.Sorted(maps.Keys(changes)) {
		call += fmt.Sprintf(" %s=%q", field, changes[field])
	}
	return f.do(context.Background(), nil, "%s", call)
}

func (f *fakeEngine) OpenViewer(url string) error {
	return f.do(context.Background(), nil, "view %s", url)
}

// aMachine is one as the engine would list it.
func aMachine(name string, phase machine.Phase) machine.Machine {
	m := machine.Machine{
		Name: name, UID: "uid-" + name, Phase: phase, Guest: recipe.Windows, Summary: "Windows for " + name,
		Image: "example.org/windows:1", CPUs: "4", Memory: "8G", Disk: "64G", Percent: -1,
		Directory: "/machines/" + name, Storage: "/machines/" + name + "/storage",
		Forwards: []portfwd.Forward{
			{Name: "viewer", Address: netip.MustParseAddr("127.0.0.1"), HostPort: 8007, GuestPort: 8006, Protocol: portfwd.TCP},
			{Name: "rdp", Address: netip.MustParseAddr("127.0.0.1"), HostPort: 3390, GuestPort: 3389, Protocol: portfwd.TCP},
		},
	}
	if phase.Up() {
		m.ContainerID = "container-" + name
	}
	return m
}
