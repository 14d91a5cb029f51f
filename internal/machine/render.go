package machine

import (
	"context"
	"fmt"

	"vmctl/internal/portfwd"
	"vmctl/internal/recipe"
)

// Render returns the pod and the container config of a machine as JSON that crictl
// reads unchanged. With a recipe it shows what a machine of that name would be;
// without one, what the existing machine is. The runtime need not answer: then the
// cgroup parent is left open, and ports are shown as the recipe wishes them.
//
// The recipe's secrets are fetched and shown only if reveal says so; else words stand
// in their place, and the guest would take those for its password.
func (m *Manager) Render(ctx context.Context, name string, r *recipe.Recipe, reveal bool) (podJSON, containerJSON []byte, err error) {
	p, _, err := m.renderPlan(ctx, name, r, "", portfwd.Free)
	if err == nil && reveal {
		p.secrets, err = m.fetchSecrets(ctx, p.recipe, nil)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("render %q: %w", name, err)
	}
	c, err := p.configs()
	if err != nil {
		return nil, nil, fmt.Errorf("render %q: %w", name, err)
	}
	if podJSON, err = c.Pod.MarshalCrictl(); err != nil {
		return nil, nil, err
	}
	containerJSON, err = c.Container.MarshalCrictl()
	return podJSON, containerJSON, err
}
