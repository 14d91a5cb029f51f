package recipe

import (
	"fmt"
	"path/filepath"
	"strings"
)

// bundledPrefix begins the Source of a recipe that is not a file.
const bundledPrefix = "bundled:"

// Parse reads a recipe strictly and fills in what it leaves open. name is the file
// it came from, "bundled:NAME", or "" where there is none: it appears in problems and
// in Source, and relative paths begin at its directory. The error is Problems: all
// that is wrong, in the order of the file. The file system is not looked at, so the
// recipe cannot extend another one: see Load.
func Parse(data []byte, name string) (*Recipe, error) {
	r, d, err := parse(data, name, nil)
	if err != nil {
		return nil, err
	}
	if err := d.sorted().err(); err != nil {
		return nil, err
	}
	return r, nil
}

// Load is Catalog.Load with an empty catalog: the recipe may extend other files, but
// no recipe by name.
func Load(path string) (*Recipe, error) { return NewCatalog(nil).Load(path) }

// parse returns the recipe with the reader that has its problems; an error means
// that there is no recipe at all. Without a catalog nothing is extended.
func parse(data []byte, name string, c *Catalog) (*Recipe, *reader, error) {
	r := &Recipe{Source: name, Env: map[string]string{}}
	if name != "" && !strings.HasPrefix(name, bundledPrefix) {
		absolute, err := filepath.Abs(name)
		if err != nil {
			return nil, nil, fmt.Errorf("directory of %q: %w", name, err)
		}
		r.Source = absolute
	}
	tree, problems := parseTree(data, name)
	if c != nil && len(problems) == 0 {
		tree, problems = c.extend(tree, []string{r.Source})
	}
	if len(problems) > 0 {
		return nil, nil, problems
	}
	d := &reader{file: name, places: map[string]position{}}
	d.readTable("", tree, recipeFields(r))
	d.complete(r)
	d.check(r)
	return r, d, nil
}
