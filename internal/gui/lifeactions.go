package gui

import (
	"context"

	"vmctl/internal/machine"
)

func (w *Window) hold(name string) {
	w.operate(name, verbPause, func(ctx context.Context, r machine.Reporter) error { return w.engine.Pause(ctx, name, r) }, nil)
}

func (w *Window) resume(name string) {
	w.operate(name, verbResume, func(ctx context.Context, r machine.Reporter) error { return w.engine.Resume(ctx, name, r) }, nil)
}

func (w *Window) sendCtrlAltDel(name string) {
	w.operate(name, verbKeys, func(ctx context.Context, r machine.Reporter) error { return w.engine.SendCtrlAltDel(ctx, name, r) }, nil)
}

func (w *Window) pullPlug(name string) {
	w.operate(name, verbPlug, func(ctx context.Context, r machine.Reporter) error { return w.engine.PullPlug(ctx, name, r) }, nil)
}

func (w *Window) protect(name string, on bool) {
	v := verbUnprotect
	if on {
		v = verbProtect
	}
	w.operate(name, v, func(ctx context.Context, r machine.Reporter) error { return w.engine.Protect(ctx, name, on, r) }, nil)
}

// rename goes on showing the machine, which has another name then.
func (w *Window) rename(name, to string) {
	work := func(ctx context.Context, r machine.Reporter) error { return w.engine.Rename(ctx, name, to, r) }
	w.operate(name, verbRename, work, nil).then = func() { w.state.selected, w.state.awaited = to, true }
}

// clone is an operation on the machine that is made.
func (w *Window) clone(name, to string) {
	w.operate(to, verbClone, func(ctx context.Context, r machine.Reporter) error { return w.engine.Clone(ctx, name, to, r) }, nil)
}

func (w *Window) snapshot(name, tag string) {
	w.operate(name, verbSnapshot, func(ctx context.Context, r machine.Reporter) error { return w.engine.Snapshot(ctx, name, tag, r) }, nil)
}

func (w *Window) restore(name, tag string) {
	w.operate(name, verbRestore, func(ctx context.Context, r machine.Reporter) error {
		return w.engine.RestoreSnapshot(ctx, name, tag, r)
	}, nil)
}

func (w *Window) deleteSnapshot(name, tag string) {
	w.operate(name, verbForget, func(ctx context.Context, r machine.Reporter) error {
		return w.engine.DeleteSnapshot(ctx, name, tag, r)
	}, nil)
}

func (w *Window) pack(name, path string) {
	w.operate(name, verbPack, func(ctx context.Context, r machine.Reporter) error {
		if err := w.engine.Pack(ctx, name, path, r); err != nil {
			return err
		}
		r(note("the machine is packed in " + path))
		return nil
	}, nil)
}

// unpack is an operation on the machine that is made.
func (w *Window) unpack(path, name string) {
	w.operate(name, verbUnpack, func(ctx context.Context, r machine.Reporter) error { return w.engine.Unpack(ctx, path, name, r) }, nil)
}

// set changes a machine, and offers to start it anew where it is up.
func (w *Window) set(name string, changes map[Field]string) {
	work := func(ctx context.Context, r machine.Reporter) error { return w.engine.Set(ctx, name, changes, r) }
	w.operate(name, verbSet, work, nil).then = func() {
		if m, ok := find(w.state.all(), name); ok && m.Phase == machine.Running {
			w.askRestart(name)
		}
	}
}
