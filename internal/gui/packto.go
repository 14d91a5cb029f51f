package gui

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/dialog"
)

// packSuffix is what the files of packed machines end in.
const packSuffix = ".vm"

// askPack asks for the folder to pack into. Fyne's dialog for a file to save would empty
// the one that is chosen, and that may be a disk.
func (w *Window) askPack(name string) {
	d := dialog.NewFolderOpen(func(folder fyne.ListableURI, err error) {
		switch {
		case err != nil:
			w.showFailure(verbPack, name, err)
		case folder != nil:
			w.pack(name, freeFile(folder.Path(), name))
		}
	}, w.win)
	d.SetConfirmText("Pack into this folder")
	w.fitFileDialog(d)
	d.Show()
}

// freeFile is a path in the folder for a machine's file, where nothing is yet.
func freeFile(folder, name string) string {
	path := filepath.Join(folder, name+packSuffix)
	for n := 2; ; n++ {
		if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) || n > maxFree {
			return path
		}
		path = filepath.Join(folder, fmt.Sprintf("%s-%d%s", name, n, packSuffix))
	}
}

// maxFree ends the search for a free name in a folder that cannot be looked into: packing
// tells what is wrong with it.
const maxFree = 1000
