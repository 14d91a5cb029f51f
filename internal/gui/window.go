package gui

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/dialog"

	"vmctl/internal/gui/assets"
	"vmctl/internal/gui/widgets"
	"vmctl/internal/machine"
)

// ID is the application's id for the desktop: preferences, window class, desktop
// file.
const ID = "io.vmctl.vmgui"

// Title is what stands in the title bar.
const Title = "vmgui"

const (
	defaultInterval = 600 * time.Millisecond
	// listTimeout is how long a runtime may take to answer before it counts as
	// gone.
	listTimeout = 5 * time.Second
	// closingTime is how long what was broken off may go on after the window is
	// closed: a start that is called off removes what it has made.
	closingTime = 40 * time.Second
	// hiddenFactor is how many times rarer the list is asked for while the window
	// is hidden.
	hiddenFactor = 10
)

// Options are how a window behaves. The zero value is right for a program.
type Options struct {
	// Interval is the pause between two looks at the machines; 0 is 600 ms.
	Interval time.Duration
	// Log takes what only a developer wants to know; nil discards it.
	Log *slog.Logger
	// Do runs a function on the UI thread; nil is fyne.Do.
	Do func(func())
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// Window is the program's one window. Its methods belong to the UI thread.
type Window struct {
	app    fyne.App
	win    fyne.Window
	engine Engine
	log    *slog.Logger
	now    func() time.Time
	bg     *background

	meter  meter
	state  state
	names  []string // of the rows shown
	wake   chan struct{}
	pause  atomic.Int64 // time.Duration between looks
	normal time.Duration

	banner   *widgets.Notice
	dialogs  []*dialog.CustomDialog // that are open, the topmost last
	machines *machinesPage
	details  *detailsPage
}

// New makes the window, not yet shown, and begins to look at the machines.
func New(a fyne.App, e Engine, o Options) *Window {
	w := &Window{
		app: a, engine: e, log: o.Log, now: o.Now, normal: o.Interval,
		meter: meter{engine: e}, state: newState(), wake: make(chan struct{}, 1),
	}
	w.fill(o)
	a.Settings().SetTheme(widgets.Theme())
	a.SetIcon(assets.Icon())
	w.win = a.NewWindow(Title)
	w.win.SetIcon(assets.Icon())
	w.win.SetContent(w.build())
	w.win.Resize(fyne.NewSize(1000, 640))
	w.win.Canvas().SetOnTypedKey(w.typed)
	w.win.SetOnClosed(w.bg.close)
	w.refresh()
	w.bg.poll(func() time.Duration { return time.Duration(w.pause.Load()) }, w.wake, w.look)
	return w
}

func (w *Window) fill(o Options) {
	if w.log == nil {
		w.log = slog.New(slog.DiscardHandler)
	}
	if w.now == nil {
		w.now = time.Now
	}
	if w.normal == 0 {
		w.normal = defaultInterval
	}
	w.pause.Store(int64(w.normal))
	w.bg = newBackground(o.Do)
}

func (w *Window) build() fyne.CanvasObject {
	w.banner = widgets.NewNotice(widgets.Bad)
	w.banner.OnRetry = w.lookNow
	w.machines = newMachinesPage(w)
	w.details = newDetailsPage(w)
	split := container.NewHSplit(w.machines.root, w.details.root)
	split.Offset = 0.29
	return container.NewBorder(w.banner, nil, nil, nil, split)
}

// ShowAndRun shows the window until it is closed or ctx ends. It is called once,
// on the main goroutine.
func (w *Window) ShowAndRun(ctx context.Context) {
	w.bg.until(ctx, w.app.Quit)
	w.win.ShowAndRun()
	w.bg.close()
	w.bg.wait(closingTime)
}

// Hide takes the window from the screen; the machines are looked at more rarely.
func (w *Window) Hide() {
	w.pause.Store(int64(w.normal * hiddenFactor))
	w.win.Hide()
}

// Show brings it back.
func (w *Window) Show() {
	w.pause.Store(int64(w.normal))
	w.win.Show()
	w.lookNow()
}

// look asks for the machines, beside the UI thread.
func (w *Window) look(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, listTimeout)
	defer cancel()
	machines, err := w.engine.List(ctx)
	w.bg.ui(func() { w.listed(machines, err) })
	if err != nil {
		return
	}
	if usage, ok := w.meter.look(ctx, machines); ok {
		w.bg.ui(func() { w.state.usage = usage; w.refresh() })
	}
}

// lookNow makes the next look happen at once.
func (w *Window) lookNow() {
	select {
	case w.wake <- struct{}{}:
	default: // it is about to happen already
	}
}

func (w *Window) listed(machines []machine.Machine, err error) {
	if err != nil {
		w.log.Debug("list machines", "error", err)
	} else {
		if w.state.gone != nil {
			w.details.log.again()
		}
		w.state.machines, w.state.listed, w.state.awaited = machines, true, false
	}
	w.state.gone = err
	w.refresh()
}

// refresh shows the state. It may be called as often as one likes: the widgets
// draw only what has changed.
func (w *Window) refresh() {
	w.state.choose(w.names)
	machines := w.state.all()
	rows := make([]widgets.RowText, len(machines))
	w.names = w.names[:0]
	for i, m := range machines {
		activity := activityText(m, w.state.ops[m.Name], w.now())
		rows[i] = rowText(m, activity, w.state.gone != nil)
		w.names = append(w.names, m.Name)
	}
	w.banner.Display(goneText(w.state.gone))
	w.machines.display(rows, w.state.selected)
	m, _ := find(machines, w.state.selected)
	w.details.display(m)
}

// selectMachine shows a machine on the right.
func (w *Window) selectMachine(name string) {
	if name != w.state.selected {
		w.state.selected = name
		w.refresh()
	}
}

func timedOut(err error) bool { return errors.Is(err, context.DeadlineExceeded) }
