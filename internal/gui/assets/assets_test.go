package assets

import (
	"testing"

	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/test"
)

// The icon must be one that Fyne can draw: it knows only a part of SVG.
func TestIconIsDrawn(t *testing.T) {
	test.NewApp()
	picture := canvas.NewImageFromResource(Icon())
	w := test.NewWindow(picture)
	defer w.Close()
	w.SetPadded(false)
	w.Resize(picture.MinSize().AddWidthHeight(64, 64))
	colours := map[[3]uint32]bool{}
	image := w.Canvas().Capture()
	for y := range image.Bounds().Dy() {
		for x := range image.Bounds().Dx() {
			r, g, b, _ := image.At(x, y).RGBA()
			colours[[3]uint32{r, g, b}] = true
		}
	}
	if len(colours) < 5 {
		t.Errorf("only %d colours are to be seen", len(colours))
	}
}
