package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// NoticeText is what a Notice says. The zero value hides it.
type NoticeText struct {
	Title  string // what happened, in a few words
	Reason string // why
	Fix    string // what to do about it
}

// Notice is a coloured box with something that the user should know, and, when
// OnRetry is set, a button to try again.
type Notice struct {
	widget.BaseWidget
	// OnRetry is called by the button "Retry"; nil shows no button. To be set
	// before the notice is shown.
	OnRetry func()

	tone               Tone
	title, reason, fix *widget.Label
	shown              NoticeText
}

// NewNotice makes a hidden notice in the colour of a tone.
func NewNotice(tone Tone) *Notice {
	n := &Notice{tone: tone, title: wrapped(""), reason: wrapped(""), fix: wrapped("")}
	n.title.TextStyle.Bold = true
	n.ExtendBaseWidget(n)
	n.Hide()
	return n
}

// Shown returns what the notice says.
func (n *Notice) Shown() NoticeText { return n.shown }

// Display shows text, or hides the notice when there is none.
func (n *Notice) Display(text NoticeText) {
	if text == n.shown {
		return
	}
	n.shown = text
	say(n.title, text.Title)
	say(n.reason, text.Reason)
	say(n.fix, text.Fix)
	setVisible(n, text != NoticeText{})
	n.Refresh()
}

func say(l *widget.Label, text string) {
	l.SetText(text)
	setVisible(l, text != "")
}

// CreateRenderer implements fyne.Widget.
func (n *Notice) CreateRenderer() fyne.WidgetRenderer {
	bar := canvas.NewRectangle(n.Theme().Color(n.tone.color(), theme.VariantDark))
	bar.SetMinSize(fyne.NewSize(4, 0))
	back := canvas.NewRectangle(n.Theme().Color(theme.ColorNameInputBackground, fyne.CurrentApp().Settings().ThemeVariant()))
	back.CornerRadius = 4
	icon := container.NewPadded(widget.NewIcon(n.tone.coloured(false)))
	lines := container.New(tight{}, n.title, n.reason, n.fix)
	var right fyne.CanvasObject
	if n.OnRetry != nil {
		retry := widget.NewButtonWithIcon("Retry", theme.ViewRefreshIcon(), n.OnRetry)
		right = container.NewPadded(container.NewCenter(retry))
	}
	content := container.NewBorder(nil, nil, container.NewHBox(bar, container.NewVBox(icon)), right, lines)
	return widget.NewSimpleRenderer(container.NewPadded(container.NewStack(back, content)))
}
