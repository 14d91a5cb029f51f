package machine

import (
	"fmt"
	"path"
	"slices"

	"vmctl/internal/hint"
	"vmctl/internal/recipe"
	"vmctl/internal/storage"
)

// elsewhereFolders are those of the machine's folders that the recipe put elsewhere than in
// its directory, as storage.Dir.Elsewhere takes them.
func (h *handle) elsewhereFolders() map[string]string {
	out := map[string]string{}
	if h.recipe.Storage.Path != "" {
		out[storage.StorageDir] = storagePath("", h.recipe)
	}
	for _, k := range h.recipe.Disks {
		if k.Path != "" {
			out[path.Join(storage.DisksDir, k.Name)] = h.diskPath(k)
		}
	}
	return out
}

// all is the machine's directory with all folders of its state, wherever they are.
func (h *handle) all() *storage.Dir { return h.dir.Elsewhere(h.elsewhereFolders()) }

// noDevices refuses to copy a machine that has a device of the host for a disk: a copy of
// its blocks would be as large as it is, and is not ours to make.
func (h *handle) noDevices(what string) error {
	for _, k := range h.recipe.Disks {
		if k.Device != "" {
			err := fmt.Errorf("%w: its disk %q is %s; vmctl can %s only what is in folders", ErrPhase, k.Name, k.Device, what)
			return hint.With(err, "take it out first: vmctl unset %s disks.%s", h.name, k.Name)
		}
	}
	return nil
}

// atHome is a recipe for a machine with all its folders in its own directory, and whether
// that is another one.
func atHome(r *recipe.Recipe) (home *recipe.Recipe, changed bool) {
	c := *r
	changed = c.Storage.Path != ""
	c.Storage.Path = ""
	c.Disks = slices.Clone(r.Disks)
	for i := range c.Disks {
		changed = changed || c.Disks[i].Path != ""
		c.Disks[i].Path = ""
	}
	return &c, changed
}
