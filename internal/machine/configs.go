package machine

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/google/uuid"

	"vmctl/internal/cri"
	"vmctl/internal/hint"
	"vmctl/internal/portfwd"
	"vmctl/internal/recipe"
	"vmctl/internal/storage"
)

// Configs are what the runtime is asked for to run a machine, and what has to be known
// of the machine by whoever asks in vmctl's place.
type Configs struct {
	Recipe    *recipe.Recipe
	Pod       cri.SandboxConfig
	Container cri.ContainerConfig
	// Endpoint is the runtime that they are for; "" if none was asked.
	Endpoint string
	// Made tells that the machine exists: the container mounts its own disk.
	Made bool
	// Installed tells that its installation was seen to finish.
	Installed bool
	// Danger is why the image would delete the disk at the next start; "" if it would not.
	Danger string
}

// Configs is Render for another tool that will run the machine: the same machine gives
// the same configs each time. A host port that nobody has chosen yet stays 0. A machine
// yet to be made gets its storage, further disks and logs below home; "" is where vmctl
// has them. Words stand in the place of secrets. A recipe that would have the image
// install anew on an existing disk is ErrGuard.
func (m *Manager) Configs(ctx context.Context, name string, r *recipe.Recipe, home string) (Configs, error) {
	p, h, err := m.renderPlan(ctx, name, r, home, wished)
	var c Configs
	if err == nil {
		c, err = p.configs()
	}
	if err == nil && h != nil {
		err = m.judge(h, &c)
	}
	if m.Runtime != nil {
		c.Endpoint = m.Runtime.Endpoint()
	}
	if err != nil {
		return Configs{}, fmt.Errorf("export %q: %w", name, err)
	}
	return c, nil
}

// judge looks at the disk that another tool is about to be given.
func (m *Manager) judge(h *handle, c *Configs) error {
	facts, err := m.diskFacts(h)
	if err != nil {
		return fmt.Errorf("look at the disk: %w", err)
	}
	c.Made, c.Installed, c.Danger = true, facts.installed, endangered(facts)
	if id := identityOf(c.Recipe); facts.present && h.rec.Identity != "" && h.rec.Identity != id {
		err := fmt.Errorf("%w: the machine was made with %q, and this would be %q; the image would install anew", ErrGuard, h.rec.Identity, id)
		return hint.With(err, "give the other one a name of its own with --name")
	}
	return nil
}

func (p plan) configs() (Configs, error) {
	image, err := cri.NormalizeReference(p.recipe.Image)
	return Configs{Recipe: p.recipe, Pod: p.sandboxConfig(), Container: p.containerConfig(image)}, err
}

// freePort is portfwd.Free, or what stands for it.
type freePort func(start int, f portfwd.Forward, taken func(int, portfwd.Protocol) bool) (int, error)

// wished chooses a port without asking the host: the recipe's wish or the next that
// the machine itself does not want, and 0 for any.
func wished(start int, f portfwd.Forward, taken func(int, portfwd.Protocol) bool) (int, error) {
	for n := start; n > 0 && n <= 65535; n++ {
		if !taken(n, f.Protocol) {
			return n, nil
		}
	}
	return 0, nil
}

// renderPlan also returns the machine; nil is one yet to be made.
func (m *Manager) renderPlan(ctx context.Context, name string, r *recipe.Recipe, home string, free freePort) (plan, *handle, error) {
	h, err := m.open(name)
	switch {
	case err == nil && r == nil:
		r = h.recipe
	case err != nil && (r == nil || !errors.Is(err, ErrNotFound)):
		return plan{}, nil, err
	}
	if err := storage.ValidName(name); err != nil {
		return plan{}, nil, err
	}
	p := plan{name: name, recipe: r, source: r.Source, devices: []string{deviceKVM, deviceTun}, secrets: hideSecrets(r)}
	own := filepath.Join(m.Store.Root(), name)
	// The same for each export, and no other machine's on this host.
	p.uid = uuid.NewSHA1(uuid.NameSpaceURL, []byte("file://"+own)).String()
	picker := portPicker{
		busy:  func(portfwd.Forward) string { return "" },
		check: func(portfwd.Forward) error { return nil },
		free:  free}
	switch {
	case h != nil:
		p.uid, p.source, picker.remembered = h.rec.UID, h.rec.Recipe, h.rec.Ports
	case home != "":
		own = home
	}
	p.keepIn(own)
	ports, _ := portsFromHere(r)
	if p.forwards, err = picker.pick(ports); err != nil {
		return plan{}, nil, err
	}
	if p.dns, err = m.dns(); err != nil {
		return plan{}, nil, err
	}
	if m.Runtime != nil {
		p.cgroup, err = m.Runtime.CgroupParent(ctx, sandboxNamespace)
	}
	return p, h, err
}

// keepIn has everything that the recipe gives no place to in a machine's directory.
func (p *plan) keepIn(own string) {
	disk := func(k recipe.Disk) string { return either(k.Path, filepath.Join(own, storage.DisksDir, k.Name)) }
	p.extra = passThrough(p.recipe, disk, nil)
	for _, k := range p.recipe.Disks {
		p.disks = append(p.disks, either(k.Device, disk(k)))
	}
	p.logs = filepath.Join(own, storage.LogsDir)
	p.storage = storagePath(filepath.Join(own, storage.StorageDir), p.recipe)
}
