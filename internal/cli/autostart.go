package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"vmctl/internal/app"
	"vmctl/internal/autostart"
	"vmctl/internal/hint"
	"vmctl/internal/machine"
	"vmctl/internal/recipe"
)

// jsonAutostart is a machine with its unit, as --json prints it.
type jsonAutostart struct {
	Name    string `json:"name"`
	Wanted  bool   `json:"wanted"` // by the recipe: lifecycle.autostart
	Enabled string `json:"enabled,omitempty"`
	Unit    string `json:"unit,omitempty"`
}

func newAutostart(t *terminal) *cobra.Command {
	var system bool
	enable := &cobra.Command{
		Use:   "enable [NAME...]",
		Short: "Start machines with the host",
		Long: `Writes a systemd unit for each machine, which runs "vmctl up --foreground NAME", and
enables it; it is not started now. Without NAME, all machines whose recipe says
lifecycle.autostart = true. The units are the user's, or with --system, as root, the
system's. Units of the user start with the first login, or with the host after:
loginctl enable-linger`,
		Example: "  vmctl autostart enable windows-11\n  systemctl --user start vmctl-windows-11",
		RunE: func(cmd *cobra.Command, args []string) error {
			return runAutostartEnable(cmd.Context(), t, args, system)
		},
		ValidArgsFunction: t.completeMachines,
	}
	disable := &cobra.Command{
		Use:     "disable NAME...",
		Short:   "Do not start machines with the host any more",
		Long:    "Takes the machines' systemd units away. A machine that runs goes on.",
		Example: "  vmctl autostart disable windows-11",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runAutostartDisable(cmd.Context(), t, args, system)
		},
		ValidArgsFunction: t.completeMachines,
	}
	for _, cmd := range []*cobra.Command{enable, disable} {
		cmd.Flags().BoolVar(&system, "system", false, "the system's units, not the user's")
	}
	ls := &cobra.Command{
		Use:   "ls",
		Short: "List which machines start with the host",
		Long: `Lists the machines, whether their recipe says lifecycle.autostart, and the unit that
starts them.`,
		Example: "  vmctl autostart ls",
		Args:    exactly(0, "no arguments"),
		RunE:    func(*cobra.Command, []string) error { return runAutostartLs(t) },
	}
	t.jsonFlag(ls)
	return group("autostart", "Start machines with the host, through systemd", enable, disable, ls)
}

func runAutostartEnable(ctx context.Context, t *terminal, names []string, system bool) error {
	a, err := t.app()
	if err != nil {
		return err
	}
	m := a.Offline()
	if len(names) == 0 {
		if names, err = wantAutostart(a, m); err != nil {
			return err
		}
	}
	if os.Geteuid() != 0 && system {
		return hint.With(usageError{errors.New("the system's units are root's")}, "sudo vmctl autostart enable --system; or leave --system out")
	}
	for _, name := range names {
		r, err := m.Recipe(name)
		if err != nil {
			return hint.With(err, "see the machines with: vmctl ls")
		}
		u, err := t.unit(ctx, a, name, r, system)
		if err != nil {
			return err
		}
		if err := u.Enable(ctx); err != nil {
			return fmt.Errorf("autostart %q: %w", name, err)
		}
		fmt.Fprintln(t.Out, u.Path())
	}
	return nil
}

// unit is a machine's unit. It says what this command found in its own environment, for
// the unit's will be empty.
func (t *terminal) unit(ctx context.Context, a *app.App, name string, r *recipe.Recipe, system bool) (autostart.Unit, error) {
	program, err := os.Executable()
	if err != nil {
		return autostart.Unit{}, err
	}
	if program, err = filepath.EvalSymlinks(program); err != nil {
		return autostart.Unit{}, err
	}
	u := autostart.Unit{Machine: name, System: system, Program: program, Grace: r.Lifecycle.StopGrace}
	for _, variable := range []string{"HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "PATH"} {
		if value := t.Getenv(variable); value != "" && (variable != "HOME" || system) {
			u.Environment = append(u.Environment, variable+"="+value)
		}
	}
	if client, _, err := a.Runtime(ctx); err == nil {
		u.Environment = append(u.Environment, "VMCTL_RUNTIME_ENDPOINT="+client.Endpoint())
	}
	return u, nil
}

// wantAutostart are the machines whose recipe says so.
func wantAutostart(a *app.App, m *machine.Manager) ([]string, error) {
	all, err := a.Store().List()
	if err != nil {
		return nil, err
	}
	var names []string
	for _, name := range all {
		if r, err := m.Recipe(name); err == nil && r.Lifecycle.Autostart {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil, hint.With(usageError{errors.New("no machine's recipe says lifecycle.autostart = true")}, "name the machine: vmctl autostart enable NAME")
	}
	return names, nil
}

func runAutostartDisable(ctx context.Context, t *terminal, names []string, system bool) error {
	for _, name := range names {
		u := autostart.Unit{Machine: name, System: system}
		done, err := u.Disable(ctx)
		if err != nil {
			return fmt.Errorf("autostart %q: %w", name, err)
		}
		if !done {
			t.note("note: %s was not enabled", name)
		}
	}
	return nil
}

func runAutostartLs(t *terminal) error {
	a, err := t.app()
	if err != nil {
		return err
	}
	names, err := a.Store().List()
	if err != nil {
		return err
	}
	list := make([]jsonAutostart, 0, len(names))
	for _, name := range names {
		row := jsonAutostart{Name: name}
		if r, err := a.Offline().Recipe(name); err == nil {
			row.Wanted = r.Lifecycle.Autostart
		}
		for _, u := range []autostart.Unit{{Machine: name}, {Machine: name, System: true}} {
			if on, err := u.Enabled(); on && err == nil {
				row.Unit, row.Enabled = u.Path(), map[bool]string{false: "user", true: "system"}[u.System]
			}
		}
		list = append(list, row)
	}
	if t.json {
		return t.printJSON(list)
	}
	rows := make([][]string, 0, len(list))
	for _, row := range list {
		wanted := map[bool]string{true: "autostart"}[row.Wanted]
		rows = append(rows, []string{row.Name, dash(wanted), dash(row.Enabled), dash(row.Unit)})
	}
	return t.printTable([]string{"NAME", "RECIPE SAYS", "ENABLED", "UNIT"}, rows)
}

// forgetUnit takes the unit of a machine that is gone away, as far as this user may, and
// tells whether there was one.
func (t *terminal) forgetUnit(ctx context.Context, name string) (was bool) {
	for _, u := range []autostart.Unit{{Machine: name}, {Machine: name, System: true}} {
		if on, err := u.Enabled(); err != nil || !on {
			continue
		}
		was = true
		if _, err := u.Disable(ctx); err != nil {
			t.note("note: its unit %s is left: %v", u.Path(), err)
		}
	}
	return was
}
