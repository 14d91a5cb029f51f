//go:build e2e

package machine

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"vmctl/internal/storage"
)

// smallDisk is a file system of 300 MiB for the time of a test.
func smallDisk(t *testing.T) string {
	t.Helper()
	at := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=300m", "none", at).CombinedOutput(); err != nil {
		t.Fatalf("mount: %v\n%s", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", at).CombinedOutput(); err != nil {
			t.Errorf("umount: %v\n%s", err, out)
		}
	})
	return at
}

// filler takes all space of a file system as soon as a copy to it has begun.
type filler struct {
	t    *testing.T
	file string
}

func (f filler) report(p Progress) {
	if _, err := os.Stat(f.file); p.Stage != StageCopy || p.Done == 0 || err == nil {
		return
	}
	out, err := os.Create(f.file)
	if err != nil {
		f.t.Error(err)
		return
	}
	defer out.Close()
	for size, step := int64(0), int64(64<<20); step >= 4096; {
		if unix.Fallocate(int(out.Fd()), 0, size, step) == nil {
			size += step
		} else {
			step /= 2
		}
	}
}

func (f filler) empty() {
	if err := os.Remove(f.file); err != nil {
		f.t.Errorf("the disk never was full: %v", err)
	}
}

// TestE2EDiskFull has the disk fill up in the middle of everything that copies: the old
// state stays, nothing else does, and there is one error.
func TestE2EDiskFull(t *testing.T) {
	root := smallDisk(t)
	r := newRig(t)
	r.Store = storage.NewStore(root + "/machines")
	r.upPulled(t, "demo")
	r.down(t, "demo")
	if err := os.WriteFile(root+"/machines/demo/storage/boot.iso", bytes.Repeat([]byte("noise"), 8<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Snapshot(t.Context(), "demo", "first", nil); err != nil {
		t.Fatal(err)
	}
	var packed bytes.Buffer
	if err := r.Pack(t.Context(), "demo", &packed, nil); err != nil {
		t.Fatal(err)
	}
	r.push()
	f := filler{t, root + "/filler"}
	image := r.runsOnImage(t, "demo")
	for verb, do := range map[string]func(context.Context) error{
		"snapshot": func(ctx context.Context) error { _, err := r.Snapshot(ctx, "demo", "second", f.report); return err },
		"restore": func(ctx context.Context) error {
			_, err := r.RestoreSnapshot(ctx, "demo", "first", f.report)
			return err
		},
		"clone": func(ctx context.Context) error { _, err := r.Clone(ctx, "demo", "twin", f.report); return err },
		"pack":  func(ctx context.Context) error { return packTo(ctx, r, root+"/it.vm", f.report) },
		"unpack": func(ctx context.Context) error {
			_, err := r.Unpack(ctx, bytes.NewReader(packed.Bytes()), "copy", f.report)
			return err
		},
		"upgrade": func(ctx context.Context) error {
			_, err := r.Upgrade(ctx, "demo", false, StartOptions{}, f.report)
			return err
		},
		"ephemeral": func(ctx context.Context) error {
			_, err := r.Up(ctx, "demo", nil, StartOptions{Ephemeral: true}, f.report)
			return err
		},
	} {
		t.Run(verb, func(t *testing.T) {
			err := do(t.Context())
			if !errors.Is(err, syscall.ENOSPC) {
				t.Errorf("on a full disk: %v", err)
			}
			t.Log(err)
			f.empty()
			for _, pattern := range []string{"machines/[a-z]*", "machines/.creating*", "machines/demo/*", "machines/demo/snapshots/*", "machines/demo/snapshots/.*"} {
				found, _ := filepath.Glob(filepath.Join(root, pattern))
				for _, path := range found {
					switch filepath.Base(path) {
					case "demo", "recipe.toml", "machine.json", "lock", "storage", "logs", "snapshots", "first":
					default:
						t.Errorf("left: %s", path)
					}
				}
			}
			if now := r.runsOnImage(t, "demo"); now != image {
				t.Error("the image is another one")
			}
		})
	}
	r.up(t, "demo")
	if n := r.counter(t, "demo"); n != 2 {
		t.Errorf("counter = %d, want 2", n)
	}
}

// packTo packs into a file, which then goes.
func packTo(ctx context.Context, r *rig, path string, report Reporter) error {
	f, err := storage.OpenPartial(path)
	if err != nil {
		return err
	}
	return errors.Join(r.Pack(ctx, "demo", f, report), f.Close(), os.Remove(path))
}
