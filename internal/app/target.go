package app

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"vmctl/internal/hint"
	"vmctl/internal/recipe"
	"vmctl/internal/storage"
)

// LocalRecipe is the file that a bare `vmctl up` reads, as compose reads its own.
const LocalRecipe = "vmctl.toml"

// Target finds what the user means by the argument of up, create and render.
//
//   - nothing: ./vmctl.toml, whose machine is named by its `name` key or else
//     after the directory
//   - something with a slash or ending in .toml: that file, named by its `name`
//     key or else after the file
//   - anything else: the recipe of that name, for a machine of the same name; or a
//     machine that exists without such a recipe, and then r is nil
//
// wanted is the name that the user gave the machine, or "" for the above. An
// unknown name is recipe.ErrUnknown.
func (a *App) Target(arg, wanted string) (name string, r *recipe.Recipe, err error) {
	if wanted != "" {
		if err := storage.ValidName(wanted); err != nil {
			return "", nil, err
		}
	}
	switch {
	case arg == "":
		return a.localTarget(wanted)
	case strings.Contains(arg, "/"), strings.HasSuffix(arg, ".toml"):
		return a.fileTarget(arg, wanted)
	}
	r, err = a.Catalog().Get(arg)
	if err == nil {
		return firstOf(wanted, r.Name, arg), r, nil
	}
	if _, openErr := a.Store().Open(arg); openErr == nil {
		if wanted != "" && wanted != arg {
			return "", nil, hint.With(err, "%q is a machine and no recipe; name the recipe that %q is to be made from", arg, wanted)
		}
		// A recipe that is broken now is no hindrance to a machine that has its own copy.
		return arg, nil, nil
	} else if errors.Is(err, recipe.ErrUnknown) && errors.Is(openErr, storage.ErrInvalidName) {
		return "", nil, hint.With(err, "see the recipes with: vmctl recipes")
	}
	return "", nil, err
}

func (a *App) localTarget(wanted string) (string, *recipe.Recipe, error) {
	r, err := a.Catalog().Load(LocalRecipe)
	if errors.Is(err, os.ErrNotExist) {
		return "", nil, hint.With(fmt.Errorf("no %s in this directory: %w", LocalRecipe, err),
			"name a recipe: vmctl up NAME; see them with: vmctl recipes")
	}
	if err != nil {
		return "", nil, err
	}
	dir, err := os.Getwd()
	if err != nil {
		return "", nil, err
	}
	return named(r, wanted, filepath.Base(dir))
}

func (a *App) fileTarget(path, wanted string) (string, *recipe.Recipe, error) {
	r, err := a.Catalog().Load(path)
	if errors.Is(err, os.ErrNotExist) && hint.Of(err) == "" {
		err = hint.With(err, "name a recipe instead of a file: see them with vmctl recipes")
	}
	if err != nil {
		return "", nil, err
	}
	return named(r, wanted, strings.TrimSuffix(filepath.Base(path), ".toml"))
}

// named gives the machine the recipe's own name, or else the file's, as far as
// that can name a machine.
func named(r *recipe.Recipe, wanted, fallback string) (string, *recipe.Recipe, error) {
	if name := firstOf(wanted, r.Name); name != "" {
		return name, r, nil
	}
	if err := storage.ValidName(fallback); err != nil {
		return "", nil, hint.With(err, "give the machine a name: add name = \"...\" to %s, or use --name", r.Source)
	}
	return fallback, r, nil
}
