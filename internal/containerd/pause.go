package containerd

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// PauseImage is the image of the process that keeps a pod's namespaces: our own,
// so that no pod waits for a registry.
const PauseImage = "localhost/vmctl-pause:1"

// publicPauseImage is pulled where our own is not found.
const publicPauseImage = "registry.k8s.io/pause:3.10"

// EnvPause names the archive of the pause image.
const EnvPause = "VMCTL_PAUSE_ARCHIVE"

// findPause returns the archive of our pause image: as built or packaged, or the
// copy of an earlier start; "" if there is none.
func (i *Instance) findPause() string {
	candidates := []string{os.Getenv(EnvPause)}
	for _, dir := range shippedDirs("images") {
		candidates = append(candidates, filepath.Join(dir, "pause.tar"))
	}
	for _, file := range append(candidates, i.paths.pause) {
		if file != "" && readable(file) {
			return file
		}
	}
	return ""
}

// importPause loads the pause image at each start: it takes milliseconds, and an
// update of vmctl may have brought another.
func (i *Instance) importPause(ctx context.Context, s settings) error {
	if s.pauseImage != PauseImage {
		return nil
	}
	archive := i.findPause()
	if _, err := ImportImage(ctx, i.paths.socket, archive, nil); err != nil {
		return fmt.Errorf("load the pause image: %w", err)
	}
	if archive == i.paths.pause {
		return nil
	}
	return copyFile(i.paths.pause, archive)
}
