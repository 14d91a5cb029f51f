package gui

import (
	"context"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/dialog"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"github.com/docker/go-units"

	"vmctl/internal/gui/widgets"
	"vmctl/internal/machine"
	"vmctl/internal/storage"
)

// askSnapshots finds out which snapshots there are and shows them.
func (w *Window) askSnapshots(name string) {
	list := func(ctx context.Context) ([]storage.Snapshot, error) { return w.engine.Snapshots(ctx, name) }
	ask(w.bg, list, func(snapshots []storage.Snapshot, err error) {
		if err != nil {
			w.showFailure(verbSnapshot, name, err)
			return
		}
		w.showSnapshots(name, snapshots)
	})
}

func (w *Window) showSnapshots(name string, snapshots []storage.Snapshot) {
	m, _ := find(w.state.all(), name)
	atRest := offerFor(m, w.state.ops[name], w.state.gone != nil).copy
	var d *dialog.CustomDialog
	tag := widget.NewEntry()
	tag.SetPlaceHolder("name; empty is the time")
	take := widget.NewButtonWithIcon("Take a snapshot", theme.ContentAddIcon(), func() {
		d.Hide()
		w.snapshot(name, tag.Text)
	})
	enable(take, atRest)
	head := container.NewVBox(container.NewBorder(nil, nil, nil, take, tag))
	if !atRest {
		head.Add(paragraph("A snapshot is taken and brought back while the machine is stopped."))
	}
	rows := container.NewVBox()
	for i := len(snapshots) - 1; i >= 0; i-- { // the newest first
		rows.Add(w.snapshotRow(name, snapshots[i], atRest, func() { d.Hide() }))
	}
	if len(snapshots) == 0 {
		rows.Add(paragraph("There are no snapshots yet."))
	}
	closing := widget.NewButton("Close", func() { d.Hide() })
	d = w.question("Snapshots of "+name, container.NewBorder(head, nil, nil, nil, container.NewVScroll(rows)), closing)
	d.Resize(fyne.NewSize(dialogWidth, min(440, w.win.Canvas().Size().Height-24)))
	d.Show()
}

func (w *Window) snapshotRow(name string, s storage.Snapshot, atRest bool, leave func()) fyne.CanvasObject {
	row := widgets.NewRow()
	row.Display(widgets.RowText{Title: s.Tag, Detail: snapshotText(s), Tone: widgets.Plain})
	restore := widget.NewButton("Restore…", func() { leave(); w.askRestore(name, s) })
	enable(restore, atRest)
	trash := widget.NewButtonWithIcon("", theme.DeleteIcon(), func() { leave(); w.askForget(name, s) })
	return container.NewBorder(nil, nil, nil, container.NewHBox(restore, trash), row)
}

func snapshotText(s storage.Snapshot) string {
	text := s.CreatedAt.Local().Format("2006-01-02 15:04") + " · " + units.BytesSize(float64(s.Size))
	if s.Shared {
		text += ", shared"
	}
	if s.Note != "" {
		text += " · " + s.Note
	}
	return text
}

func (w *Window) askRestore(name string, s storage.Snapshot) {
	w.confirm("Bring "+name+" back to "+s.Tag+"?", "Its disks and its recipe become those of "+s.CreatedAt.Local().Format("2006-01-02 15:04")+
		". The state that it has now is kept as a snapshot first, so that this can be undone.",
		"Restore", widget.HighImportance, func() { w.restore(name, s.Tag) })
}

func (w *Window) askForget(name string, s storage.Snapshot) {
	w.confirm("Delete the snapshot "+s.Tag+"?", "The state of "+name+" of "+s.CreatedAt.Local().Format("2006-01-02 15:04")+
		" cannot be brought back then. The machine as it is now stays.",
		"Delete the snapshot", widget.DangerImportance, func() { w.deleteSnapshot(name, s.Tag) })
}

// confirm asks before something that costs.
func (w *Window) confirm(title, about, verb string, importance widget.Importance, do func()) {
	var d *dialog.CustomDialog
	cancel := widget.NewButton("Cancel", func() { d.Hide() })
	ok := widget.NewButton(verb, func() { d.Hide(); do() })
	ok.Importance = importance
	d = w.question(title, paragraph(about), cancel, ok)
	d.Show()
}

func (w *Window) askPlug(name string) {
	w.confirm("Pull the plug of "+name+"?", "The guest is switched off as by a power cut. What its programs have not saved is lost, and its file systems "+
		"have to be repaired at the next start. The disk itself stays. To shut the guest down, use Stop.",
		"Pull the plug", widget.DangerImportance, func() { w.pullPlug(name) })
}

func (w *Window) askRestart(name string) {
	w.confirm("Restart "+name+" now?", "The change is saved, and the machine has it at its next start. A restart shuts the guest down first.",
		"Restart now", widget.HighImportance, func() {
			if m, ok := find(w.state.all(), name); ok && m.Phase == machine.Running {
				w.restart(name)
			}
		})
}
