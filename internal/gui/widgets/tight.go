package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"
)

// A label keeps a distance around its text that is meant for other widgets. The
// layouts here take some of it back, so that lines of one text stand together.

func overlap() float32 { return 1.25 * theme.InnerPadding() }

// tight is a column of labels.
type tight struct{}

// MinSize implements fyne.Layout.
func (tight) MinSize(objects []fyne.CanvasObject) fyne.Size {
	var size fyne.Size
	for _, o := range visible(objects) {
		size.Width = max(size.Width, o.MinSize().Width)
		size.Height += o.MinSize().Height - overlap()
	}
	if size.Height > 0 {
		size.Height += overlap()
	}
	return size
}

// Layout implements fyne.Layout.
func (tight) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	y := float32(0)
	for _, o := range visible(objects) {
		y += place(o, 0, y, size.Width) - overlap()
	}
}

// tightForm is two columns: labels as wide as the widest, but at least labelWidth,
// and values. Objects come in pairs.
type tightForm struct{}

// labelWidth lets two forms, one above the other, stand in line.
const labelWidth = 100

func (tightForm) left(objects []fyne.CanvasObject) float32 {
	width := float32(labelWidth)
	for i := 0; i < len(objects); i += 2 {
		width = max(width, objects[i].MinSize().Width)
	}
	return width
}

// MinSize implements fyne.Layout.
func (t tightForm) MinSize(objects []fyne.CanvasObject) fyne.Size {
	var right, height float32
	for i := 0; i+1 < len(objects); i += 2 {
		right = max(right, objects[i+1].MinSize().Width)
		height += max(objects[i].MinSize().Height, objects[i+1].MinSize().Height) - overlap()
	}
	if height > 0 {
		height += overlap()
	}
	return fyne.NewSize(t.left(objects)+right, height)
}

// Layout implements fyne.Layout.
func (t tightForm) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	left, y := t.left(objects), float32(0)
	for i := 0; i+1 < len(objects); i += 2 {
		label := place(objects[i], 0, y, left)
		y += max(label, place(objects[i+1], left, y, size.Width-left)) - overlap()
	}
}

func visible(objects []fyne.CanvasObject) []fyne.CanvasObject {
	var out []fyne.CanvasObject
	for _, o := range objects {
		if o.Visible() {
			out = append(out, o)
		}
	}
	return out
}

// place puts o somewhere and returns its height there. The width comes first: it
// decides where a wrapping label breaks its lines.
func place(o fyne.CanvasObject, x, y, width float32) float32 {
	o.Resize(fyne.NewSize(width, o.MinSize().Height))
	height := o.MinSize().Height
	o.Resize(fyne.NewSize(width, height))
	o.Move(fyne.NewPos(x, y))
	return height
}
