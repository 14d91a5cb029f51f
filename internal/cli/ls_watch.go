package cli

import (
	"context"
	"errors"
	"strings"
	"time"

	"vmctl/internal/cri"
	"vmctl/internal/machine"
)

// watchEvery is how often ls --watch looks.
const watchEvery = 2 * time.Second

// jsonWatched is a machine as ls --watch --json prints it.
type jsonWatched struct {
	jsonMachine
	Usage jsonUsage `json:"usage"`
}

// watchLs prints the list again and again, with what the machines use, until ctx ends.
func (o *lsOptions) watchLs(ctx context.Context, t *terminal) error {
	if err := checkEvery(o.every); err != nil {
		return err
	}
	m, err := t.machines(ctx)
	if err != nil {
		return err
	}
	meter, redraw, seen := m.NewMeter(), t.newRedraw(), false
	for {
		list, err := m.List(ctx)
		var usage []machine.Usage
		if err == nil {
			usage, err = meter.Measure(ctx, list)
		}
		switch {
		case err == nil:
			err, seen = printWatched(t, redraw, watched(ctx, m, list), usage), true
		case errors.Is(err, cri.ErrUnavailable) && seen:
			err = nil // it is being restarted, perhaps: what was seen last stays
		}
		if err == nil {
			err = wait(ctx, o.every)
		}
		if err != nil {
			return untilInterrupted(ctx, err)
		}
	}
}

// watched says in the machines by what their ports go.
func watched(ctx context.Context, m *machine.Manager, list []machine.Machine) []machine.Machine {
	for i, mc := range list {
		list[i] = withRungs(ctx, m, mc)
	}
	return list
}

// withRungs says in a machine that is up what its ports are at the moment: by what they
// go, and those that were added.
func withRungs(ctx context.Context, m *machine.Manager, mc machine.Machine) machine.Machine {
	if !mc.Phase.Up() {
		return mc
	}
	ports := m.PortsOf(ctx, mc)
	mc.Forwards = nil
	for _, p := range ports {
		mc.Forwards = append(mc.Forwards, p.Forward)
	}
	return mc
}

func printWatched(t *terminal, r *redraw, list []machine.Machine, usage []machine.Usage) error {
	now := time.Now()
	if t.json || r.fd < 0 {
		out := make([]jsonWatched, 0, len(list))
		for i, mc := range list {
			out = append(out, jsonWatched{toJSON(mc), toJSONUsage(mc, usage[i], now)})
		}
		return t.printJSONLine(out)
	}
	rows := make([][]string, 0, len(list))
	for i, mc := range list {
		row, u := lsRow(mc, now), usage[i]
		for _, f := range mc.Forwards {
			if f.Via.Ours() && mc.Phase.Up() {
				row[6] = strings.Replace(row[6], portText(f), portText(f)+"("+string(f.Via)+")", 1)
			}
		}
		rows = append(rows, []string{row[0], row[1], row[5], cpuText(u.CPU), bytesText(float64(u.Memory)), bytesText(u.NetInRate), bytesText(u.NetOutRate), row[6]})
	}
	return r.table([]string{"NAME", "PHASE", "UP", "CPU", "MEMORY", "IN/S", "OUT/S", "PORTS"}, rows)
}
