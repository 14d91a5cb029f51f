package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// pulse is a bar for work of unknown length: a block that takes one step each time
// it is told to. Fyne's own ProgressBarInfinite draws the window sixty times a
// second, which is a third of a CPU where there is no graphics card, and a guest
// may be installing for half an hour.
type pulse struct {
	widget.BaseWidget
	block *canvas.Rectangle
	beat  int
}

// pulseSteps is how many places the block has.
const pulseSteps = 8

func newPulse() *pulse {
	p := &pulse{block: canvas.NewRectangle(theme.Color(theme.ColorNamePrimary))}
	p.block.CornerRadius = 3
	p.ExtendBaseWidget(p)
	return p
}

// step shows the block at the place of beat.
func (p *pulse) step(beat int) {
	if beat != p.beat {
		p.beat = beat
		p.Refresh()
	}
}

// CreateRenderer implements fyne.Widget.
func (p *pulse) CreateRenderer() fyne.WidgetRenderer {
	track := canvas.NewRectangle(theme.Color(theme.ColorNameInputBackground))
	track.CornerRadius = 3
	return &pulseRenderer{p: p, track: track}
}

type pulseRenderer struct {
	p     *pulse
	track *canvas.Rectangle
}

func (r *pulseRenderer) MinSize() fyne.Size           { return fyne.NewSize(pulseSteps*4, 10) }
func (r *pulseRenderer) Destroy()                     {}
func (r *pulseRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.track, r.p.block} }

func (r *pulseRenderer) Layout(size fyne.Size) {
	r.track.Resize(size)
	width := size.Width / pulseSteps
	r.p.block.Resize(fyne.NewSize(width, size.Height))
	r.p.block.Move(fyne.NewPos(width*float32(r.p.beat%pulseSteps), 0))
}

func (r *pulseRenderer) Refresh() {
	r.track.FillColor = theme.Color(theme.ColorNameInputBackground)
	r.p.block.FillColor = theme.Color(theme.ColorNamePrimary)
	r.Layout(r.p.Size())
	canvas.Refresh(r.p)
}
