package gui

import (
	"context"

	"vmctl/internal/machine"
	"vmctl/internal/recipe"
	"vmctl/internal/storage"
)

// Engine is what the window asks for. Everything with a context may wait, and is
// called from goroutines, several at once; everything without one answers at once
// and is called on the UI thread. Errors may carry a hint (package hint), which the
// window shows below them.
//
// A context that ends stops the watching and nothing else: the machine goes on.
type Engine interface {
	Life

	// List returns all machines sorted by name. An error means that nothing is
	// known now; the window keeps showing the last list, greyed, and asks again.
	List(ctx context.Context) ([]machine.Machine, error)

	// Up makes the machine of the plan if it is not there and starts it; it
	// returns when the guest is ready.
	Up(ctx context.Context, p Plan, o machine.StartOptions, report machine.Reporter) error
	// Start starts a machine that exists, and returns when the guest is ready.
	// machine.ErrGuard asks for an answer in the options.
	Start(ctx context.Context, name string, o machine.StartOptions, report machine.Reporter) error
	// Stop shuts the guest down; it reports the seconds of grace that have gone
	// and that there are (machine.StageStop).
	Stop(ctx context.Context, name string, report machine.Reporter) error
	// Restart is Stop and then Start.
	Restart(ctx context.Context, name string, o machine.StartOptions, report machine.Reporter) error
	// Delete removes a machine that is stopped, its disks only when asked to.
	Delete(ctx context.Context, name string, o machine.DeleteOptions, report machine.Reporter) error
	// Inventory lists the files of a machine: what Delete may remove.
	Inventory(ctx context.Context, name string) ([]storage.Item, error)
	// Logs hands over the last lines of a machine's log and then each new one,
	// until ctx ends or no more can come.
	Logs(ctx context.Context, name string, last int, line func(string) error) error

	// Recipes returns the catalog sorted by name, broken recipes included.
	Recipes() []recipe.Entry
	// Draft returns what a recipe of the catalog proposes for a new machine.
	Draft(recipeName string) (Plan, error)
	// Check tells what is wrong with one field of a plan, shortly; nil is fine.
	Check(p Plan, f Field) error
	// ChangeRecipe writes the fields into the file of a recipe of the catalog; an empty
	// text takes the field's key out. A bundled recipe is extended by one of the user.
	// What would not be a right recipe is recipe.Problems, and nothing is changed.
	ChangeRecipe(recipeName string, changes map[Field]string) error
	// OpenViewer shows the address of a viewer in the user's browser.
	OpenViewer(url string) error
}

// Plan says which machine to make: a recipe of the catalog under a name, with the
// resources as the user wrote them ("4", "8G", "half").
type Plan struct {
	Recipe string
	System recipe.Version // what its image installs, as far as that is known
	Name   string
	CPUs   string
	Memory string
	Disk   string
}

// Field is one thing that the user fills in.
type Field string

// The fields of a Plan, and the summary of a recipe. All but the name are keys of the
// recipe.
const (
	FieldName    Field = "name"
	FieldCPUs    Field = "resources.cpus"
	FieldMemory  Field = "resources.memory"
	FieldDisk    Field = "resources.disk"
	FieldSummary Field = "summary"
)

// Value returns what the plan says for a field.
func (p Plan) Value(f Field) string {
	switch f {
	case FieldName:
		return p.Name
	case FieldCPUs:
		return p.CPUs
	case FieldMemory:
		return p.Memory
	case FieldDisk:
		return p.Disk
	}
	return ""
}

// set changes one field.
func (p *Plan) set(f Field, value string) {
	switch f {
	case FieldName:
		p.Name = value
	case FieldCPUs:
		p.CPUs = value
	case FieldMemory:
		p.Memory = value
	case FieldDisk:
		p.Disk = value
	}
}
