package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
)

func newProtect(t *terminal) *cobra.Command {
	return &cobra.Command{
		Use:   "protect NAME...",
		Short: "Keep machines from being deleted",
		Long: `A protected machine is not deleted, and its disk is not given up with --reinstall (exit
code 7), until vmctl unprotect.`,
		Example: "  vmctl protect windows-11",
		Args:    atLeastOne("machine"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runProtect(cmd.Context(), t, args, true)
		},
		ValidArgsFunction: t.completeMachines,
	}
}

func newUnprotect(t *terminal) *cobra.Command {
	return &cobra.Command{
		Use:     "unprotect NAME...",
		Short:   "Let protected machines be deleted again",
		Long:    "Ends what vmctl protect has begun.",
		Example: "  vmctl unprotect windows-11",
		Args:    atLeastOne("machine"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runProtect(cmd.Context(), t, args, false)
		},
		ValidArgsFunction: t.completeMachines,
	}
}

func runProtect(ctx context.Context, t *terminal, names []string, protected bool) error {
	a, err := t.app()
	if err != nil {
		return err
	}
	word := map[bool]string{true: "protected", false: "not protected"}[protected]
	for _, name := range names {
		p := t.newProgress()
		err := a.Offline().Protect(ctx, name, protected, p.report)
		p.close()
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(t.Out, "%s is %s\n", name, word); err != nil {
			return err
		}
	}
	return nil
}
