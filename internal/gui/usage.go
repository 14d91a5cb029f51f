package gui

import (
	"context"
	"fmt"
	"strings"

	"github.com/docker/go-units"

	"vmctl/internal/machine"
)

// Measure returns what each of the machines uses, in their order. Rates are between two
// calls of the same one.
type Measure func(ctx context.Context, machines []machine.Machine) ([]machine.Usage, error)

// measureEvery is how many looks at the machines come to one measurement: the runtime is
// asked for each machine that is up.
const measureEvery = 3

// meter measures now and then. It is used where the machines are looked at, and only there.
type meter struct {
	engine  Engine
	measure Measure // nil until there is a runtime, and anew after it has failed
	looks   int
}

// look measures the machines that are up, when it is time to; else ok is false.
func (x *meter) look(ctx context.Context, machines []machine.Machine) (usage map[string]machine.Usage, ok bool) {
	x.looks++
	if x.looks%measureEvery != 1 {
		return nil, false
	}
	var up []machine.Machine
	for _, m := range machines {
		if m.Phase.Up() && !m.Orphan() {
			up = append(up, m)
		}
	}
	usage = map[string]machine.Usage{}
	if len(up) == 0 {
		return usage, true
	}
	var err error
	if x.measure == nil {
		if x.measure, err = x.engine.Meter(ctx); err != nil {
			return usage, true
		}
	}
	measured, err := x.measure(ctx, up)
	if err != nil {
		x.measure = nil
		return usage, true
	}
	for i, m := range up {
		usage[m.Name] = measured[i]
	}
	return usage, true
}

// usageText is what a machine uses now, as far as that is known.
func usageText(u machine.Usage, known bool) string {
	if !known {
		return ""
	}
	var parts []string
	if u.CPU >= 0 {
		parts = append(parts, fmt.Sprintf("%.0f %% of a core", u.CPU))
	}
	if u.Memory >= 0 {
		parts = append(parts, units.BytesSize(float64(u.Memory))+" memory")
	}
	if u.DiskUsed >= 0 {
		parts = append(parts, units.BytesSize(float64(u.DiskUsed))+" disk")
	}
	return strings.Join(parts, " · ")
}
