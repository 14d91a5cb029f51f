package machine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"vmctl/internal/cri"
	"vmctl/internal/hint"
)

// EventKind is what happened to a machine.
type EventKind string

// The events.
const (
	EventCreated    EventKind = "created"    // its directory was made
	EventStarting   EventKind = "starting"   // its container runs
	EventInstalling EventKind = "installing" // its guest is being installed
	EventReady      EventKind = "ready"      // its guest is up
	EventPaused     EventKind = "paused"
	EventResumed    EventKind = "resumed"
	EventStopping   EventKind = "stopping" // its guest was asked to shut down
	EventStopped    EventKind = "stopped"  // nothing of it runs any more, as somebody asked; Text says who
	EventFailed     EventKind = "failed"   // it ended by itself; Text says why
	EventRenamed    EventKind = "renamed"  // Text is its old name
	EventRemoved    EventKind = "removed"  // its directory is gone, or for an orphan its sandbox
	EventOrphan     EventKind = "orphan"   // a sandbox of vmctl's that belongs to no machine of this user
	EventLost       EventKind = "lost"     // the runtime does not answer; Machine is empty
	EventFound      EventKind = "found"    // it answers again; Machine is empty
)

// Event is something that happened to a machine.
type Event struct {
	// Time is when it was seen, or for EventCreated and EventStarting when it was.
	Time    time.Time
	Machine string
	UID     string
	Kind    EventKind
	Text    string // one line; may be empty
}

// Events calls tell for whatever happens to the machines of these names, or to all and to
// orphans if there are none, until ctx ends; it returns ctx's error. A runtime that goes away
// is waited for. Of what was before, it tells what is still known and not before since: when
// a machine was created and started.
func (m *Manager) Events(ctx context.Context, names []string, since time.Time, tell func(Event)) error {
	a := m.newAlarm(ctx)
	var known map[string]Machine
	lost := false
	for {
		list, err := m.List(ctx)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, cri.ErrUnavailable) || errors.Is(err, cri.ErrTimeout):
			if !lost {
				tell(Event{Time: time.Now(), Kind: EventLost, Text: "the runtime does not answer; waiting for it"})
			}
			lost = true
		case err != nil:
			return err
		case known == nil:
			if err := allThere(list, names); err != nil {
				return err
			}
			known = index(list)
			for _, e := range wanted(history(list, since), names) {
				tell(e)
			}
		default:
			if lost {
				tell(Event{Time: time.Now(), Kind: EventFound, Text: "the runtime answers again"})
			}
			lost = false
			for _, e := range wanted(changes(known, list, time.Now()), names) {
				tell(m.because(e))
			}
			known = index(list)
		}
		if err := a.wait(ctx, true); err != nil { // no runtime tells what becomes of a guest or a directory
			return err
		}
	}
}

// because says why vmctl has stopped a machine by itself, which was written down before, but
// perhaps after this look had begun.
func (m *Manager) because(e Event) Event {
	if e.Kind == EventStopped {
		if h, err := m.openAny(e.Machine); err == nil && h.rec.Because != "" {
			e.Text = h.rec.Because
		}
	}
	return e
}

func allThere(list []Machine, names []string) error {
	for _, name := range names {
		if !slices.ContainsFunc(list, func(mc Machine) bool { return mc.Name == name }) {
			return hint.With(fmt.Errorf("machine %q: %w", name, ErrNotFound), "see the machines with: vmctl ls")
		}
	}
	return nil
}

func index(list []Machine) map[string]Machine {
	out := map[string]Machine{}
	for _, mc := range list {
		out[mc.UID] = mc
	}
	return out
}

func wanted(events []Event, names []string) []Event {
	if len(names) == 0 {
		return events
	}
	return slices.DeleteFunc(events, func(e Event) bool {
		return !slices.Contains(names, e.Machine) && !(e.Kind == EventRenamed && slices.Contains(names, e.Text))
	})
}

// history is what machines still know of their past.
func history(list []Machine, since time.Time) []Event {
	var out []Event
	for _, mc := range list {
		for kind, at := range map[EventKind]time.Time{EventCreated: mc.CreatedAt, EventStarting: mc.StartedAt} {
			if !since.IsZero() && !at.Before(since) {
				out = append(out, Event{Time: at, Machine: mc.Name, UID: mc.UID, Kind: kind})
			}
		}
	}
	slices.SortFunc(out, func(a, b Event) int { return a.Time.Compare(b.Time) })
	return out
}

// changes tells what happened between two looks. What came and went between them is told
// where it left a trace: a container that is another one was stopped and started.
func changes(known map[string]Machine, list []Machine, now time.Time) []Event {
	var out []Event
	there := map[string]bool{}
	for _, mc := range list {
		there[mc.UID] = true
		before, ok := known[mc.UID]
		if !ok {
			out = append(out, newcomer(mc, now))
			before = Machine{UID: mc.UID, Name: mc.Name, Phase: Stopped}
		}
		out = append(out, changed(before, mc, now)...)
	}
	for uid, before := range known {
		if !there[uid] {
			out = append(out, Event{Time: now, Machine: before.Name, UID: uid, Kind: EventRemoved})
		}
	}
	slices.SortStableFunc(out, func(a, b Event) int { return a.Time.Compare(b.Time) })
	return out
}

func newcomer(mc Machine, now time.Time) Event {
	if mc.Orphan() {
		return Event{Time: now, Machine: mc.Name, UID: mc.UID, Kind: EventOrphan, Text: mc.Reason}
	}
	return Event{Time: mc.CreatedAt, Machine: mc.Name, UID: mc.UID, Kind: EventCreated}
}

// changed tells what happened to one machine between two looks at it.
func changed(before, mc Machine, now time.Time) []Event {
	var out []Event
	add := func(at time.Time, kind EventKind, text string) {
		out = append(out, Event{Time: at, Machine: mc.Name, UID: mc.UID, Kind: kind, Text: text})
	}
	if before.Name != mc.Name {
		add(now, EventRenamed, before.Name)
	}
	if mc.Orphan() {
		return out
	}
	if !mc.StartedAt.IsZero() && !mc.StartedAt.Equal(before.StartedAt) {
		if before.Phase.Up() && !before.StartedAt.IsZero() {
			add(mc.StartedAt, EventStopped, "")
		}
		add(mc.StartedAt, EventStarting, "")
		before = Machine{Phase: Starting}
	}
	if kind, text, ok := arrived(before.Phase, mc); ok {
		add(now, kind, text)
	}
	if before.Paused != mc.Paused && mc.Phase.Up() {
		add(now, map[bool]EventKind{true: EventPaused, false: EventResumed}[mc.Paused], "")
	}
	return out
}

// arrived is the event of coming from a phase to that of mc.
func arrived(from Phase, mc Machine) (kind EventKind, text string, ok bool) {
	if from == mc.Phase {
		return "", "", false
	}
	switch mc.Phase {
	case Installing:
		return EventInstalling, mc.Progress, true
	case Running:
		return EventReady, "", true
	case Stopping:
		return EventStopping, "", true
	case Stopped, Creating: // a sandbox whose container is gone already looks as if it had none yet
		return EventStopped, either(mc.Reason, mc.Exit), from.Up()
	case Failed:
		return EventFailed, mc.Reason, true
	}
	return "", "", false
}
