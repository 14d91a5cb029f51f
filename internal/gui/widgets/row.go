package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"
)

// RowText is what a Row shows.
type RowText struct {
	Title  string
	Detail string
	Tone   Tone
	Stale  bool // not known to be true now: greyed
}

// Row is one line of a list: an icon whose colour and shape say how things stand,
// a title, and a smaller line below.
type Row struct {
	widget.BaseWidget
	icon          *widget.Icon
	title, detail *widget.Label
	shown         RowText
}

// NewRow makes an empty row.
func NewRow() *Row {
	r := &Row{
		icon:   widget.NewIcon(Quiet.coloured(false)),
		title:  widget.NewLabel(""),
		detail: widget.NewLabel(""),
	}
	r.title.TextStyle.Bold = true
	r.title.Truncation = fyne.TextTruncateEllipsis
	r.detail.Truncation = fyne.TextTruncateEllipsis
	r.detail.SizeName = detailSize
	r.ExtendBaseWidget(r)
	return r
}

// Shown returns what the row shows.
func (r *Row) Shown() RowText { return r.shown }

// Display shows t.
func (r *Row) Display(t RowText) {
	if t == r.shown {
		return
	}
	r.shown = t
	importance := widget.MediumImportance
	if t.Stale {
		importance = widget.LowImportance
	}
	r.icon.SetResource(t.Tone.coloured(t.Stale))
	setLabel(r.title, t.Title, importance)
	setLabel(r.detail, t.Detail, importance)
}

func setLabel(l *widget.Label, text string, importance widget.Importance) {
	if l.Text == text && l.Importance == importance {
		return
	}
	l.Importance = importance
	l.SetText(text)
}

// CreateRenderer implements fyne.Widget.
func (r *Row) CreateRenderer() fyne.WidgetRenderer {
	lines := container.New(tight{}, r.title, r.detail)
	icon := container.NewPadded(container.NewCenter(r.icon))
	return widget.NewSimpleRenderer(container.NewBorder(nil, nil, icon, nil, lines))
}
