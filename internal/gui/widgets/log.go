package widgets

import (
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// Log shows lines of text as they come, the last ones of many, and stays at the
// end as long as the user lets it follow.
type Log struct {
	widget.BaseWidget
	// OnCopy is called with all lines by the button "Copy".
	OnCopy func(text string)

	keep   int
	grid   *widget.TextGrid
	follow *widget.Check
	note   *widget.Label
}

// NewLog makes an empty log that keeps the last so many lines.
func NewLog(keep int, onCopy func(text string)) *Log {
	l := &Log{keep: keep, OnCopy: onCopy, grid: widget.NewTextGrid(), note: widget.NewLabel("")}
	l.grid.Scroll = fyne.ScrollBoth
	l.follow = widget.NewCheck("Follow", func(on bool) {
		if on {
			l.toEnd()
		}
	})
	l.follow.Checked = true
	l.note.Truncation = fyne.TextTruncateEllipsis
	l.note.Importance = widget.LowImportance
	l.ExtendBaseWidget(l)
	return l
}

// Clear removes all lines.
func (l *Log) Clear() { l.grid.SetText("") }

// Note says something about the log, above it.
func (l *Log) Note(text string) {
	if l.note.Text != text {
		l.note.SetText(text)
	}
}

// Add appends lines.
func (l *Log) Add(lines []string) {
	if len(lines) == 0 {
		return
	}
	if len(l.grid.Rows) == 1 && len(l.grid.Rows[0].Cells) == 0 {
		l.grid.Rows = nil // an empty text is one empty row
	}
	if over := len(l.grid.Rows) + len(lines) - l.keep; over > 0 {
		fromRows := min(over, len(l.grid.Rows))
		l.grid.Rows = l.grid.Rows[fromRows:]
		lines = lines[over-fromRows:]
	}
	l.grid.Append(strings.Join(lines, "\n"))
	if l.follow.Checked {
		l.toEnd()
	}
}

// toEnd scrolls to the last line. TextGrid scrolls no further than its content was
// big when it was last laid out, and does that only when its size changes.
func (l *Log) toEnd() {
	size := l.grid.Size()
	l.grid.Resize(size.AddWidthHeight(0, 1))
	l.grid.Resize(size)
	l.grid.ScrollToBottom()
}

// Text returns all lines.
func (l *Log) Text() string { return l.grid.Text() }

// CreateRenderer implements fyne.Widget.
func (l *Log) CreateRenderer() fyne.WidgetRenderer {
	duplicate := widget.NewButtonWithIcon("Copy", theme.ContentCopyIcon(), func() { l.OnCopy(l.Text()) })
	top := container.NewBorder(nil, nil, l.follow, duplicate, l.note)
	return widget.NewSimpleRenderer(container.NewBorder(top, nil, nil, nil, l.grid))
}
