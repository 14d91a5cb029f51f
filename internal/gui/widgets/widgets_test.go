package widgets

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// inWindow shows an object in a window of the test driver.
func inWindow(t *testing.T, o fyne.CanvasObject) fyne.Window {
	t.Helper()
	app := test.NewApp()
	app.Settings().SetTheme(Theme())
	w := app.NewWindow("test")
	w.SetContent(container.NewStack(o))
	w.Resize(fyne.NewSize(600, 400))
	t.Cleanup(w.Close)
	return w
}

// part returns the first visible object of a kind below o.
func part[T fyne.CanvasObject](o fyne.CanvasObject, match func(T) bool) (found T, ok bool) {
	if o == nil || !o.Visible() {
		return found, false
	}
	if candidate, is := o.(T); is && match(candidate) {
		return candidate, true
	}
	var children []fyne.CanvasObject
	switch o := o.(type) {
	case *fyne.Container:
		children = o.Objects
	case fyne.Widget:
		children = test.WidgetRenderer(o).Objects()
	}
	for _, child := range children {
		if found, ok = part(child, match); ok {
			return found, true
		}
	}
	return found, false
}

func hasText(o fyne.CanvasObject, text string) bool {
	_, ok := part(o, func(l *widget.Label) bool { return l.Text == text })
	return ok
}

func TestRowIsGreyedWhenStale(t *testing.T) {
	r := NewRow()
	inWindow(t, r)
	r.Display(RowText{Title: "win", Detail: "Running", Tone: Good})
	live := r.icon.Resource.Content()
	r.Display(RowText{Title: "win", Detail: "Running", Tone: Good, Stale: true})
	if string(live) == string(r.icon.Resource.Content()) {
		t.Error("the icon has the same colour")
	}
	if r.title.Importance != widget.LowImportance || r.detail.Importance != widget.LowImportance {
		t.Error("the text is not greyed")
	}
	if !hasText(r, "win") || !hasText(r, "Running") {
		t.Error("the text is not shown")
	}
}

// Colour alone does not tell the tones apart: not everybody sees it.
func TestTonesDifferInShape(t *testing.T) {
	seen := map[string]Tone{}
	for _, tone := range []Tone{Quiet, Plain, Busy, Good, Bad} {
		shape := tone.icon().Name()
		if other, taken := seen[shape]; taken {
			t.Errorf("tones %d and %d have the same icon", tone, other)
		}
		seen[shape] = tone
	}
}

func TestTitle(t *testing.T) {
	title := NewTitle()
	inWindow(t, title)
	want := RowText{Title: "win", Detail: "Stopped · Windows 11"}
	title.Display(want)
	if title.Shown() != want || !hasText(title, "win") || !hasText(title, "Stopped · Windows 11") {
		t.Errorf("shows %+v", title.Shown())
	}
}

func TestNotice(t *testing.T) {
	n := NewNotice(Bad)
	retried := 0
	n.OnRetry = func() { retried++ }
	inWindow(t, n)
	if n.Visible() {
		t.Error("a notice without text is visible")
	}
	n.Display(NoticeText{Title: "Gone", Reason: "it went"})
	if !n.Visible() || !hasText(n, "Gone") || !hasText(n, "it went") {
		t.Error("the text is not shown")
	}
	retry, ok := part(n, func(b *widget.Button) bool { return b.Text == "Retry" })
	if !ok {
		t.Fatal("there is no button Retry")
	}
	test.Tap(retry)
	if retried != 1 {
		t.Errorf("retried %d times", retried)
	}
	n.Display(NoticeText{})
	if n.Visible() {
		t.Error("the notice stays")
	}
}

func TestNoticeWithoutRetry(t *testing.T) {
	n := NewNotice(Busy)
	inWindow(t, n)
	n.Display(NoticeText{Reason: "a note"})
	if _, ok := part(n, func(*widget.Button) bool { return true }); ok {
		t.Error("there is a button although nobody listens")
	}
}

func TestActivityBars(t *testing.T) {
	a := NewActivity()
	inWindow(t, a)
	if a.Visible() {
		t.Error("an activity without text is visible")
	}
	a.Display(ActivityText{Text: "Installing", Percent: 45})
	if !a.bar.Visible() || a.pulse.Visible() || a.bar.Value != 0.45 {
		t.Errorf("45 %%: bar %v at %v, pulse %v", a.bar.Visible(), a.bar.Value, a.pulse.Visible())
	}
	a.Display(ActivityText{Text: "Installing", Percent: 250})
	if a.bar.Value != 1 {
		t.Errorf("250 %%: bar at %v", a.bar.Value)
	}
	a.Display(ActivityText{Text: "Starting", Percent: -1, Beat: 3})
	if a.bar.Visible() || !a.pulse.Visible() {
		t.Errorf("unknown: bar %v, pulse %v", a.bar.Visible(), a.pulse.Visible())
	}
	before := a.pulse.block.Position()
	a.Display(ActivityText{Text: "Starting", Percent: -1, Beat: 4})
	if a.pulse.block.Position() == before {
		t.Error("the block does not move")
	}
	a.Display(ActivityText{})
	if a.Visible() {
		t.Error("the activity stays")
	}
}

func TestFacts(t *testing.T) {
	opened := ""
	f := NewFacts("Ports", func(url string) { opened = url })
	inWindow(t, f)
	if f.Visible() {
		t.Error("a table without facts is visible")
	}
	f.Display([]Fact{{Label: "viewer", Text: "http://x/", URL: "http://x/", Aside: "to 8006"}, {Label: "rdp", Text: "127.0.0.1:3389"}})
	for _, text := range []string{"Ports", "viewer", "to 8006", "rdp", "127.0.0.1:3389"} {
		if !hasText(f, text) {
			t.Errorf("%q is not shown", text)
		}
	}
	link, ok := part(f, func(*widget.Hyperlink) bool { return true })
	if !ok {
		t.Fatal("there is no link")
	}
	test.TapAt(link, fyne.NewPos(link.Size().Width/2, link.Size().Height/2))
	if opened != "http://x/" {
		t.Errorf("opened %q", opened)
	}
	f.Display(nil)
	if f.Visible() || hasText(f, "rdp") {
		t.Error("the facts stay")
	}
}

func TestLogKeepsTheLastLines(t *testing.T) {
	l := NewLog(3, func(string) {})
	inWindow(t, l)
	l.Add([]string{"1", "2"})
	l.Add(nil)
	l.Add([]string{"3", "4"})
	if got := l.Text(); got != "2\n3\n4" {
		t.Errorf("got %q", got)
	}
	l.Add([]string{"5", "6", "7", "8"})
	if got := l.Text(); got != "6\n7\n8" {
		t.Errorf("more at once than are kept: got %q", got)
	}
	l.Clear()
	l.Add([]string{"new"})
	if got := l.Text(); got != "new" {
		t.Errorf("after clear: got %q", got)
	}
}

func TestLogFollows(t *testing.T) {
	l := NewLog(1000, func(string) {})
	inWindow(t, l)
	var lines []string
	for i := range 200 {
		lines = append(lines, fmt.Sprint("line ", i))
	}
	l.Add(lines)
	at := func() float32 { return l.grid.PositionForCursorLocation(0, 0).Y }
	end := at()
	if end >= 0 {
		t.Fatalf("the log is not at its end: the first line is at %v", end)
	}
	follow, ok := part(l, func(c *widget.Check) bool { return c.Text == "Follow" })
	if !ok {
		t.Fatal("there is no box Follow")
	}
	follow.SetChecked(false)
	l.grid.ScrollToTop()
	l.Add([]string{"one more"})
	if at() != 0 {
		t.Error("the log scrolls although it is not to follow")
	}
	follow.SetChecked(true)
	if at() >= end {
		t.Errorf("the first line is at %v, was at %v", at(), end)
	}
}

func TestField(t *testing.T) {
	checked, submitted := 0, 0
	f := NewField("Memory", "such as 8G", func(text string) error {
		if !strings.HasSuffix(text, "G") {
			return errors.New("no unit")
		}
		return nil
	})
	f.OnChecked, f.OnSubmitted = func() { checked++ }, func() { submitted++ }
	inWindow(t, f)
	f.SetText("8G")
	if f.Err() != nil || f.Note() != "such as 8G" || checked == 0 {
		t.Errorf("8G: error %v, note %q, checked %d", f.Err(), f.Note(), checked)
	}
	f.entry.OnSubmitted(f.entry.Text)
	f.SetText("")
	test.Type(f.Entry(), "8GB")
	if f.Err() == nil || f.Note() != "no unit" {
		t.Errorf("8GB: error %v, note %q", f.Err(), f.Note())
	}
	f.entry.OnSubmitted(f.entry.Text)
	if submitted != 1 {
		t.Errorf("submitted %d times, want once", submitted)
	}
}

func TestThemeStaysReadable(t *testing.T) {
	for _, variant := range []fyne.ThemeVariant{theme.VariantDark, theme.VariantLight} {
		grey := Theme().Color(theme.ColorNameDisabled, variant)
		back := Theme().Color(theme.ColorNameBackground, variant)
		if contrast(luminance(grey.RGBA()), luminance(back.RGBA())) < 4 {
			t.Errorf("variant %d: disabled text cannot be read", variant)
		}
		if Theme().Color(theme.ColorNamePrimary, variant) != theme.DefaultTheme().Color(theme.ColorNamePrimary, variant) {
			t.Errorf("variant %d: more is changed than the greys", variant)
		}
	}
}

// luminance and contrast are roughly those of WCAG 2, with 2.2 for its curve.
func luminance(r, g, b, _ uint32) float64 {
	linear := func(c uint32) float64 { f := float64(c) / 0xffff; return f * f }
	return 0.2126*linear(r) + 0.7152*linear(g) + 0.0722*linear(b)
}

func contrast(a, b float64) float64 {
	return (max(a, b) + 0.05) / (min(a, b) + 0.05)
}

func TestTightLeavesNothingOutside(t *testing.T) {
	test.NewApp()
	long := wrapped(strings.Repeat("many words in a row ", 20))
	hidden := widget.NewLabel("hidden")
	hidden.Hide()
	box := container.New(tight{}, widget.NewLabel("first"), hidden, long)
	box.Resize(fyne.NewSize(300, 10))
	if long.Position().Y+long.Size().Height > box.MinSize().Height+1 {
		t.Errorf("the last label ends at %v, the box at %v", long.Position().Y+long.Size().Height, box.MinSize().Height)
	}
	form := container.New(tightForm{}, widget.NewLabel("Storage"), long)
	form.Resize(fyne.NewSize(300, 10))
	if long.Position().X < labelWidth || long.Position().X+long.Size().Width > 300 {
		t.Errorf("the value is from %v, %v wide", long.Position().X, long.Size().Width)
	}
	if empty := container.New(tight{}).MinSize(); empty.Height != 0 {
		t.Errorf("nothing is %v high", empty.Height)
	}
}
