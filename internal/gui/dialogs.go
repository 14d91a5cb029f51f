package gui

import (
	"fmt"
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/dialog"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"vmctl/internal/hint"
	"vmctl/internal/machine"
)

// dialogWidth leaves a margin in a window 800 wide.
const dialogWidth = 560

// paragraph is text in a dialog: it wraps, and may be copied.
func paragraph(text string) *widget.Label {
	l := widget.NewLabel(text)
	l.Wrapping = fyne.TextWrapWord
	l.Selectable = true
	return l
}

// question shows a dialog with its own buttons, the way out first.
func (w *Window) question(title string, content fyne.CanvasObject, buttons ...fyne.CanvasObject) *dialog.CustomDialog {
	d := dialog.NewCustomWithoutButtons(title, content, w.win)
	d.SetButtons(buttons)
	w.dialogs = append(w.dialogs, d)
	d.SetOnClosed(func() {
		w.dialogs = slices.DeleteFunc(w.dialogs, func(other *dialog.CustomDialog) bool { return other == d })
	})
	d.Resize(fyne.NewSize(dialogWidth, 0))
	return d
}

// showFailure tells that a verb did not succeed, and what to do.
func (w *Window) showFailure(v verb, name string, err error) {
	content := container.NewVBox(paragraph(err.Error()))
	if h := hint.Of(err); h != "" {
		fix := paragraph(h)
		fix.TextStyle.Bold = true
		content.Add(fix)
	}
	var d *dialog.CustomDialog
	closing := widget.NewButton("Close", func() { d.Hide() })
	d = w.question(fmt.Sprintf("Could not %s %s", verbText(v), name), content, closing)
	d.Show()
}

func verbText(v verb) string {
	if v == verbUp {
		return "create"
	}
	return string(v)
}

// showViewerAddress is for a desktop on which no browser could be opened.
func (w *Window) showViewerAddress(url string, err error) {
	var d *dialog.CustomDialog
	duplicate := widget.NewButtonWithIcon("Copy", theme.ContentCopyIcon(), func() { w.app.Clipboard().SetContent(url) })
	closing := widget.NewButton("Close", func() { d.Hide() })
	content := container.NewVBox(paragraph("No browser could be opened ("+err.Error()+"). The viewer is at"), paragraph(url))
	d = w.question("Open viewer", content, closing, duplicate)
	d.Show()
}

// askGuard puts the data guard's question to the user: the image would delete the
// disk that it finds. again starts the machine with the answer.
func (w *Window) askGuard(name string, err error, again func(string, machine.StartOptions)) {
	content := container.NewVBox(
		paragraph(err.Error()+"."),
		paragraph("If the guest's system was ever usable, keep its disk: it is marked as installed, and the guest starts from it. "+
			"If its installation was broken off half-way, install again: a snapshot keeps what is on the disk now."),
	)
	var d *dialog.CustomDialog
	answer := func(o machine.StartOptions) func() {
		return func() {
			d.Hide()
			again(name, o)
		}
	}
	cancel := widget.NewButton("Cancel", func() { d.Hide() })
	keep := widget.NewButton("Keep the disk", answer(machine.StartOptions{MarkInstalled: true}))
	keep.Importance = widget.HighImportance
	anew := widget.NewButton("Install again, keep a snapshot", answer(machine.StartOptions{Reinstall: true}))
	anew.Importance = widget.DangerImportance
	d = w.question("The disk of "+name+" is in danger", content, cancel, anew, keep)
	d.Show()
}
