package machine

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"vmctl/internal/hint"
	"vmctl/internal/recipe"
	"vmctl/internal/storage"
)

// guardAllocated is how much data on a disk without the installed marker is taken
// for an installed system rather than a begun installation.
const guardAllocated = 2 << 30

// diskFacts is what the guard judges by.
type diskFacts struct {
	marker    string // file name that says "installed"; empty where the image keeps none
	present   bool   // there is a data disk
	marked    bool
	allocated int64 // bytes
	installed bool  // the installation was seen to finish
}

// endangered tells, as text, why starting would cost the user a disk; "" if it
// would not.
//
// The Windows image keeps a disk only if its marker is there, and makes the marker
// only when the container is shut down cleanly (dockur/windows src/install.sh
// needsInstall, src/power.sh markWindowsBooted). After a power cut it deletes the
// disk at the next start, silently. A half-finished installation legitimately has
// no marker, so this is a question and never an automatic repair.
func endangered(f diskFacts) string {
	switch {
	case f.marker == "" || !f.present || f.marked:
		return ""
	case f.installed:
		return "its installation had finished, but it was never shut down cleanly since"
	case f.allocated >= guardAllocated:
		return fmt.Sprintf("its disk holds %.1f GiB, but it was never shut down cleanly", float64(f.allocated)/(1<<30))
	}
	return ""
}

// guard looks at the disk before a start. It returns ErrGuard where the image
// would delete it or move it away, unless the options say what the user wants.
func (m *Manager) guard(ctx context.Context, h *handle, o StartOptions, report Reporter) error {
	facts, err := m.diskFacts(h)
	if err != nil {
		return fmt.Errorf("look at the disk: %w", err)
	}
	if !facts.present { // what is installed now is what the recipe says now
		h.rec.Identity = identityOf(h.recipe)
	}
	if facts.present && h.rec.Identity != "" && h.rec.Identity != identityOf(h.recipe) {
		err := fmt.Errorf("%w: it was made with %q, and the recipe says %q; the image would install anew", ErrGuard, h.rec.Identity, identityOf(h.recipe))
		return hint.With(err, "change that back in %s", h.dir.RecipePath())
	}
	why := endangered(facts)
	switch {
	case why == "" && o.Reinstall && facts.present:
		report.note("the disk is in order, and the image boots it; to begin anew: vmctl delete " + h.name + " --storage")
		return nil
	case why == "" && o.MarkInstalled && facts.present && !facts.marked:
		return m.markInstalled(h) // the user knows what is on it
	case why == "":
		return nil
	case o.Reinstall && h.rec.Protected:
		return h.refuseProtected()
	case o.Reinstall:
		if err := m.keepBeforeReinstall(ctx, h, o, report); err != nil {
			return err
		}
		h.rec.InstalledAt = time.Time{}
		return h.save()
	case o.MarkInstalled:
		return m.markInstalled(h)
	}
	err = fmt.Errorf("%w: %s; the image would delete it and install anew", ErrGuard, why)
	return hint.With(err, "keep the disk: the same command with --mark-installed; lose it and install anew: with --reinstall")
}

// keepBeforeReinstall keeps the state of a machine as a snapshot whose disk the image is about
// to delete. An ephemeral start gives up a copy alone.
func (m *Manager) keepBeforeReinstall(ctx context.Context, h *handle, o StartOptions, report Reporter) error {
	if o.NoSnapshot || o.Ephemeral {
		return nil
	}
	err := h.noDevices("keep")
	if err == nil {
		now := time.Now()
		var kept storage.Snapshot
		kept, err = m.snapshot(ctx, h, storage.Snapshot{Tag: freeTag(h.dir, "before-reinstall-"+now.Format(tagTime)), CreatedAt: now.UTC(),
			Note: "before the image installed anew"}, report)
		if err == nil {
			report.note("what was on the disk is kept as the snapshot " + kept.Tag)
			return nil
		}
	}
	if ctx.Err() != nil {
		return err
	}
	return hint.With(fmt.Errorf("keep the disk before it is installed anew: %w", err),
		"make room (vmctl snapshot ls %s lists copies that may go), or copy the disk yourself; to lose it: the same command with --no-snapshot", h.name)
}

// diskFacts gathers what the guard judges by. Of an image that keeps a marker only
// the disks beside the marker count: it deletes no others.
func (m *Manager) diskFacts(h *handle) (diskFacts, error) {
	m.keepEvidence(h)
	contract := h.recipe.Contract()
	facts := diskFacts{marker: contract.MarkerFile, installed: !h.rec.InstalledAt.IsZero()}
	disk, err := storage.InspectDisk(h.storagePath(), storage.Patterns{Disks: contract.DiskNames, Markers: markers(contract)})
	if err != nil {
		return facts, err
	}
	facts.marked = true
	for _, file := range disk.Files {
		if contract.MarkerFile != "" && filepath.Dir(file.Path) != h.storagePath() {
			continue
		}
		facts.present = true
		facts.marked = facts.marked && file.Marked
		facts.allocated += file.Allocated
	}
	return facts, nil
}

// markInstalled makes the marker that the image would have made.
func (m *Manager) markInstalled(h *handle) error {
	path := filepath.Join(h.storagePath(), h.recipe.Contract().MarkerFile)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("mark the disk as installed: %w", err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("mark the disk as installed: %w", err)
	}
	if h.rec.InstalledAt.IsZero() {
		h.rec.InstalledAt = time.Now().UTC()
	}
	return h.save()
}

func markers(c recipe.Contract) []string {
	if c.MarkerFile == "" {
		return nil
	}
	return []string{c.MarkerFile}
}
