package gui

import (
	"os"

	"fyne.io/fyne/v2"
)

// packTo packs into the file that the dialog has opened, which nobody else has then.
func (w *Window) packTo(name string, f fyne.URIWriteCloser, err error) {
	switch {
	case err != nil:
		w.showFailure(verbPack, name, err)
	case f != nil:
		path := f.URI().Path()
		_ = f.Close()
		if info, err := os.Stat(path); err == nil && info.Size() == 0 {
			_ = os.Remove(path) // what stands in the way is told by Pack
		}
		w.pack(name, path)
	}
}
