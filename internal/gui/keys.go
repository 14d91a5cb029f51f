package gui

import "fyne.io/fyne/v2"

// typed is called with a key that no widget has taken: Escape closes the topmost dialog.
func (w *Window) typed(key *fyne.KeyEvent) {
	if n := len(w.dialogs); key.Name == fyne.KeyEscape && n > 0 {
		w.dialogs[n-1].Hide()
	}
}
