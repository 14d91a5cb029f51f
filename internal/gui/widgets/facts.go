package widgets

import (
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"
)

// Fact is one line of Facts.
type Fact struct {
	Label string
	Text  string
	// URL makes the text a link that calls OnOpen.
	URL string
	// Aside follows a link: what the link leads to.
	Aside string
}

// Facts is a table of labels and values below a heading; hidden while there are no
// facts. Values may be selected and copied.
type Facts struct {
	widget.BaseWidget
	// OnOpen is called with the URL of a fact whose link is tapped.
	OnOpen func(url string)

	heading *widget.Label
	grid    *fyne.Container
	shown   []Fact
}

// NewFacts makes an empty table.
func NewFacts(heading string, onOpen func(url string)) *Facts {
	f := &Facts{OnOpen: onOpen, heading: widget.NewLabel(heading), grid: container.New(tightForm{})}
	f.heading.TextStyle.Bold = true
	f.ExtendBaseWidget(f)
	f.Hide()
	return f
}

// Shown returns what is shown.
func (f *Facts) Shown() []Fact { return f.shown }

// Display shows facts.
func (f *Facts) Display(facts []Fact) {
	if slices.Equal(facts, f.shown) {
		return
	}
	f.shown = slices.Clone(facts)
	f.grid.Objects = nil
	for _, fact := range facts {
		label := widget.NewLabel(fact.Label)
		label.Importance = widget.LowImportance
		f.grid.Objects = append(f.grid.Objects, label, f.value(fact))
	}
	setVisible(f, len(facts) > 0)
	f.grid.Refresh()
	f.Refresh()
}

func (f *Facts) value(fact Fact) fyne.CanvasObject {
	if fact.URL == "" {
		return wrapped(fact.Text)
	}
	link := widget.NewHyperlink(fact.Text, nil)
	link.OnTapped = func() { f.OnOpen(fact.URL) }
	aside := widget.NewLabel(fact.Aside)
	aside.Truncation = fyne.TextTruncateEllipsis
	aside.Importance = widget.LowImportance
	return container.NewBorder(nil, nil, link, nil, aside)
}

// CreateRenderer implements fyne.Widget.
func (f *Facts) CreateRenderer() fyne.WidgetRenderer {
	return widget.NewSimpleRenderer(container.New(tight{}, f.heading, f.grid))
}
