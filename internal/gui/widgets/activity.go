package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"
)

// ActivityText is what an Activity shows. One without Text hides it.
type ActivityText struct {
	Text    string  // what is being done
	Aside   string  // how long already, how much of how much
	Percent float64 // 0 to 100; below 0 where nobody knows
	// Beat is any number that changes as time goes by. Where nobody knows the
	// percentage, it moves the bar.
	Beat int
}

// Activity is something under way: a line of text and a bar.
type Activity struct {
	widget.BaseWidget
	text, aside *widget.Label
	bar         *widget.ProgressBar
	pulse       *pulse
	shown       ActivityText
}

// NewActivity makes a hidden activity.
func NewActivity() *Activity {
	a := &Activity{
		text:  wrapped(""),
		aside: widget.NewLabel(""),
		bar:   widget.NewProgressBar(),
		pulse: newPulse(),
	}
	a.text.TextStyle.Bold = true
	a.ExtendBaseWidget(a)
	a.Hide()
	return a
}

// Shown returns what is shown.
func (a *Activity) Shown() ActivityText { return a.shown }

// Display shows t, or hides the activity when it has no text.
func (a *Activity) Display(t ActivityText) {
	if t == a.shown {
		return
	}
	a.shown = t
	setLabel(a.text, t.Text, widget.MediumImportance)
	setLabel(a.aside, t.Aside, widget.MediumImportance)
	known := t.Percent >= 0
	if known {
		a.bar.SetValue(min(t.Percent, 100) / 100)
	} else {
		a.pulse.step(t.Beat)
	}
	setVisible(a.bar, known)
	setVisible(a.pulse, !known)
	setVisible(a, t.Text != "")
}

// CreateRenderer implements fyne.Widget.
func (a *Activity) CreateRenderer() fyne.WidgetRenderer {
	top := container.NewBorder(nil, nil, nil, a.aside, a.text)
	pulse := container.NewPadded(container.NewPadded(a.pulse))
	return widget.NewSimpleRenderer(container.NewPadded(container.NewVBox(top, container.NewStack(a.bar, pulse))))
}
