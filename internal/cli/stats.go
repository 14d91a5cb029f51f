package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/docker/go-units"
	"github.com/spf13/cobra"

	"vmctl/internal/machine"
)

type statsOptions struct {
	follow bool
	every  time.Duration
}

// jsonUsage is what a machine uses as --json prints it. What is not known is left out.
type jsonUsage struct {
	Machine    string    `json:"machine"`
	Phase      string    `json:"phase"`
	Time       time.Time `json:"time"`
	CPUPercent *float64  `json:"cpu_percent,omitempty"` // of one core
	Memory     *int64    `json:"memory_bytes,omitempty"`
	DiskSize   *int64    `json:"disk_size_bytes,omitempty"`
	DiskUsed   *int64    `json:"disk_used_bytes,omitempty"`
	NetIn      *int64    `json:"net_in_bytes,omitempty"`
	NetOut     *int64    `json:"net_out_bytes,omitempty"`
	NetInRate  *float64  `json:"net_in_bytes_per_second,omitempty"`
	NetOutRate *float64  `json:"net_out_bytes_per_second,omitempty"`
}

func newStats(t *terminal) *cobra.Command {
	var o statsOptions
	cmd := &cobra.Command{
		Use:   "stats [NAME...]",
		Short: "Show what machines use: CPU, memory, disk, network",
		Long: `Shows what machines use; without a NAME, all that are up. CPU is in percent of one core,
measured over a second. MEMORY is what QEMU has in use, of what the guest may have; DISK
what the guest's disks take on this host, of what the guest sees. NET is what went into
and out of the pod since its start, and the rates of now. "-" is what the runtime does
not tell.

With --follow it measures until Ctrl-C; with --json as well it prints an object a line.`,
		Example: "  vmctl stats\n  vmctl stats windows-11 --follow --every 5s\n  vmctl stats --follow --json | jq -r 'select(.cpu_percent > 90) | .machine'",
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.run(cmd.Context(), t, args)
		},
		ValidArgsFunction: t.completeMachines,
	}
	cmd.Flags().BoolVarP(&o.follow, "follow", "f", false, "measure again and again, until Ctrl-C")
	cmd.Flags().DurationVar(&o.every, "every", time.Second, "`TIME` between two measurements, at least 100ms")
	t.jsonFlag(cmd)
	return cmd
}

func (o *statsOptions) run(ctx context.Context, t *terminal, names []string) error {
	if err := checkEvery(o.every); err != nil {
		return err
	}
	m, err := t.machines(ctx)
	if err != nil {
		return err
	}
	meter, redraw := m.NewMeter(), t.newRedraw()
	if _, _, err := measure(ctx, m, meter, names); err != nil { // rates need two samples
		return err
	}
	for o.follow || redraw.drawn == 0 {
		if err := wait(ctx, o.every); err != nil {
			return o.end(ctx, err)
		}
		list, usage, err := measure(ctx, m, meter, names)
		if err != nil {
			return o.end(ctx, err)
		}
		if err := o.print(t, redraw, list, usage); err != nil {
			return err
		}
	}
	return nil
}

// end is success for what only Ctrl-C ends.
func (o *statsOptions) end(ctx context.Context, err error) error {
	if !o.follow {
		return err
	}
	return untilInterrupted(ctx, err)
}

// measure looks at the machines of these names, or at all that are up.
func measure(ctx context.Context, m *machine.Manager, meter *machine.Meter, names []string) ([]machine.Machine, []machine.Usage, error) {
	var list []machine.Machine
	for _, name := range names {
		mc, err := m.Show(ctx, name)
		if err != nil {
			return nil, nil, err
		}
		list = append(list, mc)
	}
	if len(names) == 0 {
		all, err := m.List(ctx)
		if err != nil {
			return nil, nil, err
		}
		for _, mc := range all {
			if mc.Phase.Up() {
				list = append(list, mc)
			}
		}
	}
	usage, err := meter.Measure(ctx, list)
	return list, usage, err
}

func (o *statsOptions) print(t *terminal, r *redraw, list []machine.Machine, usage []machine.Usage) error {
	now := time.Now()
	if t.json {
		out := make([]jsonUsage, 0, len(list))
		for i, mc := range list {
			out = append(out, toJSONUsage(mc, usage[i], now))
		}
		r.drawn++
		if !o.follow {
			return t.printJSON(out)
		}
		for _, u := range out {
			if err := t.printJSONLine(u); err != nil {
				return err
			}
		}
		return nil
	}
	rows := make([][]string, 0, len(list))
	for i, mc := range list {
		rows = append(rows, statsRow(mc, usage[i]))
	}
	return r.table([]string{"NAME", "PHASE", "CPU", "MEMORY", "DISK", "NET IN", "NET OUT", "IN/S", "OUT/S"}, rows)
}

func statsRow(mc machine.Machine, u machine.Usage) []string {
	disk := bytesText(float64(u.DiskUsed))
	if u.DiskSize >= 0 {
		disk += " of " + bytesText(float64(u.DiskSize))
	}
	memory := bytesText(float64(u.Memory))
	if u.Memory >= 0 && mc.Memory != "" {
		memory += " of " + mc.Memory
	}
	return []string{mc.Name, phaseText(mc), cpuText(u.CPU), memory, disk,
		bytesText(float64(u.NetIn)), bytesText(float64(u.NetOut)), bytesText(u.NetInRate), bytesText(u.NetOutRate)}
}

// cpuText is a share of one core; above 100 where the guest has several.
func cpuText(percent float64) string {
	if percent < 0 {
		return "-"
	}
	return fmt.Sprintf("%.0f%%", percent)
}

// bytesText is an amount in binary units, "-" where it is not known.
func bytesText(n float64) string {
	if n < 0 {
		return "-"
	}
	return units.BytesSize(n)
}

func toJSONUsage(mc machine.Machine, u machine.Usage, now time.Time) jsonUsage {
	return jsonUsage{Machine: mc.Name, Phase: string(mc.Phase), Time: now, CPUPercent: known(u.CPU), Memory: known(u.Memory), DiskSize: known(u.DiskSize), DiskUsed: known(u.DiskUsed),
		NetIn: known(u.NetIn), NetOut: known(u.NetOut), NetInRate: known(u.NetInRate), NetOutRate: known(u.NetOutRate)}
}

// known is nil for what is below 0.
func known[T int64 | float64](n T) *T {
	if n < 0 {
		return nil
	}
	return &n
}
