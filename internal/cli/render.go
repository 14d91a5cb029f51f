package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"vmctl/internal/machine"
	"vmctl/internal/recipe"
)

type renderOptions struct {
	overrides overrides
	dir       string
	reveal    bool
}

// The files that render writes, as the crictl documentation calls them.
const (
	podConfigFile       = "pod-config.json"
	containerConfigFile = "container-config.json"
)

func newRender(t *terminal) *cobra.Command {
	var o renderOptions
	cmd := &cobra.Command{
		Use:   "render [NAME|FILE]",
		Short: "Print the pod and container configs, as crictl reads them",
		Long: `Prints what vmctl would ask of the runtime: pod-config.json and container-config.json
in the form that crictl reads, one after the other, or as files with -o. For an
existing machine it is that machine's; for a recipe (its name, its file, or
./vmctl.toml), that of a machine yet to be made. No runtime is needed; without one
the cgroup parent is left out.

Where the recipe keeps a value as a secret, words stand in its place, unless --reveal
says to fetch and show it.`,
		Example: `  vmctl render windows-11 -o /tmp/win
  crictl runp /tmp/win/pod-config.json`,
		Args: atMostOne("one machine or recipe"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.run(cmd.Context(), t, first(args))
		},
		ValidArgsFunction: t.completeTargets,
	}
	o.overrides.flags(cmd)
	cmd.Flags().BoolVar(&o.reveal, "reveal", false, "fetch the recipe's secrets and show them")
	cmd.Flags().StringVarP(&o.dir, "output", "o", "", "write the two files into `DIR`")
	return cmd
}

func (o *renderOptions) run(ctx context.Context, t *terminal, arg string) error {
	a, err := t.app()
	if err != nil {
		return err
	}
	name, r, err := o.overrides.target(a, arg)
	if err != nil {
		return err
	}
	if _, openErr := a.Store().Open(name); openErr == nil && len(o.overrides.list()) == 0 {
		r = nil // the machine is what it was made from
	}
	m, err := a.Machines(ctx)
	if err != nil {
		t.note("no runtime: the cgroup parent is left out")
		m = a.Offline()
	}
	if !o.reveal && t.hasSecrets(m, name, r) {
		t.note("note: the secrets are left out; --reveal fetches and shows them")
	}
	pod, container, err := m.Render(ctx, name, r, o.reveal)
	if err != nil {
		return err
	}
	if o.dir == "" {
		_, err = fmt.Fprintf(t.Out, "%s\n%s\n", pod, container)
		return err
	}
	if err := os.MkdirAll(o.dir, 0o755); err != nil {
		return err
	}
	// The container's environment holds the guest's password.
	for file, data := range map[string][]byte{podConfigFile: pod, containerConfigFile: container} {
		if err := os.WriteFile(filepath.Join(o.dir, file), append(data, '\n'), 0o600); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(t.Out, "%s\n%s\n", filepath.Join(o.dir, podConfigFile), filepath.Join(o.dir, containerConfigFile))
	return err
}

// hasSecrets tells whether the recipe, or the machine's where there is none, has secrets.
func (t *terminal) hasSecrets(m *machine.Manager, name string, r *recipe.Recipe) bool {
	if r == nil {
		frozen, err := m.Recipe(name)
		if err != nil {
			return false
		}
		r = frozen
	}
	return len(r.Secrets) > 0
}
