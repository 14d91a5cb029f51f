package widgets

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"
)

// Theme is Fyne's, dark or light as the desktop is, with one change: what is
// disabled or less important stays readable.
func Theme() fyne.Theme { return readable{theme.DefaultTheme()} }

type readable struct{ fyne.Theme }

// Color implements fyne.Theme.
func (r readable) Color(name fyne.ThemeColorName, variant fyne.ThemeVariant) color.Color {
	if name != theme.ColorNameDisabled {
		return r.Theme.Color(name, variant)
	}
	if variant == theme.VariantLight {
		return color.NRGBA{R: 0x6c, G: 0x6c, B: 0x72, A: 0xff}
	}
	return color.NRGBA{R: 0x92, G: 0x92, B: 0x9a, A: 0xff}
}
