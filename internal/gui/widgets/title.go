package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// detailSize is the size of the less important lines.
const detailSize = theme.SizeNameCaptionText

// Title is the head of a page: a large name, and below it how things stand.
type Title struct {
	widget.BaseWidget
	name   *widget.Label
	icon   *widget.Icon
	detail *widget.Label
	shown  RowText
}

// NewTitle makes an empty title.
func NewTitle() *Title {
	t := &Title{name: widget.NewLabel(""), icon: widget.NewIcon(nil), detail: widget.NewLabel("")}
	t.name.SizeName = theme.SizeNameHeadingText
	t.name.TextStyle.Bold = true
	t.name.Truncation = fyne.TextTruncateEllipsis
	t.detail.Truncation = fyne.TextTruncateEllipsis
	t.ExtendBaseWidget(t)
	return t
}

// Display shows text.
func (t *Title) Display(text RowText) {
	if text == t.shown {
		return
	}
	t.shown = text
	t.icon.SetResource(text.Tone.coloured(text.Stale))
	importance := widget.MediumImportance
	if text.Stale {
		importance = widget.LowImportance
	}
	setLabel(t.name, text.Title, importance)
	setLabel(t.detail, text.Detail, importance)
}

// Shown returns what the title shows.
func (t *Title) Shown() RowText { return t.shown }

// CreateRenderer implements fyne.Widget.
func (t *Title) CreateRenderer() fyne.WidgetRenderer {
	below := container.NewBorder(nil, nil, container.NewPadded(t.icon), nil, t.detail)
	return widget.NewSimpleRenderer(container.New(tight{}, t.name, below))
}
