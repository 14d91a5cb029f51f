package machine

import (
	"context"
	"errors"
	"fmt"

	"vmctl/internal/hint"
	"vmctl/internal/recipe"
	"vmctl/internal/storage"
)

// Up makes the machine if there is none of that name, starts it if it does not
// run, and waits for the guest as far as the options say. It goes on from whatever
// is there, so it may be called again and again.
//
// r may be nil for a machine that exists. A machine that exists keeps the recipe
// it was made from; a note says when r has changed since. What Up made is removed
// again if the machine could not be started.
//
// When ctx ends during the wait the machine goes on, and the error is ctx's.
func (m *Manager) Up(ctx context.Context, name string, r *recipe.Recipe, o StartOptions, report Reporter) (Machine, error) {
	o.transient = o.Ephemeral && m.isNew(name)
	for attempt := 0; ; attempt++ {
		undo, err := m.ensure(name, r, report)
		if err != nil {
			return Machine{}, fmt.Errorf("up %q: %w", name, err)
		}
		err = m.launch(ctx, name, o, report)
		if err == nil {
			break
		}
		undo(ctx)
		// Another `up` of this name made the machine, failed, and took it away
		// while this one waited for it.
		if errors.Is(err, ErrNotFound) && r != nil && attempt < 3 {
			continue
		}
		return Machine{}, fmt.Errorf("up %q: %w", name, interrupted(err))
	}
	return m.await(ctx, name, o, report)
}

// isNew reports whether there is no machine of that name, nor a disk of a deleted one.
func (m *Manager) isNew(name string) bool {
	_, err := m.Store.Open(name)
	_, keptErr := m.Store.Kept(name)
	return errors.Is(err, ErrNotFound) && errors.Is(keptErr, ErrNotFound)
}

// ensure makes the machine if it is not there, and returns what takes it away
// again.
func (m *Manager) ensure(name string, r *recipe.Recipe, report Reporter) (undo func(context.Context), err error) {
	nothing := func(context.Context) {}
	h, err := m.open(name)
	switch {
	case err == nil:
		if r != nil && r.Hash() != h.recipe.Hash() {
			report.note(fmt.Sprintf("machine %q keeps the recipe it was made from; %s, or the options, differ from it and are not used", name, r.Source))
		}
		return nothing, nil
	case !errors.Is(err, ErrNotFound):
		return nil, err
	case r == nil:
		return nil, hint.With(err, "see the machines with: vmctl ls, and the recipes with: vmctl recipes")
	}
	_, keptErr := m.Store.Kept(name)
	if err := m.create(name, r); err != nil {
		if errors.Is(err, ErrExists) { // another `up` was faster
			return nothing, nil
		}
		return nil, err
	}
	if h, err = m.open(name); err != nil {
		return nil, err
	}
	keep := !errors.Is(keptErr, ErrNotFound)
	return func(ctx context.Context) { m.undoCreate(ctx, name, h.rec.UID, keep) }, nil
}

// undoCreate removes the machine that was just made, if it is still that one, and
// if it is sure that nothing runs on it: somebody else may have started it, or the
// runtime may have died half-way. A disk that is there by now is never removed.
func (m *Manager) undoCreate(ctx context.Context, name, uid string, keepStorage bool) {
	dir, err := m.Store.Open(name)
	if err != nil {
		return
	}
	unlock, err := dir.TryLock()
	if err != nil {
		return
	}
	defer unlock()
	h, err := m.openAny(name)
	if err != nil || h.rec.UID != uid {
		return
	}
	if h.rec.Intent != "" { // a start came as far as the runtime
		ctx, cancel := detach(ctx, cleanupTime)
		defer cancel()
		if s, err := m.survey(ctx); err != nil || len(s.of(uid)) > 0 {
			return
		}
	}
	disk, err := storage.InspectDisk(dir.StoragePath(), storage.Patterns{})
	if _, err := dir.Remove(keepStorage || err != nil || disk.Present()); err != nil {
		m.log().Warn("a machine that could not be started was not removed", "machine", name, "error", err)
	}
}
