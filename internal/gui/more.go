package gui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"
)

// showMore opens the menu with all that has no button, below the button for it.
func (p *detailsPage) showMore() {
	s := &p.w.state
	m, ok := find(s.all(), s.selected)
	if !ok {
		return
	}
	items := p.w.moreItems(m.Name, m.Paused, m.Protected, offerFor(m, s.ops[m.Name], s.gone != nil))
	menu := widget.NewPopUpMenu(fyne.NewMenu("", items...), p.w.win.Canvas())
	at := fyne.CurrentApp().Driver().AbsolutePositionForObject(p.more)
	size, room := menu.MinSize(), p.w.win.Canvas().Size()
	menu.ShowAtPosition(fyne.NewPos(
		max(0, min(at.X, room.Width-size.Width)),
		max(0, min(at.Y+p.more.Size().Height, room.Height-size.Height))))
}

// moreItems is the menu; what is not offered is greyed.
func (w *Window) moreItems(name string, paused, protected bool, o offer) []*fyne.MenuItem {
	item := func(label string, offered bool, act func()) *fyne.MenuItem {
		i := fyne.NewMenuItem(label, act)
		i.Disabled = !offered
		return i
	}
	on := func(act func(string)) func() { return func() { act(name) } }
	hold := item("Pause", o.pause, on(w.hold))
	if paused {
		hold = item("Resume", o.resume, on(w.resume))
	}
	guard := item("Protect", o.change, func() { w.protect(name, true) })
	if protected {
		guard = item("Unprotect", o.change, func() { w.protect(name, false) })
	}
	return []*fyne.MenuItem{
		hold,
		item("Send Ctrl-Alt-Del", o.keys, on(w.sendCtrlAltDel)),
		item("Pull the plug…", o.plug, on(w.askPlug)),
		fyne.NewMenuItemSeparator(),
		item("Settings…", o.change, on(w.askSettings)),
		item("Ports…", o.change, on(w.askPorts)),
		item("Snapshots…", o.change, on(w.askSnapshots)),
		fyne.NewMenuItemSeparator(),
		item("Clone…", o.copy, on(w.askClone)),
		item("Rename…", o.copy, on(w.askRename)),
		item("Pack to a file…", o.copy, on(w.askPack)),
		guard,
	}
}
