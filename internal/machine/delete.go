package machine

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"vmctl/internal/hint"
	"vmctl/internal/storage"
)

// DeleteOptions says what goes with a machine.
type DeleteOptions struct {
	Storage bool // the guest's disk and all snapshots too
	Force   bool // shut the guest down first if it runs
}

// Delete removes a machine: its sandbox if one is left, its recipe and its logs.
// The guest's disk stays, and a later machine of the same name takes it over,
// unless the options say otherwise. A machine that runs is ErrPhase without Force.
// A machine that is protected is ErrGuard, one that is not there ErrNotFound.
func (m *Manager) Delete(ctx context.Context, name string, o DeleteOptions, report Reporter) error {
	if err := m.delete(ctx, name, o, report); err != nil {
		return fmt.Errorf("delete %q: %w", name, err)
	}
	return nil
}

func (m *Manager) delete(ctx context.Context, name string, o DeleteOptions, report Reporter) error {
	unlock, err := m.lock(ctx, name, report)
	if errors.Is(err, ErrNotFound) {
		return m.deleteAbsent(ctx, name, o, report, err)
	}
	if err != nil {
		return err
	}
	defer unlock()
	h, err := m.openAny(name)
	if err != nil {
		return err
	}
	if err := h.refuseProtected(); err != nil {
		return err
	}
	s, err := m.survey(ctx)
	if err != nil {
		return err
	}
	pods := s.of(h.rec.UID)
	if err := refuseLive(pods, o.Force); err != nil {
		return err
	}
	if o.Storage && h.recipe != nil && h.recipe.Storage.Path != "" {
		report.note("the disk in " + h.recipe.Storage.Path + " stays: the recipe put it there, and it is not vmctl's to remove")
	}
	if err := m.elsewhere(h, s); err != nil {
		return err
	}
	h.rec.Transient = false // what it is to leave is said here
	if err := m.stopHandle(ctx, h, s, StopOptions{}, report); err != nil {
		return err
	}
	m.endForwards(ctx, h.rec.UID)
	m.keepEvidence(h)
	if err := h.save(); err != nil {
		return err
	}
	report.report(Progress{Stage: StageRemove, Percent: -1})
	var left []string
	err = m.owning(ctx, h.dir, report, func() (err error) {
		left, err = h.dir.Remove(!o.Storage)
		return err
	})
	if len(left) > 0 {
		report.note("left alone, because vmctl did not make it: " + strings.Join(left, ", "))
	}
	return err
}

// deleteAbsent deletes what is left of a machine without a recipe: an orphaned
// sandbox, or a disk that an earlier Delete kept.
func (m *Manager) deleteAbsent(ctx context.Context, name string, o DeleteOptions, report Reporter, notFound error) error {
	s, err := m.survey(ctx)
	if err != nil {
		return err
	}
	p, orphan := s.named(name)
	kept, keptErr := m.Store.Kept(name)
	if !orphan && (keptErr != nil || !o.Storage) {
		return hint.With(notFound, "see the machines with: vmctl ls")
	}
	if orphan {
		pods := s.of(p.Labels[LabelUID])
		if err := refuseLive(pods, o.Force); err != nil {
			return err
		}
		if err := m.stopPods(ctx, pods, StopOptions{}, report); err != nil {
			return err
		}
	}
	if keptErr == nil && o.Storage {
		err = m.owning(ctx, kept, report, func() error {
			_, err := kept.Remove(false)
			return err
		})
	}
	return err
}

func refuseLive(pods []pod, force bool) error {
	if force {
		return nil
	}
	for _, p := range pods {
		if c, ok := p.container(); ok && mayRun(c.State) {
			return hint.With(fmt.Errorf("%w: it is running", ErrPhase), "stop it first: vmctl stop %s, or add --force to shut it down and delete it", p.Labels[LabelMachine])
		}
	}
	return nil
}

// Inventory lists the files of a machine, or of a disk that a deleted one left:
// what Delete with Storage would remove, and, marked Foreign, what it would not.
func (m *Manager) Inventory(name string) ([]storage.Item, error) {
	dir, err := m.Store.Open(name)
	if errors.Is(err, ErrNotFound) {
		if kept, keptErr := m.Store.Kept(name); keptErr == nil {
			return kept.Inventory()
		}
	}
	if err != nil {
		return nil, err
	}
	return dir.Inventory()
}
