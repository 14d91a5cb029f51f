package gui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/dialog"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"vmctl/internal/gui/widgets"
	"vmctl/internal/machine"
)

// settingsPage is the dialog that changes a machine.
type settingsPage struct {
	w           *Window
	name        string
	dialog      *dialog.CustomDialog
	before, now map[Field]string
	fields      map[Field]*widgets.Field
	save        *widget.Button
}

func (w *Window) askSettings(name string) {
	m, ok := find(w.state.all(), name)
	if !ok {
		return
	}
	p := &settingsPage{w: w, name: name, now: map[Field]string{}, fields: map[Field]*widgets.Field{},
		before: map[Field]string{FieldCPUs: m.CPUs, FieldMemory: m.Memory, FieldDisk: m.Disk}}
	p.save = widget.NewButtonWithIcon("Save", theme.DocumentSaveIcon(), p.submit)
	p.save.Importance = widget.HighImportance
	content := container.NewVBox(paragraph(whenApplied(m)),
		p.field("CPUs", FieldCPUs, "a number, half or max"),
		p.field("Memory", FieldMemory, "such as 8G, half or max"),
		p.field("Disk", FieldDisk, "such as 64G; it may grow, and never shrinks"))
	p.dialog = w.question("Settings of "+name, container.NewVScroll(content), widget.NewButton("Cancel", func() { p.dialog.Hide() }), p.save)
	p.dialog.Resize(fyne.NewSize(dialogWidth, min(420, w.win.Canvas().Size().Height-24)))
	p.dialog.Show()
}

func whenApplied(m machine.Machine) string {
	if m.Phase.Up() {
		return "The machine has a change at its next start. Its disk stays, and so does the recipe that it was made from."
	}
	return "The machine's disk stays, and so does the recipe that it was made from."
}

func (p *settingsPage) field(label string, f Field, help string) fyne.CanvasObject {
	p.fields[f] = newField(label, help, p, p.save, func(text string) error {
		p.now[f] = text
		if text == p.before[f] {
			return nil
		}
		return p.w.engine.CheckSetting(p.name, f, text)
	})
	p.fields[f].SetText(p.before[f])
	return p.fields[f]
}

func (p *settingsPage) right() bool { return faultless(p.fields) && len(p.changes()) > 0 }

func (p *settingsPage) changes() map[Field]string { return differing(p.before, p.now) }

func (p *settingsPage) submit() {
	p.dialog.Hide()
	p.w.set(p.name, p.changes())
}

// differing is what is another now than before.
func differing(before, now map[Field]string) map[Field]string {
	changes := map[Field]string{}
	for f, text := range now {
		if text != before[f] {
			changes[f] = text
		}
	}
	return changes
}
