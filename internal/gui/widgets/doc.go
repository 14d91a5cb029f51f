// Package widgets shows things and calls back. Its widgets take plain text and
// numbers, know neither machines nor engines, and decide nothing.
//
//	row := widgets.NewRow()
//	row.Display(widgets.RowText{Title: "win11", Detail: "Windows · Running", Tone: widgets.Good})
//
// Every widget keeps what it shows and draws only when that changes, so a page may
// tell it the same thing as often as it likes. All of it belongs to the UI thread.
package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// Tone is how a thing stands, as far as a colour can say it. The same is always
// said in words beside it.
type Tone int

// The tones.
const (
	Quiet Tone = iota // at rest
	Plain             // a thing to choose, which stands no way at all
	Busy              // something is under way
	Good              // as it should be
	Bad               // needs the user
)

func (t Tone) color() fyne.ThemeColorName {
	switch t {
	case Plain:
		return theme.ColorNameForeground
	case Busy:
		return theme.ColorNameWarning
	case Good:
		return theme.ColorNameSuccess
	case Bad:
		return theme.ColorNameError
	}
	return theme.ColorNameDisabled
}

func (t Tone) icon() fyne.Resource {
	switch t {
	case Plain:
		return theme.ComputerIcon()
	case Busy:
		return theme.MediaRecordIcon()
	case Good:
		return theme.MediaPlayIcon()
	case Bad:
		return theme.ErrorIcon()
	}
	return theme.MediaStopIcon()
}

// coloured returns the icon of a tone in its colour, or greyed.
func (t Tone) coloured(stale bool) fyne.Resource {
	if stale {
		return theme.NewDisabledResource(t.icon())
	}
	return theme.NewColoredResource(t.icon(), t.color())
}

// wrapped makes a label whose long text goes on in the next line and may be
// selected and copied.
func wrapped(text string) *widget.Label {
	l := widget.NewLabel(text)
	l.Wrapping = fyne.TextWrapWord
	l.Selectable = true
	return l
}

// setVisible shows or hides, and does nothing where nothing changes.
func setVisible(o fyne.CanvasObject, visible bool) {
	switch {
	case visible && !o.Visible():
		o.Show()
	case !visible && o.Visible():
		o.Hide()
	}
}
