package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"vmctl/internal/hint"
	"vmctl/internal/machine"
	"vmctl/internal/viewer"
)

func newView(t *terminal) *cobra.Command {
	var urlOnly bool
	cmd := &cobra.Command{
		Use:   "view NAME",
		Short: "Open a machine's screen in the browser",
		Long: `Opens the machine's web viewer in the browser, or prints its address where there is
none. The viewer also shows the progress of an installation. It has no password
unless the recipe sets PROTECT, and listens on this host only.`,
		Example: "  vmctl view windows-11\n  chromium \"$(vmctl view --url windows-11)\"",
		Args:    exactly(1, "one machine"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runView(cmd.Context(), t, args[0], urlOnly)
		},
		ValidArgsFunction: t.completeMachine,
	}
	cmd.Flags().BoolVar(&urlOnly, "url", false, "only print the address")
	return cmd
}

func runView(ctx context.Context, t *terminal, name string, urlOnly bool) error {
	m, err := t.machines(ctx)
	if err != nil {
		return err
	}
	mc, err := m.Show(ctx, name)
	if err != nil {
		return err
	}
	url := mc.ViewerURL()
	switch {
	case !mc.Phase.Up():
		return hint.With(fmt.Errorf("view %q: %w: it is %s", name, machine.ErrPhase, mc.Phase), "start it with: vmctl up %s", name)
	case url == "" && mc.Address == "":
		return fmt.Errorf("view %q: its recipe forwards no port to the viewer (guest port %d)", name, viewerGuestPort)
	case url == "":
		url = fmt.Sprintf("http://%s:%d/", mc.Address, viewerGuestPort)
	}
	if !urlOnly {
		err := viewer.OpenBrowser(url)
		if err != nil && !errors.Is(err, viewer.ErrNoBrowser) {
			t.note("%v", err)
		}
	}
	_, err = fmt.Fprintln(t.Out, url)
	return err
}
