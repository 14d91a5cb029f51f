package gui

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"

	"vmctl/internal/machine"
	"vmctl/internal/portfwd"
	"vmctl/internal/recipe"
	"vmctl/internal/storage"
)

// with does something with a manager that has a runtime.
func (l Live) with(ctx context.Context, do func(*machine.Manager) error) error {
	m, err := l.Connect(ctx)
	if err != nil {
		return err
	}
	return do(m)
}

// Meter implements Engine.
func (l Live) Meter(ctx context.Context) (measure Measure, err error) {
	err = l.with(ctx, func(m *machine.Manager) error {
		measure = m.NewMeter().Measure
		return nil
	})
	return measure, err
}

// PullPlug implements Engine.
func (l Live) PullPlug(ctx context.Context, name string, report machine.Reporter) error {
	return l.with(ctx, func(m *machine.Manager) error {
		return m.Stop(ctx, name, machine.StopOptions{Force: true}, report)
	})
}

// Pause implements Engine.
func (l Live) Pause(ctx context.Context, name string, report machine.Reporter) error {
	return l.with(ctx, func(m *machine.Manager) error { return m.Pause(ctx, name, report) })
}

// Resume implements Engine.
func (l Live) Resume(ctx context.Context, name string, report machine.Reporter) error {
	return l.with(ctx, func(m *machine.Manager) error { return m.Resume(ctx, name, report) })
}

// SendCtrlAltDel implements Engine.
func (l Live) SendCtrlAltDel(ctx context.Context, name string, _ machine.Reporter) error {
	return l.with(ctx, func(m *machine.Manager) error { return m.SendKeys(ctx, name, machine.Chord{"ctrl", "alt", "delete"}) })
}

// Protect implements Engine.
func (l Live) Protect(ctx context.Context, name string, protected bool, report machine.Reporter) error {
	return l.Offline().Protect(ctx, name, protected, report)
}

// Rename implements Engine.
func (l Live) Rename(ctx context.Context, name, to string, report machine.Reporter) error {
	return l.with(ctx, func(m *machine.Manager) error { return m.Rename(ctx, name, to, report) })
}

// Clone implements Engine.
func (l Live) Clone(ctx context.Context, name, to string, report machine.Reporter) error {
	return l.with(ctx, func(m *machine.Manager) error {
		_, err := m.Clone(ctx, name, to, report)
		return err
	})
}

// Snapshots implements Engine.
func (l Live) Snapshots(_ context.Context, name string) ([]storage.Snapshot, error) {
	return l.Offline().Snapshots(name)
}

// Snapshot implements Engine.
func (l Live) Snapshot(ctx context.Context, name, tag string, report machine.Reporter) error {
	return l.with(ctx, func(m *machine.Manager) error {
		s, err := m.Snapshot(ctx, name, tag, report)
		if err == nil {
			report(note("the state of now is kept as the snapshot " + s.Tag))
		}
		return err
	})
}

// RestoreSnapshot implements Engine.
func (l Live) RestoreSnapshot(ctx context.Context, name, tag string, report machine.Reporter) error {
	return l.with(ctx, func(m *machine.Manager) error {
		kept, err := m.RestoreSnapshot(ctx, name, tag, report)
		if err == nil {
			report(note("the machine is as it was at " + tag + "; its state until now is kept as the snapshot " + kept))
		}
		return err
	})
}

func note(text string) machine.Progress {
	return machine.Progress{Stage: machine.StageNote, Text: text, Percent: -1}
}

// DeleteSnapshot implements Engine.
func (l Live) DeleteSnapshot(ctx context.Context, name, tag string, report machine.Reporter) error {
	return l.Offline().DeleteSnapshot(ctx, name, tag, report)
}

// Pack implements Engine.
func (l Live) Pack(ctx context.Context, name, path string, report machine.Reporter) error {
	return l.with(ctx, func(m *machine.Manager) error {
		return storage.WriteNew(path, func(w io.Writer) error { return m.Pack(ctx, name, w, report) })
	})
}

// Unpack implements Engine.
func (l Live) Unpack(ctx context.Context, path, name string, report machine.Reporter) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = l.Offline().Unpack(ctx, f, name, report)
	return err
}

// CheckSetting implements Engine.
func (l Live) CheckSetting(name string, f Field, value string) error {
	r, err := l.Offline().Recipe(name)
	if err != nil {
		return err
	}
	return short(recipe.SetField(r, string(f), value))
}

// Set implements Engine.
func (l Live) Set(ctx context.Context, name string, changes map[Field]string, report machine.Reporter) error {
	var lines []string
	for _, f := range slices.Sorted(maps.Keys(changes)) {
		lines = append(lines, string(f)+"="+changes[f])
	}
	_, err := l.Offline().Edit(ctx, name, func(r recipe.Recipe) (*recipe.Recipe, error) { return &r, r.Apply(lines) }, report)
	return err
}

// Ports implements Engine.
func (l Live) Ports(ctx context.Context, name string, check bool) (ports []machine.PortInfo, err error) {
	err = l.with(ctx, func(m *machine.Manager) (err error) {
		ports, err = m.Ports(ctx, name, check)
		return err
	})
	return ports, err
}

// AddForward implements Engine.
func (l Live) AddForward(ctx context.Context, name, spec string, report machine.Reporter) error {
	specs, err := portfwd.ParseSpec(spec)
	if err != nil {
		return err
	}
	return l.with(ctx, func(m *machine.Manager) error {
		forwards, err := m.KeepForward(ctx, name, specs, portfwd.Auto, report)
		for _, f := range forwards {
			report(note(fmt.Sprintf("%s leads to port %d of the guest by %s: %s", f.Host(), f.GuestPort, f.Via, f.Why)))
		}
		return err
	})
}

// EndForward implements Engine.
func (l Live) EndForward(ctx context.Context, name string, p machine.PortInfo) error {
	return l.with(ctx, func(m *machine.Manager) error {
		return m.EndForward(ctx, name, portfwd.Spec{Address: p.Address, Host: p.HostPort, Guest: p.GuestPort, Protocol: p.Protocol})
	})
}
