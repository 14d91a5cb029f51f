package containerd

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"
)

func TestLockDir(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made", "by", "the", "lock")
	release, err := lockDir(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := lockDir(short, dir); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("second lock: got %v, want a deadline", err)
	}
	got := make(chan error)
	go func() {
		again, err := lockDir(t.Context(), dir)
		if err == nil {
			again()
		}
		got <- err
	}()
	release()
	if err := <-got; err != nil {
		t.Errorf("lock after the release: %v", err)
	}
}

func TestLockDirThatCannotBe(t *testing.T) {
	file := write(t, filepath.Join(t.TempDir(), "file"), "", 0o600)
	if release, err := lockDir(t.Context(), filepath.Join(file, "dir")); err == nil {
		release()
		t.Error("a directory was made in a file")
	}
}
