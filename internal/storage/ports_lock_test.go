package storage

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestLockPorts(t *testing.T) {
	s := NewStore(t.TempDir() + "/new")
	release, err := s.LockPorts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := s.LockPorts(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a second one got the lock: %v", err)
	}
	release()
	again, err := s.LockPorts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	again()
	if names, err := s.List(); err != nil || len(names) != 0 {
		t.Errorf("the lock shows as a machine: %v, %v", names, err)
	}
}
