package app

import (
	"context"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"github.com/adrg/xdg"

	"vmctl/internal/containerd"
	"vmctl/internal/cri"
	"vmctl/internal/machine"
	"vmctl/internal/recipe"
	"vmctl/internal/storage"
	"vmctl/recipes"
)

// Options are what the user said on the command line. Empty fields leave the
// choice to the environment, then to the configuration file, then to the default.
type Options struct {
	Endpoint    string // of the runtime: a unix socket
	RuntimeName string // of the private runtime
	Getenv      func(string) string
	Environ     []string // "NAME=VALUE": what may change recipes
	Log         *slog.Logger
}

// App is vmctl, put together. It may be used from several goroutines.
type App struct {
	options Options
	config  Config

	mu     sync.Mutex
	client *cri.Client
	found  cri.Found
}

// New reads the configuration file. It looks at no runtime yet.
func New(o Options) (*App, error) {
	if o.Getenv == nil {
		o.Getenv = func(string) string { return "" }
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	config, err := readConfig(filepath.Join(xdg.ConfigHome, "vmctl", "config.toml"))
	if err != nil {
		return nil, err
	}
	if o.RuntimeName == "" {
		o.RuntimeName = firstOf(o.Getenv("VMCTL_RUNTIME_NAME"), config.RuntimeName)
	}
	if _, err := containerd.New(containerd.Options{Name: o.RuntimeName}); err != nil {
		return nil, err // the name becomes part of a path
	}
	return &App{options: o, config: config}, nil
}

// Catalog is the recipes known by name: the user's, then the bundled ones.
func (a *App) Catalog() *recipe.Catalog {
	return recipe.NewCatalog(recipes.FS, a.RecipesDir())
}

// Overrides are what the environment changes in every recipe.
func (a *App) Overrides() ([]recipe.Override, error) {
	return recipe.FromEnvironment(a.options.Environ)
}

// RecipesDir is the directory of the user's own recipes. It may not be there.
func (a *App) RecipesDir() string { return filepath.Join(xdg.ConfigHome, "vmctl", "recipes") }

// Store is where the user's machines are.
func (a *App) Store() *storage.Store {
	return storage.NewStore(firstOf(a.config.Machines, filepath.Join(xdg.DataHome, "vmctl", "machines")))
}

// Runtime finds the container runtime and connects to it, once: later calls give
// the same client. Found says which one it is and why, also where none answered.
func (a *App) Runtime(ctx context.Context) (*cri.Client, cri.Found, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.client != nil {
		return a.client, a.found, nil
	}
	client, found, err := a.sources().Find(ctx)
	if err != nil {
		return nil, found, err
	}
	a.client, a.found = client, found
	return client, found, nil
}

// sources are the places that may name an endpoint, the private runtime's socket
// before the system's.
func (a *App) sources() cri.Sources {
	name := firstOf(a.options.RuntimeName, containerd.DefaultName)
	known := []cri.KnownSocket{{Path: containerd.SocketOf(name), Name: "private runtime \"" + name + "\""}}
	return cri.Sources{
		Flag:        a.options.Endpoint,
		Getenv:      a.options.Getenv,
		CrictlFiles: cri.DefaultCrictlFiles(),
		Config:      a.config.RuntimeEndpoint,
		Known:       append(known, cri.DefaultKnownSockets()...),
	}
}

// Machines is the engine on the runtime that was found.
func (a *App) Machines(ctx context.Context) (*machine.Manager, error) {
	client, _, err := a.Runtime(ctx)
	if err != nil {
		return nil, err
	}
	m := a.Offline()
	m.Runtime, m.Agents, m.Program = client, a.Agents(client.Endpoint()), vmctlProgram
	socket := socketPath(client.Endpoint())
	m.WatchPull = func(ctx context.Context, fn func(done, total int64)) error {
		return containerd.WatchPull(ctx, socket, pullInterval, func(p containerd.PullProgress) { fn(p.Done, p.Total) })
	}
	return m, nil
}

// pullInterval is how often a pull's progress is asked for.
const pullInterval = 500 * time.Millisecond

// Offline is the engine without a runtime: for what needs only files.
func (a *App) Offline() *machine.Manager {
	return &machine.Manager{Store: a.Store(), Log: a.options.Log}
}

// Instance is the private runtime. The name comes from the options unless o has
// one.
func (a *App) Instance(o containerd.Options) (*containerd.Instance, error) {
	if o.Name == "" {
		o.Name = a.options.RuntimeName
	}
	if o.Log == nil {
		o.Log = a.options.Log
	}
	return containerd.New(o)
}

// Close ends the connection to the runtime.
func (a *App) Close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.client == nil {
		return nil
	}
	err := a.client.Close()
	a.client = nil
	return err
}
