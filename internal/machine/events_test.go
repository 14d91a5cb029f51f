package machine

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vmctl/internal/cri/critest"
)

// TestChanges is what two looks tell, also of what happened between them.
func TestChanges(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	started := now.Add(-time.Second)
	mc := func(phase Phase, container string, change ...func(*Machine)) Machine {
		m := Machine{Name: "a", UID: "1", Phase: phase, ContainerID: container, Directory: "/a"}
		if container != "" {
			m.StartedAt = started.Add(time.Duration(container[0]) * time.Millisecond)
		}
		for _, c := range change {
			c(&m)
		}
		return m
	}
	notYet := func(m *Machine) { m.StartedAt = time.Time{} }
	paused := func(m *Machine) { m.Paused = true }
	because := func(why string) func(*Machine) { return func(m *Machine) { m.Reason = why } }
	none := Machine{}
	for what, test := range map[string]struct {
		before, after Machine
		want          string
	}{
		"made":                       {none, mc(Stopped, ""), "created"},
		"made and started":           {none, mc(Starting, "x"), "created starting"},
		"made, started and up":       {none, mc(Running, "x"), "created starting ready"},
		"started":                    {mc(Stopped, ""), mc(Starting, "x"), "starting"},
		"made, about to start":       {none, mc(Starting, "x", notYet), "created"},
		"and started":                {mc(Starting, "x", notYet), mc(Installing, "x"), "starting installing"},
		"installing":                 {mc(Starting, "x"), mc(Installing, "x"), "installing"},
		"up":                         {mc(Installing, "x"), mc(Running, "x"), "ready"},
		"nothing":                    {mc(Running, "x"), mc(Running, "x"), ""},
		"paused":                     {mc(Running, "x"), mc(Running, "x", paused), "paused"},
		"resumed":                    {mc(Running, "x", paused), mc(Running, "x"), "resumed"},
		"asked to stop":              {mc(Running, "x"), mc(Stopping, "x"), "stopping"},
		"stopped":                    {mc(Stopping, "x"), mc(Stopped, ""), "stopped"},
		"half cleared away":          {mc(Running, "x"), mc(Creating, ""), "stopped"},
		"and then all":               {mc(Creating, ""), mc(Stopped, ""), ""},
		"powered off":                {mc(Running, "x"), mc(Stopped, "x", func(m *Machine) { m.Exit = "shut down" }), "stopped:shut down"},
		"cleared away later":         {mc(Stopped, "x"), mc(Stopped, ""), ""},
		"failed":                     {mc(Running, "x"), mc(Failed, "x", because("QEMU ended")), "failed:QEMU ended"},
		"cleared after a failure":    {mc(Failed, "x"), mc(Stopped, ""), ""},
		"restarted between looks":    {mc(Running, "x"), mc(Running, "y"), "stopped starting ready"},
		"renamed":                    {mc(Stopped, "", func(m *Machine) { m.Name = "old" }), mc(Stopped, ""), "renamed:old"},
		"removed":                    {mc(Stopped, ""), none, "removed"},
		"somebody else's sandbox":    {none, Machine{Name: "b", UID: "2", Phase: Running, ContainerID: "z", Reason: "theirs"}, "orphan:theirs"},
		"and it is removed":          {Machine{Name: "b", UID: "2", Phase: Running}, none, "removed"},
		"an orphan that ends is not": {Machine{Name: "b", UID: "2", Phase: Running, ContainerID: "z"}, Machine{Name: "b", UID: "2", Phase: Stopped, ContainerID: "z"}, ""},
	} {
		list := func(m Machine) (out []Machine) {
			if m.UID != "" {
				out = append(out, m)
			}
			return out
		}
		var got []string
		for _, e := range changes(index(list(test.before)), list(test.after), now) {
			text := string(e.Kind)
			if e.Text != "" {
				text += ":" + e.Text
			}
			got = append(got, text)
		}
		if diff := cmp.Diff(test.want, strings.Join(got, " ")); diff != "" {
			t.Errorf("%s: %s", what, diff)
		}
	}
}

// told collects events, and waits for one.
type told struct {
	mu     sync.Mutex
	events []Event
}

func (l *told) tell(e Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.events = append(l.events, e)
}

func (l *told) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []string
	for _, e := range l.events {
		out = append(out, string(e.Kind))
	}
	return strings.Join(out, " ")
}

func (l *told) waitFor(t *testing.T, want string) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !strings.HasSuffix(l.String(), want); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("told %q, want %q at the end", l, want)
		}
	}
}

// TestEvents follows a machine's life on a runtime that tells of it, and on one that does not.
func TestEvents(t *testing.T) {
	for _, profile := range []critest.Profile{critest.Containerd2(), critest.Containerd16()} {
		t.Run(profile.Name+" "+profile.Version, func(t *testing.T) {
			r := newRig(t, critest.WithProfile(profile))
			ctx, cancel := context.WithCancel(t.Context())
			var l told
			done := make(chan error, 1)
			r.up(t, "other")
			r.down(t, "other")
			go func() { done <- r.Events(ctx, nil, time.Now().Add(-time.Hour), l.tell) }()
			l.waitFor(t, "created")
			r.up(t, "demo")
			l.waitFor(t, "ready")
			r.guest.Crash()
			l.waitFor(t, "failed")
			r.up(t, "demo")
			l.waitFor(t, "ready")
			r.down(t, "demo")
			l.waitFor(t, "stopped")
			r.rt.Stop()
			l.waitFor(t, "lost")
			if err := r.rt.Restart(); err != nil {
				t.Fatal(err)
			}
			l.waitFor(t, "found")
			if err := r.Delete(t.Context(), "demo", DeleteOptions{}, nil); err != nil {
				t.Fatal(err)
			}
			l.waitFor(t, "removed")
			cancel()
			if err := <-done; !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		})
	}
}

// TestEventsAreHeardAtOnce: where the runtime tells, nobody waits for the next look.
func TestEventsAreHeardAtOnce(t *testing.T) {
	r := newRig(t)
	r.up(t, "demo")
	r.PollInterval = time.Hour
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var l told
	done := make(chan error, 1)
	go func() { done <- r.Events(ctx, []string{"demo"}, time.Now().Add(-time.Hour), l.tell) }()
	l.waitFor(t, "starting")
	for deadline := time.Now().Add(10 * time.Second); r.rt.Listeners() == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("nobody listens")
		}
	}
	r.guest.Crash()
	l.waitFor(t, "failed")
	cancel()
	<-done
}

func TestEventsOfUnknown(t *testing.T) {
	r := newRig(t)
	if err := r.Events(t.Context(), []string{"none"}, time.Time{}, func(e Event) { t.Error(fmt.Sprint(e)) }); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
}
