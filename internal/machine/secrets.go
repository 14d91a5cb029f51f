package machine

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"

	"vmctl/internal/cri"
	"vmctl/internal/recipe"
	"vmctl/internal/secret"
)

// fetchSecrets gets the values that the recipe keeps elsewhere, in the order of their
// names. They go into the container's environment and nowhere else.
func (m *Manager) fetchSecrets(ctx context.Context, r *recipe.Recipe, report Reporter) ([]cri.EnvVar, error) {
	getenv := m.Getenv
	if getenv == nil {
		getenv = os.Getenv
	}
	var out []cri.EnvVar
	for _, name := range slices.Sorted(maps.Keys(r.Secrets)) {
		s := r.Secrets[name]
		value, err := secret.Fetch(ctx, secret.Source(s), getenv)
		if err != nil {
			return nil, fmt.Errorf("secret %s (%s): %w", name, s, err)
		}
		if s.File != "" && secret.Exposed(s.File) {
			report.note(fmt.Sprintf("the file of secret %s can be read by others; close it: chmod 600 %s", name, s.File))
		}
		out = append(out, cri.EnvVar{Name: name, Value: value})
	}
	return out, nil
}

// hideSecrets stands for the values where they are not to be seen.
func hideSecrets(r *recipe.Recipe) []cri.EnvVar {
	var out []cri.EnvVar
	for _, name := range slices.Sorted(maps.Keys(r.Secrets)) {
		out = append(out, cri.EnvVar{Name: name, Value: "(secret: " + r.Secrets[name].String() + ")"})
	}
	return out
}
