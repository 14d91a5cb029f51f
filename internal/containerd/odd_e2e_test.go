//go:build e2e

package containerd

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// TestE2EStartAfterReboot: processes, mounts and the state directory are gone, the
// root still tells of pods. They are listed as not ready, and go with the next stop.
func TestE2EStartAfterReboot(t *testing.T) {
	onEachContainerd(t, func(t *testing.T, r *rig) {
		r.start(t)
		p := r.runPod(t, "one", "/vmctl")
		r.killDaemon(t)
		ids := r.containerIDs()
		if err := r.sweep(t.Context(), ids); err != nil {
			t.Fatal(err)
		}
		if result := r.start(t); result.AlreadyRunning {
			t.Error("runs already, after a reboot")
		}
		list, err := r.client.ListPodSandbox(t.Context(), &cri.ListPodSandboxRequest{})
		if err != nil || len(list.GetItems()) != 1 || list.GetItems()[0].GetState() != cri.PodSandboxState_SANDBOX_NOTREADY {
			t.Errorf("pods after a reboot: %v, %v; want one that is not ready", list.GetItems(), err)
		}
		again := r.runPod(t, "two", "/vmctl")
		r.stopClean(t, p, again)
		r.start(t)
		list, err = r.client.ListPodSandbox(t.Context(), &cri.ListPodSandboxRequest{})
		if err != nil || len(list.GetItems()) != 0 {
			t.Errorf("pods after a stop: %v, %v; want none", list.GetItems(), err)
		}
	})
}

// TestE2EStartInterrupted cancels a start at several moments: what was begun is
// undone.
func TestE2EStartInterrupted(t *testing.T) {
	onEachContainerd(t, func(t *testing.T, r *rig) {
		for _, after := range []time.Duration{0, 20 * time.Millisecond, 60 * time.Millisecond, 150 * time.Millisecond} {
			ctx, cancel := context.WithTimeoutCause(t.Context(), after, nil)
			_, err := r.Start(ctx)
			cancel()
			if err == nil {
				t.Logf("the start was quicker than %v", after)
			} else if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("interrupted after %v: %v", after, err)
			}
			if left := r.orphans(); err != nil && len(left) > 0 {
				t.Errorf("interrupted after %v: daemon %d goes on", after, left[0].PID)
			}
			r.stopClean(t)
		}
	})
}

// TestE2EStopInterrupted: the daemon goes on, and a second stop ends it.
func TestE2EStopInterrupted(t *testing.T) {
	onEachContainerd(t, func(t *testing.T, r *rig) {
		r.start(t)
		p := r.runPod(t, "one", "/vmctl")
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := r.Stop(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("interrupted stop: %v", err)
		}
		if status, _ := r.Status(t.Context()); !status.Running {
			t.Error("the daemon ended")
		}
		r.stopClean(t, p)
	})
}

// TestE2ENoOverlay: where no overlay can be made, images are copied.
func TestE2ENoOverlay(t *testing.T) {
	onEachContainerd(t, func(t *testing.T, r *rig) {
		mountOverlay(t, r.paths.root) // on an overlay there can be no upper layer of another
		if overlayWorks(r.paths.root) {
			t.Fatal("an overlay works on an overlay here: nothing would be proven")
		}
		r.before = viewHost(t)
		result := r.start(t)
		if !slices.ContainsFunc(result.Notes, func(note string) bool { return strings.Contains(note, "overlay") }) {
			t.Errorf("notes are %q, want one about overlays", result.Notes)
		}
		p := r.runPod(t, "one", "/vmctl")
		if name := snapshotterOf(t.Context(), r.conn); name != "native" {
			t.Errorf("snapshotter %q, want native", name)
		}
		r.stopClean(t, p)
		if !slices.Contains(viewHost(t).Mounts, r.paths.root) {
			t.Error("the disk that somebody mounted at the root is unmounted")
		}
	})
}

func mountOverlay(t *testing.T, dir string) {
	t.Helper()
	base := t.TempDir()
	options := "lowerdir=" + filepath.Join(base, "lower") + ",upperdir=" + filepath.Join(base, "upper") + ",workdir=" + filepath.Join(base, "work")
	for _, d := range []string{dir, filepath.Join(base, "lower"), filepath.Join(base, "upper"), filepath.Join(base, "work")} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := unix.Mount("overlay", dir, "overlay", 0, options); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
}
