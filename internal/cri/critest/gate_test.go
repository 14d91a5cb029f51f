package critest

import (
	"context"
	"testing"
	"time"

	"vmctl/internal/cri"
)

// TestGate holds a call before the runtime has it, and another before its answer is seen.
func TestGate(t *testing.T) {
	rt := NewServer(t)
	gate := NewGate(t, rt.Endpoint())
	client, err := cri.Dial(t.Context(), gate.Endpoint())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for _, answer := range []bool{false, true} {
		held, before := gate.Hold("ListPodSandbox", answer), rt.Count("ListPodSandbox")
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		done := make(chan error, 1)
		go func() { _, err := client.ListSandboxes(ctx, cri.SandboxFilter{}); done <- err }()
		<-held.Reached()
		if came := rt.Count("ListPodSandbox") - before; came > 0 != answer {
			t.Errorf("held with answer=%v, and the runtime has %d calls", answer, came)
		}
		select {
		case err := <-done:
			t.Errorf("held, and yet it ended: %v", err)
		default:
		}
		gate.Open()
		if err := <-done; err != nil {
			t.Error(err)
		}
		cancel()
	}
}
