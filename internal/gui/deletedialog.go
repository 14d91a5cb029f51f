package gui

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/dialog"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"github.com/docker/go-units"

	"vmctl/internal/storage"
)

// namedFiles is how many files a list in the dialog names before it only counts.
const namedFiles = 8

// askDelete finds out what there is to delete and asks the user.
func (w *Window) askDelete(name string) {
	inventory := func(ctx context.Context) ([]storage.Item, error) { return w.engine.Inventory(ctx, name) }
	ask(w.bg, inventory, func(items []storage.Item, err error) {
		if err != nil && len(items) == 0 {
			w.showFailure(verbDelete, name, err)
			return
		}
		w.showDelete(name, items)
	})
}

func (w *Window) showDelete(name string, items []storage.Item) {
	goes, stays := paragraph(""), paragraph("")
	var d *dialog.CustomDialog
	disks := widget.NewCheck("Delete the disks too", nil)
	confirm := widget.NewButtonWithIcon("", theme.DeleteIcon(), func() {
		d.Hide()
		w.delete(name, disks.Checked)
	})
	confirm.Importance = widget.DangerImportance
	disks.OnChanged = func(on bool) {
		gone, kept := sortOut(items, on)
		goes.SetText("Deleted: " + listed(gone, "nothing"))
		stays.SetText("Kept: " + listed(kept, "nothing"))
		text := "Delete, keep the disks"
		if on {
			text = "Delete with the disks"
		}
		confirm.SetText(text)
	}
	disks.OnChanged(false)
	cancel := widget.NewButton("Cancel", func() { d.Hide() })
	files := container.NewVScroll(container.NewVBox(goes, stays))
	files.SetMinSize(fyne.NewSize(0, 180))
	d = w.question("Delete "+name+"?", container.NewBorder(nil, disks, nil, nil, files), cancel, confirm)
	d.Show()
}

// sortOut tells which files a deletion takes and which it leaves: the disks and
// their snapshots unless asked for, and whatever is the user's own.
func sortOut(items []storage.Item, withStorage bool) (goes, stays []storage.Item) {
	for _, item := range items {
		top, _, _ := strings.Cut(path.Clean(item.Path), "/")
		durable := slices.Contains([]string{storage.StorageDir, storage.SnapshotsDir}, top)
		if item.Foreign || durable && !withStorage {
			stays = append(stays, item)
		} else {
			goes = append(goes, item)
		}
	}
	return goes, stays
}

// listed names files with the space they take, the biggest first.
func listed(items []storage.Item, none string) string {
	if len(items) == 0 {
		return none
	}
	bySize := slices.Clone(items)
	slices.SortStableFunc(bySize, func(a, b storage.Item) int { return int(min(1, max(-1, b.Allocated-a.Allocated))) })
	var total int64
	for _, item := range items {
		total += item.Allocated
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s in %s", units.BytesSize(float64(total)), count(len(items), "file"))
	for i, item := range bySize {
		if i == namedFiles {
			fmt.Fprintf(&b, "\n    and %d more", len(items)-i)
			break
		}
		fmt.Fprintf(&b, "\n    %s  (%s)", item.Path, units.BytesSize(float64(item.Allocated)))
	}
	return b.String()
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
