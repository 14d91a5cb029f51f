package machine

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"vmctl/internal/cri"
	"vmctl/internal/portfwd"
	"vmctl/internal/recipe"
	"vmctl/internal/storage"
)

// Render returns the pod and the container config of a machine as JSON that crictl
// reads unchanged. With a recipe it shows what a machine of that name would be;
// without one, what the existing machine is. The runtime need not answer: then the
// cgroup parent is left open, and ports are shown as the recipe wishes them.
//
// The recipe's secrets are fetched and shown only if reveal says so; else words stand
// in their place, and the guest would take those for its password.
func (m *Manager) Render(ctx context.Context, name string, r *recipe.Recipe, reveal bool) (podJSON, containerJSON []byte, err error) {
	p, err := m.renderPlan(ctx, name, r)
	if err == nil && reveal {
		p.secrets, err = m.fetchSecrets(ctx, p.recipe, nil)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("render %q: %w", name, err)
	}
	image, err := cri.NormalizeReference(p.recipe.Image)
	if err != nil {
		return nil, nil, fmt.Errorf("render %q: %w", name, err)
	}
	if podJSON, err = p.sandboxConfig().MarshalCrictl(); err != nil {
		return nil, nil, err
	}
	containerJSON, err = p.containerConfig(image).MarshalCrictl()
	return podJSON, containerJSON, err
}

func (m *Manager) renderPlan(ctx context.Context, name string, r *recipe.Recipe) (plan, error) {
	h, err := m.open(name)
	switch {
	case err == nil && r == nil:
		r = h.recipe
	case err != nil && (r == nil || !errors.Is(err, ErrNotFound)):
		return plan{}, err
	}
	if err := storage.ValidName(name); err != nil {
		return plan{}, err
	}
	p := plan{name: name, recipe: r, source: r.Source, devices: []string{deviceKVM, deviceTun}}
	own := filepath.Join(m.Store.Root(), name)
	p.secrets = hideSecrets(r)
	p.extra = passThrough(r, func(k recipe.Disk) string { return either(k.Path, filepath.Join(own, storage.DisksDir, k.Name)) }, nil)
	p.logs = filepath.Join(own, storage.LogsDir)
	p.storage = storagePath(filepath.Join(own, storage.StorageDir), r)
	remembered := []rememberedPort{}
	if h != nil {
		p.uid, p.source, remembered = h.rec.UID, h.rec.Recipe, h.rec.Ports
	} else {
		p.uid = newRecord(r, time.Now()).UID
	}
	picker := portPicker{remembered: remembered,
		busy:  func(portfwd.Forward) string { return "" },
		check: func(portfwd.Forward) error { return nil },
		free:  portfwd.Free}
	if p.forwards, err = picker.pick(r.Ports); err != nil {
		return plan{}, err
	}
	if p.dns, err = m.dns(); err != nil {
		return plan{}, err
	}
	if m.Runtime != nil {
		p.cgroup, err = m.Runtime.CgroupParent(ctx, sandboxNamespace)
	}
	return p, err
}
