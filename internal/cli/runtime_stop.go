package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"vmctl/internal/app"
	"vmctl/internal/containerd"
	"vmctl/internal/hint"
	"vmctl/internal/machine"
)

func newRuntimeStop(t *terminal) *cobra.Command {
	return &cobra.Command{
		Use:   "stop",
		Short: "Shut down all machines on the private runtime, and end it",
		Long: `Shuts down every machine on the private runtime, other users' included, each with its
grace, then ends the runtime. Nothing of it stays but its images. If a guest does not
shut down, the runtime goes on. Stopping one that does not run is success.`,
		Example: "  sudo vmctl runtime stop",
		Args:    exactly(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runRuntimeStop(cmd.Context(), t)
		},
	}
}

func runRuntimeStop(ctx context.Context, t *terminal) error {
	a, err := t.app()
	if err != nil {
		return err
	}
	instance, err := a.Instance(containerd.Options{})
	if err != nil {
		return err
	}
	if err := instance.NeedRoot("stop"); err != nil {
		return err // before the machines are asked to stop
	}
	status, err := instance.Status(ctx)
	if err != nil {
		return err
	}
	if status.Leftovers && !status.Running { // only a daemon can shut down what one left
		if _, err := instance.Start(ctx); err != nil {
			return err
		}
	}
	if status.Running || status.Leftovers {
		if err := stopMachinesOn(ctx, t, instance); err != nil {
			return hint.With(fmt.Errorf("the private runtime goes on: %w", err),
				"stop that machine as its user, with --force if need be: vmctl --runtime-endpoint unix://%s stop NAME --force", instance.Socket())
		}
	}
	if err := instance.Stop(ctx); err != nil {
		return err
	}
	t.note("private runtime %q is stopped", instance.Name())
	return nil
}

// stopMachinesOn shuts down everybody's machines on one runtime, whichever endpoint
// the rest of the command line means.
func stopMachinesOn(ctx context.Context, t *terminal, instance *containerd.Instance) error {
	own, err := app.New(app.Options{Endpoint: "unix://" + instance.Socket(), Getenv: t.Getenv})
	if err != nil {
		return usageError{err}
	}
	defer own.Close()
	m, err := own.Machines(ctx)
	if err != nil {
		return err
	}
	p := t.newProgress()
	defer p.close()
	return m.StopAll(ctx, func(name string) {
		p.report(machine.Progress{Stage: machine.StageNote, Text: "shutting down machine " + name, Percent: -1})
	}, p.report)
}
