package gui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"vmctl/internal/gui/widgets"
)

// machinesPage is the left side: all machines, and the way to a new one.
type machinesPage struct {
	root fyne.CanvasObject
	list *widget.List
	rows []widgets.RowText
}

func newMachinesPage(w *Window) *machinesPage {
	p := &machinesPage{}
	p.list = widget.NewList(
		func() int { return len(p.rows) },
		func() fyne.CanvasObject { return widgets.NewRow() },
		func(i widget.ListItemID, o fyne.CanvasObject) { o.(*widgets.Row).Display(p.rows[i]) },
	)
	p.list.OnSelected = func(i widget.ListItemID) { w.selectMachine(p.rows[i].Title) }
	add := widget.NewButtonWithIcon("New machine", theme.ContentAddIcon(), w.newMachine)
	unpack := widget.NewButtonWithIcon("Unpack a file…", theme.FolderOpenIcon(), w.askUnpack)
	unpack.Importance = widget.LowImportance
	p.root = container.NewBorder(container.NewPadded(add), container.NewPadded(unpack), nil, nil, p.list)
	return p
}

// display shows rows with the one titled selected marked.
func (p *machinesPage) display(rows []widgets.RowText, selected string) {
	items, all := changed(p.rows, rows)
	p.rows = rows
	if all {
		// A list remembers a selection by its place, which now may be another's.
		p.list.UnselectAll()
		p.list.Refresh()
	}
	for _, i := range items {
		p.list.RefreshItem(i)
	}
	for i, r := range rows {
		if r.Title == selected {
			p.list.Select(i)
			return
		}
	}
}

// changed tells which items differ, or that the list has to be drawn anew because
// there are others or in another order.
func changed(before, after []widgets.RowText) (items []int, all bool) {
	if len(before) != len(after) {
		return nil, true
	}
	for i := range after {
		switch {
		case before[i].Title != after[i].Title:
			return nil, true
		case before[i] != after[i]:
			items = append(items, i)
		}
	}
	return items, false
}
