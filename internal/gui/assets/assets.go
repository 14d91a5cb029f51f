// Package assets holds the pictures that the window shows, embedded in the
// program so that it needs no files beside it.
//
//	application.SetIcon(assets.Icon())
package assets

import (
	_ "embed"

	"fyne.io/fyne/v2"
)

//go:embed icon.svg
var icon []byte

// Icon is the picture of the program: two screens, one in front of the other,
// the nearer one ready to be started.
func Icon() fyne.Resource { return fyne.NewStaticResource("vmgui.svg", icon) }
