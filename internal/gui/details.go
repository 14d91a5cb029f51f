package gui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"vmctl/internal/gui/widgets"
	"vmctl/internal/machine"
)

// detailsPage is the right side: the selected machine and what may be done to it.
type detailsPage struct {
	w       *Window
	root    fyne.CanvasObject
	machine fyne.CanvasObject
	nothing fyne.CanvasObject
	waiting *widget.Label

	title          *widgets.Title
	failure, note  *widgets.Notice
	activity       *widgets.Activity
	ports, facts   *widgets.Facts
	tabs           *container.AppTabs
	logTab         *container.TabItem
	log            *logPage
	start, stop    *widget.Button
	cancel, view   *widget.Button
	restart, trash *widget.Button
	more           *widget.Button
}

func newDetailsPage(w *Window) *detailsPage {
	p := &detailsPage{
		w: w, log: newLogPage(w),
		title:    widgets.NewTitle(),
		failure:  widgets.NewNotice(widgets.Bad),
		note:     widgets.NewNotice(widgets.Busy),
		activity: widgets.NewActivity(),
		ports:    widgets.NewFacts("Ports", w.openViewer),
		facts:    widgets.NewFacts("Machine", w.openViewer),
	}
	p.buildTabs()
	p.machine = container.NewBorder(
		container.NewVBox(p.title, p.buildButtons(), p.activity), nil, nil, nil, p.tabs)
	p.buildNothing()
	p.root = container.NewPadded(container.NewStack(p.nothing, p.machine))
	return p
}

func (p *detailsPage) buildButtons() fyne.CanvasObject {
	selected := func(act func(string)) func() { return func() { act(p.w.state.selected) } }
	p.start = widget.NewButtonWithIcon("Start", theme.MediaPlayIcon(), selected(p.w.start))
	p.start.Importance = widget.HighImportance
	p.stop = widget.NewButtonWithIcon("Stop", theme.MediaStopIcon(), selected(p.w.stop))
	p.cancel = widget.NewButtonWithIcon("Cancel", theme.CancelIcon(), selected(p.w.callOff))
	p.view = widget.NewButtonWithIcon("Open viewer", theme.ComputerIcon(), selected(p.w.view))
	p.restart = widget.NewButtonWithIcon("Restart", theme.ViewRefreshIcon(), selected(p.w.restart))
	p.trash = widget.NewButtonWithIcon("Delete…", theme.DeleteIcon(), selected(p.w.askDelete))
	p.more = widget.NewButtonWithIcon("More", theme.MoreVerticalIcon(), p.showMore)
	return container.NewHBox(p.start, p.stop, p.cancel, p.view, p.restart, layout.NewSpacer(), p.more, p.trash)
}

func (p *detailsPage) buildTabs() {
	overview := container.NewVBox(p.failure, p.note, p.ports, p.facts)
	p.logTab = container.NewTabItemWithIcon("Log", theme.DocumentIcon(), p.log.root)
	p.tabs = container.NewAppTabs(
		container.NewTabItemWithIcon("Overview", theme.InfoIcon(), container.NewVScroll(overview)),
		p.logTab,
	)
	p.tabs.OnSelected = func(*container.TabItem) { p.w.refresh() }
}

func (p *detailsPage) buildNothing() {
	p.waiting = widget.NewLabel("")
	p.waiting.Alignment = fyne.TextAlignCenter
	p.nothing = container.NewCenter(container.NewVBox(p.waiting))
}

// display shows m; one without a name is none.
func (p *detailsPage) display(m machine.Machine) {
	none := m.Name == ""
	show(p.nothing, none)
	show(p.machine, !none)
	if none {
		p.log.follow(m, false)
		p.displayNothing()
		return
	}
	s := &p.w.state
	op, stale := s.ops[m.Name], s.gone != nil
	p.title.Display(titleText(m, stale))
	p.failure.Display(failureText(m))
	p.note.Display(noteText(m, s.notes[m.Name]))
	p.activity.Display(activityText(m, op, p.w.now()))
	p.ports.Display(portFacts(m))
	usage, measured := s.usage[m.Name]
	p.facts.Display(machineFacts(m, usageText(usage, measured), p.w.now()))
	p.displayButtons(m, op, offerFor(m, op, stale))
	p.log.follow(m, p.tabs.Selected() == p.logTab)
}

func (p *detailsPage) displayNothing() {
	text := "Looking for machines…"
	switch {
	case p.w.state.gone != nil:
		text = "What machines there are is not known now."
	case p.w.state.listed:
		text = "There are no machines yet.\nMake one with “New machine”."
	}
	if p.waiting.Text != text {
		p.waiting.SetText(text)
	}
}

// displayButtons shows those for the phase: start or cancel, and delete, of a machine
// that is down, else stop, viewer and restart; enabled as far as they are offered.
func (p *detailsPage) displayButtons(m machine.Machine, op *operation, o offer) {
	down := !m.Phase.Up()
	show(p.cancel, down && op != nil && (op.verb.starting() || op.verb.copying()))
	show(p.start, down && !p.cancel.Visible())
	for _, b := range []*widget.Button{p.stop, p.view, p.restart} {
		show(b, !down)
	}
	show(p.trash, down)
	enable(p.start, o.start)
	enable(p.stop, o.stop)
	enable(p.cancel, o.cancel)
	enable(p.view, o.view)
	enable(p.restart, o.restart)
	enable(p.trash, o.delete)
}

func show(o fyne.CanvasObject, visible bool) {
	switch {
	case visible && !o.Visible():
		o.Show()
	case !visible && o.Visible():
		o.Hide()
	}
}

func enable(b *widget.Button, enabled bool) {
	switch {
	case enabled && b.Disabled():
		b.Enable()
	case !enabled && !b.Disabled():
		b.Disable()
	}
}
