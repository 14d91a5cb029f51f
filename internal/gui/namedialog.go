package gui

import (
	"fmt"
	"path/filepath"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/dialog"
	"fyne.io/fyne/v2/widget"

	"vmctl/internal/gui/widgets"
)

// nameDialog asks for a name that no machine has.
type nameDialog struct {
	w      *Window
	field  *widgets.Field
	dialog *dialog.CustomDialog
	name   string
	done   func(name string)
}

// askName shows about and asks for a name, with verb on the button; done is called with it.
func (w *Window) askName(title, about, verb, proposal string, done func(name string)) {
	p := &nameDialog{w: w, done: done}
	ok := widget.NewButton(verb, p.submit)
	ok.Importance = widget.HighImportance
	p.field = newField("Name", "lower-case letters, digits and hyphens", p, ok, p.check)
	cancel := widget.NewButton("Cancel", func() { p.dialog.Hide() })
	p.dialog = w.question(title, container.NewVBox(paragraph(about), p.field), cancel, ok)
	p.field.SetText(proposal)
	p.dialog.Show()
}

func (p *nameDialog) check(name string) error {
	p.name = name
	if _, taken := find(p.w.state.all(), name); taken {
		return fmt.Errorf("there is a machine %q already", name)
	}
	return p.w.engine.Check(Plan{Name: name}, FieldName)
}

func (p *nameDialog) right() bool { return p.field.Err() == nil }

func (p *nameDialog) submit() {
	p.dialog.Hide()
	p.done(p.name)
}

func (w *Window) askRename(name string) {
	w.askName("Rename "+name, "Its disks, snapshots, ports and MAC address stay.", "Rename", w.freeName(name+"-new"),
		func(to string) { w.rename(name, to) })
}

func (w *Window) askClone(name string) {
	w.askName("Clone "+name, "The copy has the same recipe and disks, and a MAC address of its own. What is inside the guest is the same in both: "+
		"Windows keeps its SID and its computer name.", "Clone", w.freeName(name+"-copy"), func(to string) { w.clone(name, to) })
}

// freeName is a name like the one that is wished for, and that no machine has.
func (w *Window) freeName(wish string) string {
	name := wish
	for n := 2; ; n++ {
		if _, taken := find(w.state.all(), name); !taken {
			return name
		}
		name = fmt.Sprintf("%s-%d", wish, n)
	}
}

// askUnpack asks for a file, and then for the name of the machine that is made of it.
func (w *Window) askUnpack() {
	d := dialog.NewFileOpen(func(f fyne.URIReadCloser, err error) {
		switch {
		case err != nil:
			w.showFailure(verbUnpack, "a machine", err)
		case f != nil:
			_ = f.Close() // only its path is needed
			w.askUnpackAs(f.URI().Path())
		}
	}, w.win)
	w.fitFileDialog(d)
	d.Show()
}

func (w *Window) askUnpackAs(path string) {
	name := strings.TrimSuffix(filepath.Base(path), packSuffix)
	w.askName("Make a machine of "+filepath.Base(path), "The file is checked. A machine that has moved keeps its MAC address.", "Unpack",
		w.freeName(name), func(name string) { w.unpack(path, name) })
}

func (w *Window) fitFileDialog(d *dialog.FileDialog) {
	size := w.win.Canvas().Size()
	d.Resize(fyne.NewSize(min(820, size.Width-24), min(560, size.Height-24)))
}
