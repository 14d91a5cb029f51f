package gui

import (
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/dialog"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"vmctl/internal/gui/widgets"
	"vmctl/internal/hint"
	"vmctl/internal/recipe"
)

// editPage is the dialog that changes a recipe's file.
type editPage struct {
	w       *Window
	entry   recipe.Entry
	dialog  *dialog.CustomDialog
	before  map[Field]string // what the recipe says
	now     map[Field]string // what the user has typed
	fields  map[Field]*widgets.Field
	fault   *widgets.Notice
	scroll  *container.Scroll
	save    *widget.Button
	onSaved func()
}

// editRecipe opens the dialog for a recipe that can be read. onSaved is called when its
// file is another one.
func (w *Window) editRecipe(e recipe.Entry, draft Plan, onSaved func()) {
	p := &editPage{w: w, entry: e, onSaved: onSaved, now: map[Field]string{}, fields: map[Field]*widgets.Field{},
		fault: widgets.NewNotice(widgets.Bad)}
	p.before = map[Field]string{FieldSummary: e.Summary, FieldCPUs: draft.CPUs, FieldMemory: draft.Memory, FieldDisk: draft.Disk}
	p.save = widget.NewButtonWithIcon("Save", theme.DocumentSaveIcon(), p.submit)
	p.save.Importance = widget.HighImportance
	content := container.NewVBox(paragraph(whereSaved(e)), p.fault,
		p.field("Summary", FieldSummary, "one line for lists"),
		p.field("CPUs", FieldCPUs, "a number, half or max"),
		p.field("Memory", FieldMemory, "such as 8G, half or max"),
		p.field("Disk", FieldDisk, "such as 64G"),
	)
	p.scroll = container.NewVScroll(content)
	p.dialog = w.question("Edit recipe "+e.Name, p.scroll, widget.NewButton("Cancel", func() { p.dialog.Hide() }), p.save)
	p.dialog.Resize(fyne.NewSize(dialogWidth, min(480, w.win.Canvas().Size().Height-24)))
	p.dialog.Show()
}

const keepTheirs = "Machines keep the recipe that they were made from."

// whereSaved tells which file changes.
func whereSaved(e recipe.Entry) string {
	if strings.HasPrefix(e.Source, "bundled:") {
		return "This recipe is bundled and stays as it is. A recipe of your own with the same name will extend it. " + keepTheirs
	}
	return "Everything else in " + e.Source + " stays as it is, comments included. " + keepTheirs
}

func (p *editPage) field(label string, f Field, help string) fyne.CanvasObject {
	field := newField(label, help, p, p.save, func(text string) error {
		p.now[f] = text
		return p.check(f)
	})
	p.fields[f] = field
	field.SetText(p.before[f])
	return field
}

// check tells what is wrong with a field. An empty one leaves the key out of the recipe.
func (p *editPage) check(f Field) error {
	if p.now[f] == "" || f == FieldSummary {
		return nil
	}
	plan := Plan{Recipe: p.entry.Name}
	plan.set(f, p.now[f])
	return p.w.engine.Check(plan, f)
}

// right reports whether there is something to save, and nothing known to be wrong.
func (p *editPage) right() bool { return faultless(p.fields) && len(p.changes()) > 0 }

func (p *editPage) changes() map[Field]string { return differing(p.before, p.now) }

// submit saves what differs. What is wrong with it is shown, and the dialog stays.
func (p *editPage) submit() {
	if err := p.w.engine.ChangeRecipe(p.entry.Name, p.changes()); err != nil {
		p.fault.Display(widgets.NoticeText{Title: "The recipe is not saved", Reason: err.Error(), Fix: hint.Of(err)})
		p.scroll.ScrollToTop()
		return
	}
	p.dialog.Hide()
	p.onSaved()
}
