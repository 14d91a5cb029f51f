package critest_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"

	"vmctl/internal/cri"
	"vmctl/internal/cri/critest"
)

func client(t *testing.T, rt *critest.Server) *cri.Client {
	t.Helper()
	c, err := cri.Dial(t.Context(), rt.Endpoint())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

var vm = cri.SandboxConfig{Name: "vm", Namespace: "test", UID: "1"}

func TestFailAtTheNthCall(t *testing.T) {
	rt := critest.NewServer(t)
	c := client(t, rt) // one Version call
	rt.At("Version", 2).Fail(codes.NotFound, "second")
	var got []bool
	for range 3 {
		_, err := c.Version(t.Context())
		got = append(got, errors.Is(err, cri.ErrNotFound))
	}
	if diff := cmp.Diff([]bool{false, true, false}, got); diff != "" {
		t.Errorf("failures (-want +got):\n%s", diff)
	}
	if n := rt.Count("Version"); n != 4 {
		t.Errorf("%d calls counted, want 4", n)
	}
	rt.At("Version", 0).Fail(codes.NotFound, "always")
	for range 2 {
		if _, err := c.Version(t.Context()); err == nil {
			t.Error("no failure")
		}
	}
	rt.Heal()
	if _, err := c.Version(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestLoseAnswerDoesTheWork(t *testing.T) {
	rt := critest.NewServer(t)
	c := client(t, rt)
	rt.At("RemovePodSandbox", 1).LoseAnswer()
	id, err := c.RunSandbox(t.Context(), vm, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.RemoveSandbox(t.Context(), id); !errors.Is(err, cri.ErrUnavailable) {
		t.Errorf("error = %v", err)
	}
	if left := rt.Sandboxes(); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}

func TestStall(t *testing.T) {
	rt := critest.NewServer(t)
	c := client(t, rt)
	stalled := rt.At("Version", 1).Stall()
	answered := make(chan error, 1)
	go func() {
		_, err := c.Version(t.Context())
		answered <- err
	}()
	<-stalled.Reached()
	select {
	case err := <-answered:
		t.Fatalf("answered while it hangs: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	stalled.Release()
	stalled.Release()
	if err := <-answered; err != nil {
		t.Errorf("after the release: %v", err)
	}
	rt.At("Version", 1).Stall()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := c.Version(ctx); !errors.Is(err, cri.ErrTimeout) {
		t.Errorf("error = %v", err)
	}
}

func TestVanishAndRestart(t *testing.T) {
	rt := critest.NewServer(t)
	c := client(t, rt)
	id, err := c.RunSandbox(t.Context(), vm, "")
	if err != nil {
		t.Fatal(err)
	}
	rt.At("StopPodSandbox", 1).Vanish()
	if err := c.StopSandbox(t.Context(), id); !errors.Is(err, cri.ErrUnavailable) {
		t.Fatalf("error = %v", err)
	}
	rt.Stop() // waits until it has gone
	if _, err := cri.Dial(t.Context(), rt.Endpoint()); !errors.Is(err, cri.ErrUnavailable) || !strings.Contains(err.Error(), "refused") {
		t.Errorf("dial of the dead: %v", err)
	}
	if err := rt.Restart(); err != nil {
		t.Fatal(err)
	}
	// The call that killed the daemon was not carried out, and state survives.
	s, err := client(t, rt).Sandbox(t.Context(), id)
	if err != nil || s.State != cri.SandboxReady {
		t.Errorf("sandbox after the restart: %+v, %v", s, err)
	}
}

func TestRulesTakeTurns(t *testing.T) {
	rt := critest.NewServer(t)
	c := client(t, rt)
	var order []string
	rt.At("Version", 1).Do(func() { order = append(order, "first") })
	rt.At("Version", 1).Do(func() { order = append(order, "second") })
	rt.At("Version", 1).FailAfter(codes.Unknown, "late")
	if _, err := c.Version(t.Context()); err == nil || !strings.Contains(err.Error(), "late") {
		t.Errorf("error = %v", err)
	}
	if diff := cmp.Diff([]string{"first", "second"}, order); diff != "" {
		t.Error(diff)
	}
}
