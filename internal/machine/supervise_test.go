package machine

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"vmctl/internal/recipe"
)

func TestStartsAgain(t *testing.T) {
	for _, tt := range []struct {
		policy                   recipe.Restart
		asked, powerOff, failure bool
	}{
		{recipe.RestartNo, false, false, false},
		{recipe.RestartOnFailure, false, false, true},
		{recipe.RestartAlways, false, true, true},
	} {
		got := [3]bool{startsAgain(tt.policy, endAsked), startsAgain(tt.policy, endPowerOff), startsAgain(tt.policy, endFailure)}
		if want := [3]bool{tt.asked, tt.powerOff, tt.failure}; got != want {
			t.Errorf("%s: asked, power-off, failure = %v, want %v", tt.policy, got, want)
		}
	}
}

func TestPause(t *testing.T) {
	for failures, want := range map[int]time.Duration{1: time.Second, 2: 2 * time.Second, 5: 16 * time.Second, 9: longestPause, 1000: longestPause} {
		if got := pause(failures); got != want {
			t.Errorf("pause(%d) = %s, want %s", failures, got, want)
		}
	}
}

// supervised runs Supervise beside the test, on a rig that looks fast.
type supervised struct {
	*rig
	cancel context.CancelFunc
	done   chan error
	mu     sync.Mutex
	notes  []string
}

func supervise(t *testing.T, lifecycle string) *supervised {
	t.Helper()
	s := &supervised{rig: newRig(t), done: make(chan error, 1)}
	ctx, cancel := context.WithCancel(t.Context())
	s.cancel = cancel
	rec := s.recipe(t, "")
	if err := rec.Apply([]string{"lifecycle.restart=" + lifecycle}); err != nil {
		t.Fatal(err)
	}
	ready := make(chan struct{}, 16)
	go func() {
		s.done <- s.Supervise(ctx, "demo", rec, StartOptions{}, func(p Progress) {
			if p.Stage == StageNote {
				s.mu.Lock()
				defer s.mu.Unlock()
				s.notes = append(s.notes, p.Text)
			}
		}, func(Machine) { ready <- struct{}{} })
	}()
	t.Cleanup(cancel)
	select {
	case <-ready:
	case err := <-s.done:
		t.Fatalf("ended before it was ready: %v", err)
	}
	return s
}

// end waits for the end of the supervision.
func (s *supervised) end(t *testing.T) error {
	t.Helper()
	select {
	case err := <-s.done:
		return err
	case <-time.After(20 * time.Second):
		t.Fatal("the supervision does not end")
		return nil
	}
}

func (s *supervised) starts() int { return s.rt.Count("StartContainer") }

func (s *supervised) said() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.notes, "\n")
}

func TestSuperviseStartsAgainAfterFailure(t *testing.T) {
	s := supervise(t, "on-failure")
	for n := 2; n <= 3; n++ {
		s.guest.Crash()
		eventually(t, "another start", func() bool {
			mc, err := s.Show(t.Context(), "demo")
			return err == nil && s.starts() == n && mc.Phase == Running
		})
	}
	if got := s.counter(t, "demo"); got != 3 {
		t.Errorf("counter = %d, want 3: the disk did not survive", got)
	}
	if !strings.Contains(s.said(), "starting it again in") {
		t.Errorf("notes: %s", s.said())
	}
	s.cancel()
	if err := s.end(t); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	s.empty(t)
}

func TestSuperviseEndsWithTheMachine(t *testing.T) {
	s := supervise(t, "always")
	if err := s.Stop(t.Context(), "demo", StopOptions{}, nil); err != nil {
		t.Fatal(err)
	}
	if err := s.end(t); err != nil || s.starts() != 1 {
		t.Errorf("a stop by another command: %v, %d starts", err, s.starts())
	}
	s = supervise(t, "on-failure")
	s.guest.PowerOff()
	if err := s.end(t); err != nil || s.starts() != 1 {
		t.Errorf("a power-off is no failure: %v, %d starts", err, s.starts())
	}
	s = supervise(t, "no")
	s.guest.Crash()
	if err := s.end(t); !errors.Is(err, ErrFailed) || s.starts() != 1 {
		t.Errorf("a failure without a policy: %v, %d starts", err, s.starts())
	}
	s = supervise(t, "always")
	if err := s.Delete(t.Context(), "demo", DeleteOptions{Force: true}, nil); err != nil {
		t.Fatal(err)
	}
	if err := s.end(t); err != nil {
		t.Errorf("deleted meanwhile: %v", err)
	}
}

func TestSuperviseAlways(t *testing.T) {
	s := supervise(t, "always")
	s.guest.PowerOff()
	eventually(t, "another start", func() bool { return s.starts() == 2 })
	s.cancel()
	if err := s.end(t); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	s.empty(t)
}

// A disk in danger is a question, and never a reason to try again.
func TestSuperviseStopsAtTheGuard(t *testing.T) {
	s := supervise(t, "always")
	s.rt.Reboot() // kills the guest before its marker
	if err := s.end(t); !errors.Is(err, ErrGuard) || s.counter(t, "demo") != 1 {
		t.Errorf("error %v, counter %d", err, s.counter(t, "demo"))
	}
}

func TestSuperviseWaitsForTheRuntime(t *testing.T) {
	s := supervise(t, "on-failure")
	s.rt.Stop()
	eventually(t, "the note", func() bool { return strings.Contains(s.said(), "the runtime does not answer; waiting") })
	if err := s.rt.Restart(); err != nil {
		t.Fatal(err)
	}
	// The client dials anew when it is asked the next time.
	eventually(t, "the runtime answers", func() bool { _, err := s.Show(t.Context(), "demo"); return err == nil })
	s.cancel()
	if err := s.end(t); !errors.Is(err, context.Canceled) || s.starts() != 1 {
		t.Errorf("error %v, %d starts", err, s.starts())
	}
}
