package cli

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"vmctl/internal/machine"
)

type lsOptions struct {
	watch bool
	every time.Duration
}

func newLs(t *terminal) *cobra.Command {
	var o lsOptions
	cmd := &cobra.Command{
		Use:     "ls",
		Aliases: []string{"list", "ps"},
		Short:   "List machines with phase and ports",
		Long: `Lists this user's machines with their phase and the host ports that lead into them,
and sandboxes on the runtime that vmctl made and no machine of this user owns
(orphans). Nothing is changed.

With --watch it does so again and again until Ctrl-C, with what the machines use, as
vmctl stats tells it, and by what the ports go. Where the output is no terminal, or with
--json, it prints all machines as one JSON array a line.`,
		Example: "  vmctl ls\n  vmctl ls --watch\n  vmctl ls --json | jq -r '.[] | select(.phase == \"Running\") | .name'",
		Args:    exactly(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case o.watch:
				return o.watchLs(cmd.Context(), t)
			case cmd.Flags().Changed("every"):
				return usageError{errors.New("--every goes with --watch")}
			}
			return runLs(cmd.Context(), t)
		},
	}
	cmd.Flags().BoolVarP(&o.watch, "watch", "w", false, "look again and again, until Ctrl-C")
	cmd.Flags().DurationVar(&o.every, "every", watchEvery, "`TIME` between two looks of --watch, at least 100ms")
	t.jsonFlag(cmd)
	return cmd
}

func runLs(ctx context.Context, t *terminal) error {
	m, err := t.machines(ctx)
	if err != nil {
		return err
	}
	list, err := m.List(ctx)
	if err != nil {
		return err
	}
	if t.json {
		out := make([]jsonMachine, 0, len(list))
		for _, mc := range list {
			out = append(out, toJSON(mc))
		}
		return t.printJSON(out)
	}
	rows := make([][]string, 0, len(list))
	for _, mc := range list {
		rows = append(rows, lsRow(mc, time.Now()))
	}
	return t.printTable([]string{"NAME", "PHASE", "GUEST", "CPUS", "MEMORY", "UP", "PORTS"}, rows)
}

func lsRow(mc machine.Machine, now time.Time) []string {
	up, ports := "-", "-"
	if mc.Phase.Up() {
		if !mc.StartedAt.IsZero() {
			up = age(now.Sub(mc.StartedAt))
		}
		var texts []string
		for _, f := range mc.Forwards {
			texts = append(texts, portText(f))
		}
		if len(texts) > 0 {
			ports = strings.Join(texts, " ")
		}
	}
	return []string{mc.Name, phaseText(mc), dash(string(mc.Guest)), dash(mc.CPUs), dash(mc.Memory), up, ports}
}

// phaseText is the phase with a word on how far it is.
func phaseText(mc machine.Machine) string {
	text := string(mc.Phase)
	if mc.Percent >= 0 && (mc.Phase == machine.Installing || mc.Phase == machine.Starting) {
		text += " " + percent(mc.Percent)
	}
	if mc.Paused {
		text += " (paused)"
	}
	if mc.Ephemeral {
		text += " (ephemeral)"
	}
	if mc.Orphan() {
		text += " (orphan)"
	}
	return text
}
