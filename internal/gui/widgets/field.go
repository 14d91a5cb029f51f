package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"
)

// Field is a line of a form: a label, something to fill in, and below it a help
// that gives way to what is wrong.
type Field struct {
	widget.BaseWidget
	// OnChecked is called after each check, OnSubmitted when the user presses Enter
	// in a field that is right.
	OnChecked, OnSubmitted func()

	label, note *widget.Label
	entry       *widget.Entry
	help        string
	err         error
}

// NewField makes a field. check says, shortly, what is wrong with a text; it is
// asked at every change.
func NewField(label, help string, check func(text string) error) *Field {
	f := &Field{label: widget.NewLabel(label), note: wrapped(help), entry: widget.NewEntry(), help: help,
		OnChecked: func() {}, OnSubmitted: func() {}}
	f.label.TextStyle.Bold = true
	f.note.SizeName = detailSize
	f.entry.Validator = func(text string) error {
		f.checked(check(text))
		return f.err
	}
	f.entry.OnSubmitted = func(string) {
		if f.err == nil {
			f.OnSubmitted()
		}
	}
	f.ExtendBaseWidget(f)
	return f
}

// Entry is what the user types into.
func (f *Field) Entry() *widget.Entry { return f.entry }

// Label is the text before the field.
func (f *Field) Label() string { return f.label.Text }

// Note is the text below the field.
func (f *Field) Note() string { return f.note.Text }

// SetText fills the field, and has it checked.
func (f *Field) SetText(text string) {
	f.entry.SetText(text)
	f.Check()
}

// Check checks the field again: what is right may depend on other things.
func (f *Field) Check() { _ = f.entry.Validate() } // the error is kept by the validator

// Err is what is wrong with the text; nil is nothing.
func (f *Field) Err() error { return f.err }

func (f *Field) checked(err error) {
	f.err = err
	if err != nil {
		setLabel(f.note, err.Error(), widget.DangerImportance)
	} else {
		setLabel(f.note, f.help, widget.LowImportance)
	}
	f.Refresh()
	f.OnChecked()
}

// CreateRenderer implements fyne.Widget.
func (f *Field) CreateRenderer() fyne.WidgetRenderer {
	value := container.New(tight{}, container.NewVBox(f.entry), f.note)
	return widget.NewSimpleRenderer(container.New(tightForm{}, f.label, value))
}
