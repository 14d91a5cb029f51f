package portfwd

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestLockHost(t *testing.T) {
	release, err := LockHost(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := LockHost(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a second one: %v", err)
	}
	time.AfterFunc(20*time.Millisecond, release)
	again, err := LockHost(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	again()
}
