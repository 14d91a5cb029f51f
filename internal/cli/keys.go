package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"vmctl/internal/machine"
)

type keysOptions struct{ text string }

func newKeys(t *terminal) *cobra.Command {
	var o keysOptions
	cmd := &cobra.Command{
		Use:   "keys NAME KEY...",
		Short: "Press keys on a guest's keyboard",
		Long: `Presses keys on a guest's keyboard, through QEMU's monitor: each KEY is one key, or
several joined by "-" that are pressed together, such as ctrl-alt-del. With --text it
types a text, after the keys; the guest must have a US keyboard then.`,
		Example: "  vmctl keys windows-11 ctrl-alt-del\n  vmctl keys demo ctrl-c --text 'ls -l'",
		Args:    atLeastOne("machine"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.run(cmd.Context(), t, args[0], args[1:])
		},
		ValidArgsFunction: func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
			if len(args) == 0 {
				return t.completeMachines(cmd, args, typed)
			}
			return completeKeys(typed), cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
		},
	}
	cmd.Flags().StringVar(&o.text, "text", "", "type `TEXT`")
	return cmd
}

func (o *keysOptions) run(ctx context.Context, t *terminal, name string, keys []string) error {
	if len(keys) == 0 && o.text == "" {
		return usageError{fmt.Errorf("vmctl keys takes a machine and keys, or --text")}
	}
	var chords []machine.Chord
	for _, key := range keys {
		c, err := machine.ParseChord(key)
		if err != nil {
			return usageError{err}
		}
		chords = append(chords, c)
	}
	typed, err := machine.ChordsOf(o.text)
	if err != nil {
		return usageError{err}
	}
	m, err := t.machines(ctx)
	if err != nil {
		return err
	}
	return m.SendKeys(ctx, name, append(chords, typed...)...)
}

// completeKeys offers the names of keys, for the last of those that are pressed together.
func completeKeys(typed string) []string {
	held := typed[:strings.LastIndexAny(typed, "-+")+1]
	out := []string{"ctrl-alt-del"}
	for _, name := range machine.KeyNames() {
		out = append(out, held+name)
	}
	return out
}
