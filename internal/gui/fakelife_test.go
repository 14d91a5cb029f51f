package gui

import (
	"context"
	"errors"
	"maps"
	"slices"

	"vmctl/internal/machine"
	"vmctl/internal/storage"
)

func (f *fakeEngine) Meter(context.Context) (Measure, error) {
	return func(_ context.Context, machines []machine.Machine) ([]machine.Usage, error) {
		out := make([]machine.Usage, len(machines))
		for i := range out {
			out[i] = machine.Usage{CPU: 7, Memory: 2 << 30, DiskUsed: -1}
		}
		return out, nil
	}, nil
}

func (f *fakeEngine) PullPlug(ctx context.Context, name string, r machine.Reporter) error {
	return f.do(ctx, r, "plug %s", name)
}

func (f *fakeEngine) Pause(ctx context.Context, name string, r machine.Reporter) error {
	return f.do(ctx, r, "pause %s", name)
}

func (f *fakeEngine) Resume(ctx context.Context, name string, r machine.Reporter) error {
	return f.do(ctx, r, "resume %s", name)
}

func (f *fakeEngine) SendCtrlAltDel(ctx context.Context, name string, r machine.Reporter) error {
	return f.do(ctx, r, "keys %s", name)
}

func (f *fakeEngine) Protect(ctx context.Context, name string, on bool, r machine.Reporter) error {
	return f.do(ctx, r, "protect %s %v", name, on)
}

func (f *fakeEngine) Rename(ctx context.Context, name, to string, r machine.Reporter) error {
	return f.do(ctx, r, "rename %s %s", name, to)
}

func (f *fakeEngine) Clone(ctx context.Context, name, to string, r machine.Reporter) error {
	return f.do(ctx, r, "clone %s %s", name, to)
}

func (f *fakeEngine) Snapshots(context.Context, string) ([]storage.Snapshot, error) {
	return f.kept, nil
}

func (f *fakeEngine) Snapshot(ctx context.Context, name, tag string, r machine.Reporter) error {
	return f.do(ctx, r, "snapshot %s %q", name, tag)
}

func (f *fakeEngine) RestoreSnapshot(ctx context.Context, name, tag string, r machine.Reporter) error {
	return f.do(ctx, r, "restore %s %s", name, tag)
}

func (f *fakeEngine) DeleteSnapshot(ctx context.Context, name, tag string, r machine.Reporter) error {
	return f.do(ctx, r, "forget %s %s", name, tag)
}

func (f *fakeEngine) Pack(ctx context.Context, name, path string, r machine.Reporter) error {
	return f.do(ctx, r, "pack %s %s", name, path)
}

func (f *fakeEngine) Unpack(ctx context.Context, path, name string, r machine.Reporter) error {
	return f.do(ctx, r, "unpack %s %s", path, name)
}

func (f *fakeEngine) CheckSetting(_ string, _ Field, value string) error {
	if value == "0" {
		return errors.New("must be at least 1")
	}
	return nil
}

func (f *fakeEngine) Set(ctx context.Context, name string, changes map[Field]string, r machine.Reporter) error {
	call := "set " + name
	for _, field := range slices.Sorted(maps.Keys(changes)) {
		call += " " + string(field) + "=" + changes[field]
	}
	return f.do(ctx, r, "%s", call)
}

func (f *fakeEngine) Ports(ctx context.Context, name string, check bool) ([]machine.PortInfo, error) {
	return f.ports, f.do(ctx, nil, "ports %s check=%v", name, check)
}

func (f *fakeEngine) AddForward(ctx context.Context, name, spec string, r machine.Reporter) error {
	return f.do(ctx, r, "forward %s %s", name, spec)
}

func (f *fakeEngine) EndForward(ctx context.Context, name string, p machine.PortInfo) error {
	return f.do(ctx, nil, "unforward %s %s", name, p.Host())
}
