package machine

import "vmctl/internal/recipe"

// Recipe returns the recipe that a machine was made from, as it was frozen then. Its
// Source is where it came from: a file, or "bundled:NAME". The runtime is not asked.
func (m *Manager) Recipe(name string) (*recipe.Recipe, error) {
	h, err := m.open(name)
	if err != nil {
		return nil, err
	}
	r := *h.recipe
	r.Source = h.rec.Recipe
	return &r, nil
}
