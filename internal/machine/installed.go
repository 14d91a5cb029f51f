package machine

import (
	"bufio"
	"context"
	"os"
	"path/filepath"
	"strings"
	"time"

	"vmctl/internal/cri"
	"vmctl/internal/recipe"
	"vmctl/internal/storage"
)

// logPath is the log of the machine's container since its last start.
func (h *handle) logPath() string { return filepath.Join(h.dir.LogsPath(), logName) }

// installed tells whether the guest's installation is finished: the image says so
// by its marker, we have seen it, or the guest says so in its log. A guest whose
// installation nobody can see the end of counts as installed.
func (m *Manager) installed(h *handle) bool {
	contract := h.recipe.Contract()
	if contract.MarkerFile == "" || h.recipe.Lifecycle.Ready != recipe.ReadyLog || !h.rec.InstalledAt.IsZero() {
		return true
	}
	disk, err := storage.InspectDisk(h.storagePath(), storage.Patterns{Disks: contract.DiskNames, Markers: markers(contract)})
	if err == nil && disk.HasMarker {
		return true
	}
	return m.sawInstalled(h)
}

// sawInstalled looks for the guest's word in the log of the last start: nobody may
// have been watching when it came.
func (m *Manager) sawInstalled(h *handle) bool { return h.findInLog(isReadyMarker) }

// findInLog gives found the lines of the last start's log, clean, until it is true, and
// reports whether it was. A log that cannot be read has no lines.
func (h *handle) findInLog(found func(line string) bool) bool {
	f, err := os.Open(h.logPath())
	if err != nil {
		return false
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(make([]byte, 64<<10), 1<<20)
	for lines.Scan() {
		if found(clean(logText(lines.Text()))) {
			return true
		}
	}
	return false
}

// logText takes the CRI log format's time, stream and tag off a line.
func logText(line string) string {
	fields := strings.SplitN(line, " ", 4)
	if len(fields) < 4 {
		return line
	}
	return fields[3]
}

// isReadyMarker recognises the guest's word, and not the command that will make it
// where an image prints that.
func isReadyMarker(line string) bool {
	return strings.Contains(line, recipe.ReadyMarker) && !strings.Contains(line, "echo")
}

// noteInstalled keeps that the installation was seen to finish, so that the guard
// knows of it should the container be killed before its first clean stop.
func (m *Manager) noteInstalled(h *handle) {
	unlock, err := h.dir.TryLock()
	if err != nil {
		return // whoever has the lock reads the log itself, see keepEvidence
	}
	defer unlock()
	fresh, err := m.open(h.name)
	if err != nil || fresh.rec.UID != h.rec.UID || fresh.rec.Ephemeral || !fresh.rec.InstalledAt.IsZero() {
		return
	}
	fresh.rec.InstalledAt = time.Now().UTC()
	if err := fresh.save(); err != nil {
		m.log().Warn("the end of the installation was not recorded", "machine", h.name, "error", err)
	}
}

// tailLog returns the last lines of a container's log, clean; none where it cannot
// be read.
func tailLog(ctx context.Context, path string) []string {
	var out []string
	_ = cri.ReadLog(ctx, path, cri.LogOptions{Tail: 50}, func(l cri.LogLine) error {
		out = append(out, clean(l.Text))
		return nil
	})
	return out
}
