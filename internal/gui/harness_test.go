package gui

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"

	"vmctl/internal/gui/widgets"
)

// patience is how long a test waits for the window to come round.
const patience = 10 * time.Second

// harness drives a window as a user does: it looks for what is visible, and taps at
// a place, so that a button that is covered or cut off is not pressed.
type harness struct {
	*testing.T
	w      *Window
	engine *fakeEngine
	app    fyne.App
	ui     chan func()
	time   time.Time
}

// newHarness opens a window over the engine. The test's goroutine is the UI thread:
// what comes back from background work is run by until.
func newHarness(t *testing.T, e *fakeEngine) *harness {
	t.Helper()
	h := newHarnessOver(t, e)
	h.engine = e
	return h
}

// newHarnessOver opens a window over any engine.
func newHarnessOver(t *testing.T, e Engine) *harness {
	t.Helper()
	h := &harness{T: t, engine: &fakeEngine{}, app: test.NewApp(), ui: make(chan func()), time: time.Unix(1_800_000_000, 0)}
	h.w = New(h.app, e, Options{
		Interval: time.Millisecond,
		Do: func(f func()) {
			select {
			case h.ui <- f:
			case <-t.Context().Done():
			}
		},
		Now: func() time.Time { return h.time },
	})
	h.w.win.Resize(fyne.NewSize(1000, 640))
	h.w.win.Show()
	t.Cleanup(func() { h.w.bg.wait(patience) })
	t.Cleanup(h.close)
	return h
}

// close closes the window as the user does.
func (h *harness) close() {
	if h.w.bg.ctx.Err() == nil { // Fyne's test window cannot be closed twice
		h.w.win.Close()
	}
}

// until lets the window work until the condition holds.
func (h *harness) until(what string, condition func() bool) {
	h.Helper()
	deadline := time.After(patience)
	for !condition() {
		select {
		case f := <-h.ui:
			f()
		case <-deadline:
			h.Fatalf("waited in vain for: %s\nwindow:\n%s\ncalls: %v", what, h.text(), h.engine.made())
		}
	}
}

// untilText waits until the text is to be seen.
func (h *harness) untilText(text string) {
	h.Helper()
	h.until(fmt.Sprintf("text %q", text), func() bool { return strings.Contains(h.text(), text) })
}

func (h *harness) untilNoText(text string) {
	h.Helper()
	h.until(fmt.Sprintf("no text %q", text), func() bool { return !strings.Contains(h.text(), text) })
}

func (h *harness) untilCall(call string) {
	h.Helper()
	h.until("call "+call, func() bool { return strings.Contains(strings.Join(h.engine.made(), "\n"), call) })
}

// looks lets the window ask for the machines n times more.
func (h *harness) looks(n int) {
	h.Helper()
	want := h.engine.lists.Load() + int64(n)
	h.until("more looks", func() bool { return h.engine.lists.Load() >= want })
}

// top is what the user can reach: the topmost dialog, or else the window.
func (h *harness) top() fyne.CanvasObject {
	if o := h.w.win.Canvas().Overlays().Top(); o != nil {
		return o
	}
	return h.w.win.Canvas().Content()
}

// walk visits everything visible below o.
func walk(o fyne.CanvasObject, visit func(fyne.CanvasObject)) {
	if o == nil || !o.Visible() {
		return
	}
	visit(o)
	switch o := o.(type) {
	case *fyne.Container:
		for _, child := range o.Objects {
			walk(child, visit)
		}
	case fyne.Widget:
		for _, child := range test.WidgetRenderer(o).Objects() {
			walk(child, visit)
		}
	}
}

// text is all that can be read now, a line a widget.
func (h *harness) text() string {
	var b strings.Builder
	walk(h.w.win.Canvas().Content(), func(o fyne.CanvasObject) { writeText(&b, o) })
	for _, overlay := range h.w.win.Canvas().Overlays().List() {
		b.WriteString("--- dialog\n")
		walk(overlay, func(o fyne.CanvasObject) { writeText(&b, o) })
	}
	return b.String()
}

func writeText(b *strings.Builder, o fyne.CanvasObject) {
	text := ""
	switch o := o.(type) {
	case *widget.Label:
		text = o.Text
	case *widget.Button:
		text = "[" + o.Text + "]"
	case *widget.Hyperlink:
		text = o.Text
	case *widget.Entry:
		text = "> " + o.Text
	case *widget.Check:
		text = o.Text
	case *widget.TextGrid:
		text = o.Text()
	}
	if text != "" {
		fmt.Fprintln(b, text)
	}
}

// lookFor returns the visible widget of a kind for which match holds.
func lookFor[T fyne.CanvasObject](h *harness, match func(T) bool) (found T, ok bool) {
	walk(h.top(), func(o fyne.CanvasObject) {
		if candidate, is := o.(T); is && !ok && match(candidate) {
			found, ok = candidate, true
		}
	})
	return found, ok
}

func (h *harness) button(text string) *widget.Button {
	h.Helper()
	b, ok := lookFor(h, func(b *widget.Button) bool { return b.Text == text })
	if !ok {
		h.Fatalf("there is no button %q in:\n%s", text, h.text())
	}
	return b
}

// press presses a button that must be there and allowed.
func (h *harness) press(text string) {
	h.Helper()
	b := h.button(text)
	if b.Disabled() {
		h.Fatalf("button %q is disabled in:\n%s", text, h.text())
	}
	h.tap(b)
}

// arrange lays everything out anew, which a real canvas does before each frame and
// Fyne's test canvas only when its size changes.
func (h *harness) arrange() {
	size := h.w.win.Canvas().Size()
	h.w.win.Resize(size.AddWidthHeight(1, 1))
	h.w.win.Resize(size)
}

// tap taps in the middle of an object, wherever it is on the screen.
func (h *harness) tap(o fyne.CanvasObject) {
	h.Helper()
	h.arrange()
	at := h.app.Driver().AbsolutePositionForObject(o).AddXY(o.Size().Width/2, o.Size().Height/2)
	size := h.w.win.Canvas().Size()
	if at.X < 0 || at.Y < 0 || at.X > size.Width || at.Y > size.Height {
		h.Fatalf("%v is outside of the window of %v", at, size)
	}
	test.TapCanvas(h.w.win.Canvas(), at)
}

// tick ticks a box.
func (h *harness) tick(text string) {
	h.Helper()
	c, ok := lookFor(h, func(c *widget.Check) bool { return c.Text == text })
	if !ok {
		h.Fatalf("there is no box %q in:\n%s", text, h.text())
	}
	test.TapCanvas(h.w.win.Canvas(), h.app.Driver().AbsolutePositionForObject(c).AddXY(10, c.Size().Height/2))
}

// choose taps the row of a list.
func (h *harness) choose(title string) {
	h.Helper()
	r, ok := lookFor(h, func(r *widgets.Row) bool { return r.Shown().Title == title })
	if !ok {
		h.Fatalf("there is no row %q in:\n%s", title, h.text())
	}
	h.tap(r)
}

// row is what the list shows of a machine.
func (h *harness) row(title string) widgets.RowText {
	for _, r := range h.w.machines.rows {
		if r.Title == title {
			return r
		}
	}
	return widgets.RowText{}
}

// fill replaces the text of a form's field by typing.
func (h *harness) fill(label, text string) *widgets.Field {
	h.Helper()
	f, ok := lookFor(h, func(f *widgets.Field) bool { return f.Label() == label })
	if !ok {
		h.Fatalf("there is no field %q in:\n%s", label, h.text())
	}
	f.Entry().SetText("")
	test.Type(f.Entry(), text)
	return f
}
