package cli

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"vmctl/internal/machine"
)

func newShow(t *terminal) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "show NAME",
		Aliases: []string{"inspect"},
		Short:   "Show all there is to know about a machine",
		Long: `Prints a machine's phase, what it was made from, its ports, and where its files are.
For one that failed it says why, and what to do about it. Nothing is changed.`,
		Example: "  vmctl show windows-11\n  vmctl show --json windows-11 | jq -r .viewer_url",
		Args:    exactly(1, "one machine"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runShow(cmd.Context(), t, args[0])
		},
		ValidArgsFunction: t.completeMachine,
	}
	t.jsonFlag(cmd)
	return cmd
}

func runShow(ctx context.Context, t *terminal, name string) error {
	m, err := t.machines(ctx)
	if err != nil {
		return err
	}
	mc, err := m.Show(ctx, name)
	if err != nil {
		return err
	}
	mc = withRungs(ctx, m, mc)
	if t.json {
		return t.printJSON(toJSON(mc))
	}
	w := tabwriter.NewWriter(t.Out, 0, 4, 2, ' ', 0)
	for _, line := range showLines(mc) {
		if line[1] == "" {
			continue
		}
		if _, err := fmt.Fprintf(w, "%s\t%s\n", line[0], line[1]); err != nil {
			return err
		}
	}
	return w.Flush()
}

func showLines(mc machine.Machine) [][2]string {
	phase := phaseText(mc)
	if mc.Progress != "" {
		phase += ": " + mc.Progress
	}
	lines := [][2]string{
		{"name", mc.Name}, {"phase", phase}, {"reason", mc.Reason}, {"fix", mc.Fix},
		{"summary", mc.Summary}, {"guest", string(mc.Guest)}, {"image", mc.Image}, {"runs on", mc.RunsOn},
		{"cpus", mc.CPUs}, {"memory", mc.Memory}, {"disk", mc.Disk},
	}
	if mc.Phase.Up() {
		lines = append(lines, [2]string{"viewer", mc.ViewerURL()})
	}
	for _, f := range mc.Forwards {
		text := portText(f)
		if mc.Phase.Up() && f.Via != "" {
			text += " by " + string(f.Via)
		}
		if mc.Phase.Up() && f.Why != "" {
			text += ": " + f.Why
		}
		if exposure := mc.Exposure(f); exposure != "" {
			text += "; " + exposure
		}
		lines = append(lines, [2]string{"port " + dash(f.Name), text})
	}
	installed := "no"
	if mc.Installed {
		installed = "yes"
	}
	protected := ""
	if mc.Protected {
		protected = "yes"
	}
	return append(lines, [][2]string{
		{"address", mc.Address}, {"installed", installed}, {"protected", protected},
		{"created", when(mc.CreatedAt)}, {"started", when(mc.StartedAt)},
		{"uid", mc.UID}, {"sandbox", mc.SandboxID}, {"container", mc.ContainerID},
		{"directory", mc.Directory}, {"storage", mc.Storage}, {"log", mc.Log},
	}...)
}

func when(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.Local().Format(time.DateTime)
}

func percent(p float64) string { return strings.TrimSuffix(fmt.Sprintf("%.1f", p), ".0") + "%" }
