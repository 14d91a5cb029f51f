package gui

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"vmctl/internal/cri"
	"vmctl/internal/machine"
	"vmctl/internal/recipe"
	"vmctl/internal/storage"
)

// Live is the Engine of the running program.
type Live struct {
	// Connect returns a manager with a runtime; it is called for every request, so
	// that a runtime that comes (back) later is found.
	Connect func(context.Context) (*machine.Manager, error)
	// Offline returns a manager for what needs no runtime.
	Offline func() *machine.Manager
	// Catalog returns the recipes, read anew.
	Catalog func() *recipe.Catalog
	// Browse opens an address in the user's browser.
	Browse func(url string) error
}

var _ Engine = Live{}

// List implements Engine.
func (l Live) List(ctx context.Context) ([]machine.Machine, error) {
	m, err := l.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return m.List(ctx)
}

// Up implements Engine.
func (l Live) Up(ctx context.Context, p Plan, o machine.StartOptions, report machine.Reporter) error {
	r, err := l.recipe(p)
	if err != nil {
		return err
	}
	m, err := l.Connect(ctx)
	if err != nil {
		return err
	}
	_, err = m.Up(ctx, p.Name, r, o, report)
	return err
}

// Start implements Engine.
func (l Live) Start(ctx context.Context, name string, o machine.StartOptions, report machine.Reporter) error {
	m, err := l.Connect(ctx)
	if err != nil {
		return err
	}
	_, err = m.Start(ctx, name, o, report)
	return err
}

// Stop implements Engine.
func (l Live) Stop(ctx context.Context, name string, report machine.Reporter) error {
	m, err := l.Connect(ctx)
	if err != nil {
		return err
	}
	return m.Stop(ctx, name, machine.StopOptions{}, report)
}

// Restart implements Engine.
func (l Live) Restart(ctx context.Context, name string, o machine.StartOptions, report machine.Reporter) error {
	m, err := l.Connect(ctx)
	if err != nil {
		return err
	}
	_, err = m.Restart(ctx, name, machine.StopOptions{}, o, report)
	return err
}

// Delete implements Engine.
func (l Live) Delete(ctx context.Context, name string, o machine.DeleteOptions, report machine.Reporter) error {
	m, err := l.Connect(ctx)
	if err != nil {
		return err
	}
	return m.Delete(ctx, name, o, report)
}

// Inventory implements Engine.
func (l Live) Inventory(_ context.Context, name string) ([]storage.Item, error) {
	return l.Offline().Inventory(name)
}

// Logs implements Engine.
func (l Live) Logs(ctx context.Context, name string, last int, line func(string) error) error {
	m, err := l.Connect(ctx)
	if err != nil {
		return err
	}
	return m.Logs(ctx, name, cri.LogOptions{Follow: true, Tail: last}, func(l cri.LogLine) error {
		return line(l.Text)
	})
}

// Recipes implements Engine.
func (l Live) Recipes() []recipe.Entry { return l.Catalog().List() }

// Draft implements Engine.
func (l Live) Draft(recipeName string) (Plan, error) {
	r, err := l.Catalog().Get(recipeName)
	if err != nil {
		return Plan{}, err
	}
	p := Plan{
		Recipe: recipeName,
		System: r.System(),
		Name:   r.Name,
		CPUs:   r.Resources.CPUs.String(),
		Memory: r.Resources.Memory.String(),
		Disk:   r.Resources.Disk.String(),
	}
	if p.Name == "" {
		p.Name = recipeName
	}
	return p, nil
}

// Check implements Engine.
func (l Live) Check(p Plan, f Field) error {
	if f == FieldName {
		return storage.ValidName(p.Name)
	}
	r, err := l.Catalog().Get(p.Recipe)
	if err != nil {
		return err
	}
	return short(recipe.SetField(r, string(f), p.Value(f)))
}

// ChangeRecipe implements Engine.
func (l Live) ChangeRecipe(recipeName string, changes map[Field]string) error {
	_, err := l.Catalog().Change(recipeName, func(d *recipe.Document) error {
		for _, f := range slices.Sorted(maps.Keys(changes)) {
			if changes[f] == "" {
				if err := d.Unset(string(f)); err != nil {
					return err
				}
				continue
			}
			if err := d.Set(string(f), changes[f]); err != nil {
				return err
			}
		}
		return nil
	})
	return err
}

// OpenViewer implements Engine.
func (l Live) OpenViewer(url string) error { return l.Browse(url) }

// recipe reads the plan's recipe and puts the user's wishes into it.
func (l Live) recipe(p Plan) (*recipe.Recipe, error) {
	r, err := l.Catalog().Get(p.Recipe)
	if err != nil {
		return nil, err
	}
	for _, f := range []Field{FieldCPUs, FieldMemory, FieldDisk} {
		if err := recipe.SetField(r, string(f), p.Value(f)); err != nil {
			return nil, fmt.Errorf("%s: %w", f, err)
		}
	}
	return r, nil
}

// short leaves out where a problem is: the user looks at the field.
func short(err error) error {
	var problems recipe.Problems
	if errors.As(err, &problems) && len(problems) > 0 {
		return errors.New(problems[0].Message)
	}
	return err
}
