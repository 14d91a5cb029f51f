package recipe

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"vmctl/internal/hint"
)

// ErrUnknown is returned for a recipe name that the catalog does not have.
var ErrUnknown = errors.New("unknown recipe")

// Catalog is the recipes known by name: those of the user's folders, then the
// bundled ones. A user's recipe hides a bundled one of its name.
type Catalog struct {
	bundled  fs.FS
	userDirs []string
}

// Entry is a line of the catalog.
type Entry struct {
	Name    string // the file's name without ".toml"
	Summary string
	Guest   Guest
	System  Version // what its image installs; the zero value where that is not known
	Source  string  // file path or "bundled:NAME"
	Err     error   // why it cannot be used; Summary and Guest are empty then
}

// Bundled tells whether the recipe comes with vmctl.
func (e Entry) Bundled() bool { return strings.HasPrefix(e.Source, bundledPrefix) }

const extension = ".toml"

// NewCatalog makes a catalog of the *.toml files at the top of bundled and of
// userDirs; earlier folders hide later ones. A folder that is not there is empty.
func NewCatalog(bundled fs.FS, userDirs ...string) *Catalog {
	return &Catalog{bundled: bundled, userDirs: userDirs}
}

// List returns all recipes sorted by name, broken ones included, and an entry for
// each folder that cannot be read.
func (c *Catalog) List() []Entry {
	var entries []Entry
	sources, errs := c.sources()
	for _, name := range sortedKeys(sources) {
		e := Entry{Name: name, Source: sources[name]}
		r, err := c.read(e.Source)
		if err != nil {
			e.Err = err
		} else {
			e.Summary, e.Guest, e.System = r.Summary, r.Guest, r.System()
		}
		entries = append(entries, e)
	}
	for _, dir := range sortedKeys(errs) {
		entries = append(entries, Entry{Name: filepath.Base(dir), Source: dir, Err: errs[dir]})
	}
	return entries
}

// Get returns the recipe of that name, checked as Load does. An unknown name is
// ErrUnknown with a hint of the nearest names; a broken recipe is Problems.
func (c *Catalog) Get(name string) (*Recipe, error) {
	sources, _ := c.sources()
	source, ok := sources[name]
	if ok {
		return c.read(source)
	}
	return nil, unknown(name, sortedKeys(sources))
}

// unknown is ErrUnknown with a hint of what there is.
func unknown(name string, names []string) error {
	err := fmt.Errorf("%w: %q", ErrUnknown, name)
	near := nearest(name, names)
	switch {
	case len(near) > 0:
		return hint.With(err, "did you mean %s?", strings.Join(near[:min(3, len(near))], ", "))
	case len(names) > 0:
		return hint.With(err, "the recipes are %s", strings.Join(names, ", "))
	}
	return err
}

// sources returns where each recipe is, and the folders that cannot be read.
func (c *Catalog) sources() (map[string]string, map[string]error) {
	sources, errs := map[string]string{}, map[string]error{}
	if c.bundled != nil {
		files, err := fs.Glob(c.bundled, "*"+extension)
		if err != nil {
			errs[bundledPrefix] = err
		}
		for _, f := range files {
			name := strings.TrimSuffix(f, extension)
			sources[name] = bundledPrefix + name
		}
	}
	for _, dir := range slices.Backward(c.userDirs) {
		files, err := os.ReadDir(dir)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs[dir] = err
		}
		for _, f := range files {
			if name, ok := strings.CutSuffix(f.Name(), extension); ok && name != "" && !f.IsDir() {
				sources[name] = filepath.Join(dir, f.Name())
			}
		}
	}
	return sources, errs
}

// Load reads the recipe in a file as Parse does, follows what it extends, and looks
// whether the paths that it names are there, as CheckPaths does. An unreadable file
// is an *fs.PathError.
func (c *Catalog) Load(path string) (*Recipe, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return c.finish(data, path)
}

// LoadAnywhere is Load without a look at the paths that the recipe names.
func (c *Catalog) LoadAnywhere(path string) (*Recipe, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	r, d, err := parse(data, path, c)
	if err != nil {
		return nil, err
	}
	if err := d.sorted().err(); err != nil {
		return nil, err
	}
	return r, nil
}

func (c *Catalog) read(source string) (*Recipe, error) {
	if !strings.HasPrefix(source, bundledPrefix) {
		return c.Load(source)
	}
	data, err := c.open(source)
	if err != nil {
		return nil, err
	}
	return c.finish(data, source)
}

func (c *Catalog) finish(data []byte, source string) (*Recipe, error) {
	r, d, err := parse(data, source, c)
	if err != nil {
		return nil, err
	}
	d.checkPaths(r)
	if err := d.sorted().err(); err != nil {
		return nil, err
	}
	return r, nil
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
