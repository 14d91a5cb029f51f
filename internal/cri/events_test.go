package cri_test

import (
	"errors"
	"testing"

	"vmctl/internal/cri"
	"vmctl/internal/cri/critest"
)

// TestEventsThatAreNotThere: a runtime that does not know the call, and one that ends the
// stream at once, are the same.
func TestEventsThatAreNotThere(t *testing.T) {
	for _, profile := range []critest.Profile{critest.Containerd16(), critest.CRIO()} {
		rt := critest.NewServer(t, critest.WithProfile(profile))
		c, err := cri.Dial(t.Context(), rt.Endpoint())
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Events(t.Context(), func(*cri.Event) {}); !errors.Is(err, cri.ErrUnimplemented) {
			t.Errorf("%s: %v", profile.Name, err)
		}
		c.Close()
	}
}

// TestEventsOfARuntimeThatEnds tells a broken stream from one that was never there.
func TestEventsOfARuntimeThatEnds(t *testing.T) {
	rt := critest.NewServer(t)
	c, err := cri.Dial(t.Context(), rt.Endpoint())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	asked, done := make(chan struct{}), make(chan error, 1)
	go func() {
		done <- c.Events(t.Context(), func(e *cri.Event) {
			if e == nil {
				close(asked)
			}
		})
	}()
	<-asked
	for rt.Listeners() == 0 {
		continue
	}
	rt.Stop()
	if err := <-done; !errors.Is(err, cri.ErrUnavailable) {
		t.Error(err)
	}
}
