package gui

import (
	"context"
	"errors"

	"vmctl/internal/machine"
)

// start starts the machine; a question of the data guard goes to the user.
func (w *Window) start(name string) { w.startWith(name, machine.StartOptions{}) }

func (w *Window) startWith(name string, o machine.StartOptions) {
	w.operate(name, verbStart, func(ctx context.Context, report machine.Reporter) error {
		return w.engine.Start(ctx, name, o, report)
	}, w.startWith)
}

// up makes the machine of a plan and starts it.
func (w *Window) up(p Plan, o machine.StartOptions) {
	w.operate(p.Name, verbUp, func(ctx context.Context, report machine.Reporter) error {
		return w.engine.Up(ctx, p, o, report)
	}, func(_ string, o machine.StartOptions) { w.up(p, o) })
}

func (w *Window) stop(name string) {
	w.operate(name, verbStop, func(ctx context.Context, report machine.Reporter) error {
		return w.engine.Stop(ctx, name, report)
	}, nil)
}

func (w *Window) restart(name string) {
	w.operate(name, verbRestart, func(ctx context.Context, report machine.Reporter) error {
		return w.engine.Restart(ctx, name, machine.StartOptions{}, report)
	}, w.startWith)
}

func (w *Window) delete(name string, withStorage bool) {
	w.operate(name, verbDelete, func(ctx context.Context, report machine.Reporter) error {
		return w.engine.Delete(ctx, name, machine.DeleteOptions{Storage: withStorage}, report)
	}, nil)
}

// callOff ends what is under way with a machine as far as it can be ended.
func (w *Window) callOff(name string) {
	if op := w.state.ops[name]; op != nil {
		op.cancel()
	}
}

func (w *Window) view(name string) {
	if m, ok := find(w.state.all(), name); ok {
		w.openViewer(m.ViewerURL())
	}
}

func (w *Window) openViewer(url string) {
	open := func(context.Context) (struct{}, error) { return struct{}{}, w.engine.OpenViewer(url) }
	ask(w.bg, open, func(_ struct{}, err error) {
		if err != nil {
			w.showViewerAddress(url, err)
		}
	})
}

// operate does work beside the UI thread and shows its progress. A watch that is
// still going on for the machine is given up: the new wish counts. again is how
// the work is begun anew with the user's answer to the data guard; nil where the
// guard is never asked.
func (w *Window) operate(name string, v verb, work func(context.Context, machine.Reporter) error,
	again func(string, machine.StartOptions)) *operation {
	w.callOff(name)
	op := &operation{verb: v, started: w.now()}
	op.machine = machine.Machine{Name: name, Phase: machine.Creating, Percent: -1}
	progress := newMailbox(w.bg, func(reports []machine.Progress) {
		op.take(reports, w.now())
		w.refresh()
	})
	run := func(ctx context.Context) (struct{}, error) { return struct{}{}, work(ctx, progress.put) }
	w.state.ops[name] = op
	delete(w.state.notes, name)
	op.cancel = ask(w.bg, run, func(_ struct{}, err error) { w.operated(name, op, err, again) })
	w.state.selected = name
	w.refresh()
	return op
}

func (w *Window) operated(name string, op *operation, err error, again func(string, machine.StartOptions)) {
	if w.state.ops[name] == op {
		delete(w.state.ops, name)
		w.state.notes[name] = op.notes
	}
	if err == nil && op.then != nil {
		op.then()
	}
	w.lookNow()
	w.refresh()
	switch {
	case err == nil, errors.Is(err, context.Canceled):
	case errors.Is(err, machine.ErrGuard) && again != nil:
		w.askGuard(name, err, again)
	default:
		w.showFailure(op.verb, name, err)
	}
}
