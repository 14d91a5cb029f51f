package machine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"vmctl/internal/hint"
	"vmctl/internal/recipe"
)

// Edit changes the recipe that a machine keeps, all at once; its storage stays, and the
// machine gets the change at its next start. change is given a copy of the recipe, with
// where it came from as its Source, and returns what it is to be. What is different comes
// back, each with what it needs.
//
// A change with which the image would delete or move the disk, or start on another one, is
// ErrGuard, and then nothing is changed. Before the first start there is no disk, and
// anything may change. Host paths that the recipe names are looked at by the start.
func (m *Manager) Edit(ctx context.Context, name string, change func(recipe.Recipe) (*recipe.Recipe, error), report Reporter) ([]recipe.Change, error) {
	changes, err := m.edit(ctx, name, change, report)
	if err != nil {
		return nil, fmt.Errorf("edit %q: %w", name, err)
	}
	return changes, nil
}

func (m *Manager) edit(ctx context.Context, name string, change func(recipe.Recipe) (*recipe.Recipe, error), report Reporter) ([]recipe.Change, error) {
	h, unlock, err := m.openLocked(ctx, name, report)
	if err != nil {
		return nil, err
	}
	defer unlock()
	old := *h.recipe
	old.Source = h.rec.Recipe
	now, err := change(old)
	if err != nil {
		return nil, err
	}
	changes, err := recipe.Diff(&old, now)
	if err != nil {
		return nil, err
	}
	unused, err := h.unused()
	if err != nil {
		return nil, err
	}
	if err := refuseChanges(changes); err != nil && !unused {
		return nil, err
	}
	if now.Source != h.rec.Recipe {
		h.rec.Recipe = now.Source
		if err := h.save(); err != nil {
			return nil, err
		}
	}
	if len(changes) == 0 {
		return nil, nil
	}
	data, err := now.Marshal()
	if err != nil {
		return nil, err
	}
	if err := h.dir.WriteRecipe(data); err != nil {
		return nil, err
	}
	if !unused {
		for _, text := range editNotes(&old, now, changes) {
			report.note(text)
		}
	}
	return changes, nil
}

// openLocked opens a machine to change it, and keeps others from that until unlock.
func (m *Manager) openLocked(ctx context.Context, name string, report Reporter) (h *handle, unlock func(), err error) {
	unlock, err = m.lock(ctx, name, report)
	if errors.Is(err, ErrNotFound) {
		err = hint.With(err, "see the machines with: vmctl ls")
	}
	if err != nil {
		return nil, nil, err
	}
	if h, err = m.open(name); err != nil {
		unlock()
		return nil, nil, err
	}
	return h, unlock, nil
}

// unused reports whether the machine has nothing that could be lost: no file is in its
// storage.
func (h *handle) unused() (bool, error) {
	for _, path := range append(h.diskPaths(), h.storagePath()) {
		switch entries, err := os.ReadDir(path); {
		case errors.Is(err, fs.ErrNotExist):
		case errors.Is(err, unix.ENOTDIR): // a whole device
			return false, nil
		case err != nil || len(entries) > 0:
			return false, err
		}
	}
	return true, nil
}

// refuseChanges is ErrGuard, naming all that a machine with a disk cannot take.
func refuseChanges(changes []recipe.Change) error {
	var why []string
	shrinks := false
	for _, c := range changes {
		if c.Effect != recipe.EffectRefused && c.Effect != recipe.EffectDisk {
			continue
		}
		reason := "the image would delete or move the disk"
		switch {
		case isDiskSize(c.Key):
			reason, shrinks = "a disk does not shrink", true
		case c.Effect == recipe.EffectDisk:
			reason = "the machine would start on another disk"
		case strings.HasPrefix(c.Key, "disks."):
			reason = "the image would not find the disk's file"
		}
		why = append(why, fmt.Sprintf("%s = %s: %s", c.Key, either(c.New, "(none)"), reason))
	}
	if len(why) == 0 {
		return nil
	}
	err := fmt.Errorf("%w: %s", ErrGuard, strings.Join(why, "; "))
	if shrinks && len(why) == 1 {
		return hint.With(err, "make another machine with a smaller disk, and copy inside the guests")
	}
	return hint.With(err, "make another machine with it: vmctl up RECIPE --name NAME")
}

// isDiskSize tells the keys of sizes of disks.
func isDiskSize(key string) bool {
	return key == "resources.disk" || strings.HasPrefix(key, "disks.") && strings.HasSuffix(key, ".size")
}

// editNotes is what a person should know of the changes beyond what each needs.
func editNotes(old, now *recipe.Recipe, changes []recipe.Change) []string {
	var out []string
	for _, c := range changes {
		disk, field := cutLast(strings.TrimPrefix(c.Key, "disks."))
		has := func(r *recipe.Recipe) bool {
			return slices.ContainsFunc(r.Disks, func(k recipe.Disk) bool { return k.Name == disk })
		}
		switch {
		case c.Key == "image":
			out = append(out, "another image may treat the disk otherwise; keep a copy first: vmctl snapshot create")
		case c.Key == "resources.disk", isDiskSize(c.Key) && has(old) && has(now):
			out = append(out, growNotes(now.Guest, c.Key == "resources.disk")...)
		case strings.HasPrefix(c.Key, "disks.") && field == "number" && !has(now):
			out = append(out, "the guest no longer sees disk "+disk+"; its file stays where it is")
		}
	}
	return out
}

// growNotes tells what is left to do in the guest once the image has grown its disk. The
// recovery partition of Windows lies directly behind C:, so that C: cannot just be
// extended.
func growNotes(g recipe.Guest, first bool) []string {
	notes := []string{"the image grows the disk's file at the next start; the guest's partitions stay as large as they are"}
	switch {
	case g == recipe.Windows && first:
		notes = append(notes, "in Windows the recovery partition is right behind C:. To give C: the new room, in PowerShell as administrator: "+
			`reagentc /disable; $c = Get-Partition -DriveLetter C; `+
			`Get-Partition -DiskNumber $c.DiskNumber | Where-Object { $_.Type -eq 'Recovery' -and $_.Offset -gt $c.Offset } | Remove-Partition -Confirm:$false; `+
			`Resize-Partition -DriveLetter C -Size ((Get-PartitionSupportedSize -DriveLetter C).SizeMax - 1GB); `+
			`$r = New-Partition -DiskNumber $c.DiskNumber -UseMaximumSize -GptType '{de94bba4-06d1-4d40-a16a-bfd50179d6ac}'; `+
			`Format-Volume -Partition $r -FileSystem NTFS -Confirm:$false; reagentc /enable`)
	case g == recipe.Windows:
		notes = append(notes, "in Windows, in PowerShell as administrator, with the drive's letter for D: Resize-Partition -DriveLetter D -Size (Get-PartitionSupportedSize -DriveLetter D).SizeMax")
	case g == recipe.MacOS:
		notes = append(notes, "in macOS, in the Terminal: diskutil repairDisk disk0; diskutil apfs resizeContainer disk0s2 0")
	case g == recipe.Linux:
		notes = append(notes, "in Linux, for the root partition's number and file system, such as: growpart /dev/vda 1; resize2fs /dev/vda1")
	}
	return notes
}

func cutLast(key string) (before, last string) {
	i := strings.LastIndex(key, ".")
	if i < 0 {
		return "", key
	}
	return key[:i], key[i+1:]
}
