package gui

import (
	"errors"
	"fmt"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/dialog"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"vmctl/internal/gui/widgets"
	"vmctl/internal/machine"
	"vmctl/internal/recipe"
)

// createPage is the dialog for a new machine: the catalog on the left, and on the
// right what may be chosen for the machine.
type createPage struct {
	w       *Window
	dialog  *dialog.CustomDialog
	recipes []recipe.Entry
	list    *widget.List
	plan    Plan

	about  *widget.Label
	facts  *widget.Label // of the system that is installed
	fault  *widgets.Notice
	fields map[Field]*widgets.Field
	form   *fyne.Container
	edit   *widget.Button
	create *widget.Button

	chosen recipe.Entry
}

// newMachine opens the dialog.
func (w *Window) newMachine() {
	p := &createPage{w: w, recipes: w.engine.Recipes(), fields: map[Field]*widgets.Field{}}
	p.buildForm()
	p.buildList()
	p.buildDialog()
	p.dialog.Show()
	if len(p.recipes) > 0 {
		p.list.Select(0)
	}
}

func (p *createPage) buildForm() {
	p.about = paragraph("")
	p.about.TextStyle.Bold = true
	p.facts = paragraph("")
	p.fault = widgets.NewNotice(widgets.Bad)
	p.create = widget.NewButtonWithIcon("Create and start", theme.MediaPlayIcon(), p.submit)
	p.create.Importance = widget.HighImportance
	p.create.Disable()
	p.edit = widget.NewButtonWithIcon("Edit recipe…", theme.DocumentCreateIcon(), p.editChosen)
	p.form = container.NewVBox(
		p.field("Name", FieldName, "lower-case letters, digits and hyphens"),
		p.field("CPUs", FieldCPUs, "a number, half or max"),
		p.field("Memory", FieldMemory, "such as 8G, half or max"),
		p.field("Disk", FieldDisk, "such as 64G; it grows as it fills"),
	)
}

func (p *createPage) field(label string, f Field, help string) *widgets.Field {
	p.fields[f] = newField(label, help, p, p.create, func(text string) error {
		p.plan.set(f, text)
		return p.check(f)
	})
	return p.fields[f]
}

// filledIn is a dialog with fields and a button that submits them when they are right.
type filledIn interface {
	right() bool
	submit()
}

// newField makes a field of a dialog, which enables the dialog's button or disables it.
func newField(label, help string, in filledIn, button *widget.Button, check func(text string) error) *widgets.Field {
	field := widgets.NewField(label, help, check)
	field.OnChecked = func() { enable(button, in.right()) }
	field.OnSubmitted = func() {
		if in.right() {
			in.submit()
		}
	}
	return field
}

// faultless tells that nothing is wrong with any field.
func faultless(fields map[Field]*widgets.Field) bool {
	for _, f := range fields {
		if f.Err() != nil {
			return false
		}
	}
	return true
}

func (p *createPage) buildList() {
	p.list = widget.NewList(
		func() int { return len(p.recipes) },
		func() fyne.CanvasObject { return widgets.NewRow() },
		func(i widget.ListItemID, o fyne.CanvasObject) { o.(*widgets.Row).Display(recipeText(p.recipes[i])) },
	)
	p.list.OnSelected = func(i widget.ListItemID) { p.choose(p.recipes[i]) }
}

func (p *createPage) buildDialog() {
	right := container.NewVScroll(container.NewVBox(p.about, p.facts, p.fault, p.form))
	split := container.NewHSplit(p.list, right)
	split.Offset = 0.4
	p.dialog = dialog.NewCustomWithoutButtons("New machine", split, p.w.win)
	cancel := widget.NewButton("Cancel", p.dialog.Hide)
	p.dialog.SetButtons([]fyne.CanvasObject{cancel, p.edit, p.create})
	size := p.w.win.Canvas().Size()
	p.dialog.Resize(fyne.NewSize(min(820, size.Width-24), min(560, size.Height-24)))
}

func recipeText(e recipe.Entry) widgets.RowText {
	t := widgets.RowText{Title: e.Name, Detail: guestName(e.Guest) + " · " + e.Summary, Tone: widgets.Plain}
	if e.Err != nil {
		t.Detail, t.Tone = "cannot be used", widgets.Bad
	}
	return t
}

// check tells what is wrong with a field of the plan.
func (p *createPage) check(f Field) error {
	if p.plan.Recipe == "" {
		return errors.New("choose a recipe")
	}
	if f == FieldName {
		if _, taken := find(p.w.state.all(), p.plan.Name); taken {
			return fmt.Errorf("there is a machine %q already", p.plan.Name)
		}
	}
	return p.w.engine.Check(p.plan, f)
}

// right reports whether the machine can be made.
func (p *createPage) right() bool { return faultless(p.fields) && p.plan.Recipe != "" }

// choose fills the form with what a recipe proposes.
func (p *createPage) choose(e recipe.Entry) {
	p.chosen = e
	draft, err := p.w.engine.Draft(e.Name)
	if e.Err != nil {
		err = e.Err
	}
	enable(p.edit, err == nil)
	if err != nil {
		p.plan = Plan{}
		p.about.SetText(e.Name)
		p.tell("")
		p.fault.Display(widgets.NoticeText{Title: "This recipe cannot be used", Reason: err.Error()})
		p.form.Hide()
		p.create.Disable()
		return
	}
	p.about.SetText(e.Summary)
	p.tell(systemFacts(draft.System, time.Now()))
	p.fault.Display(widgets.NoticeText{})
	draft.Name = p.free(draft.Name)
	p.plan = draft
	for f, field := range p.fields {
		field.SetText(draft.Value(f))
	}
	p.form.Show()
}

// tell shows the facts of the system, and takes no room where there are none.
func (p *createPage) tell(facts string) {
	p.facts.SetText(facts)
	p.facts.Hidden = facts == ""
	p.facts.Refresh()
}

// editChosen opens the recipe that is chosen; when it is saved, the form follows.
func (p *createPage) editChosen() {
	draft, err := p.w.engine.Draft(p.chosen.Name)
	if err != nil { // it was right when it was chosen
		p.choose(p.chosen)
		return
	}
	p.w.editRecipe(p.chosen, draft, func() {
		p.recipes = p.w.engine.Recipes()
		p.list.Refresh()
		for _, e := range p.recipes {
			if e.Name == p.chosen.Name {
				p.choose(e)
				return
			}
		}
	})
}

// free makes a name that no machine has: win11, win11-2, win11-3.
func (p *createPage) free(name string) string {
	machines := p.w.state.all()
	free := name
	for n := 2; ; n++ {
		if _, taken := find(machines, free); !taken {
			return free
		}
		free = fmt.Sprintf("%s-%d", name, n)
	}
}

// submit starts what the form says. The name is looked at once more: a machine may
// have come from the command line since it was typed.
func (p *createPage) submit() {
	if p.fields[FieldName].Check(); !p.right() {
		return
	}
	p.dialog.Hide()
	p.w.up(p.plan, machine.StartOptions{})
}
