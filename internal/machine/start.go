package machine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"vmctl/internal/cri"
	"vmctl/internal/hint"
	"vmctl/internal/portfwd"
	"vmctl/internal/storage"
)

// StartOptions says how far a start waits and what it may do to the disk.
type StartOptions struct {
	Wait    Until         // empty is UntilReady
	Timeout time.Duration // of the wait; 0 is the guest's usual limit

	// Answers to ErrGuard: keep the disk and mark it as installed, or let the
	// image delete it and install anew.
	MarkInstalled bool
	Reinstall     bool
	NoSnapshot    bool // do not keep the disk as a snapshot before that

	// Ephemeral starts the machine on a copy of its disks, which goes when it stops.
	Ephemeral bool
	transient bool // the machine goes with it
}

// Start starts a machine and waits for the guest as far as the options say.
// Starting a machine that runs is success, and takes up the wait.
//
// The errors of note are ErrNotFound, ErrGuard, ErrPhase (its disk is in use, or a
// foreign sandbox bears its name), portfwd.ErrTaken, ErrFailed, ErrForward,
// ErrTimeout, and those of the runtime. When ctx ends before the container runs,
// nothing of the start stays; when it ends during the wait, the machine goes on.
func (m *Manager) Start(ctx context.Context, name string, o StartOptions, report Reporter) (Machine, error) {
	if err := m.launch(ctx, name, o, report); err != nil {
		return Machine{}, fmt.Errorf("start %q: %w", name, interrupted(err))
	}
	return m.await(ctx, name, o, report)
}

// launch brings the machine's container to run; on success it does.
func (m *Manager) launch(ctx context.Context, name string, o StartOptions, report Reporter) error {
	unlock, err := m.lock(ctx, name, report)
	if errors.Is(err, ErrNotFound) {
		return hint.With(err, "see the machines with: vmctl ls; make one with: vmctl up NAME")
	}
	if err != nil {
		return err
	}
	defer unlock()
	h, err := m.open(name)
	if err != nil {
		return err
	}
	report.report(Progress{Stage: StageCheck, Percent: -1})
	s, err := m.survey(ctx)
	if err != nil {
		return err
	}
	running, err := m.settle(ctx, h, s, report)
	if err != nil {
		return err
	}
	if running && o.Ephemeral && !h.rec.Ephemeral {
		return hint.With(fmt.Errorf("%w: it runs, and on its own disks", ErrPhase), "stop it first: vmctl stop %s", h.name)
	}
	if running && h.rec.Paused {
		err = m.resume(ctx, h)
	}
	if running {
		m.watchIdle(ctx, h, report)
		return errors.Join(err, m.serve(ctx, h.rec.UID, h.name, forwardsOf(s.of(h.rec.UID))))
	}
	h.rec.Paused = false
	if err := m.dropEphemeral(ctx, h, report); err != nil { // of a run that ended by itself
		return err
	}
	if err := diskLocked(h); err != nil {
		return err
	}
	if err := m.claimDisks(ctx, h, report); err != nil {
		return err
	}
	err = m.begin(ctx, h, o, report)
	if h.rec.Ephemeral || err != nil && h.rec.Endpoint == "" { // nothing runs on its own disks
		err = errors.Join(err, h.unclaim())
	}
	return err
}

// begin starts a machine whose disks are claimed.
func (m *Manager) begin(ctx context.Context, h *handle, o StartOptions, report Reporter) error {
	if err := m.guard(ctx, h, o, report); err != nil {
		return err
	}
	if err := m.beginEphemeral(ctx, h, o, report); err != nil {
		return m.failEphemeral(ctx, h, err, report)
	}
	if err := m.startPod(ctx, h, report); err != nil {
		return m.failEphemeral(ctx, h, err, report)
	}
	return nil
}

// startPod makes and starts the machine's pod on the disks that it is to have.
func (m *Manager) startPod(ctx context.Context, h *handle, report Reporter) error {
	p, image, err := m.prepare(ctx, h, report)
	if err != nil {
		return err
	}
	unreserve, err := m.reserve(ctx, h, &p, report)
	if err != nil {
		return err
	}
	defer unreserve()
	h.rec.remember(p.forwards)
	h.rec.runsOn(m.Runtime.Endpoint())
	h.rec.want(intentRun, time.Now().UTC())
	if err := h.save(); err != nil {
		return err
	}
	report.report(Progress{Stage: StageCreate, Percent: -1})
	m.watchIdle(ctx, h, report)
	if err = m.serve(ctx, h.rec.UID, h.name, p.forwards); err == nil {
		err = m.runPod(ctx, p, image, h.recipe.Handler(), func(container string) {
			if !h.rec.Ephemeral { // that one does not run on the machine's own disks
				m.claimContainer(ctx, h, container)
			}
		})
	}
	if err != nil {
		m.endForwards(ctx, h.rec.UID)
		m.forgetStart(ctx, h, err)
	}
	return err
}

// interrupted says that a start which the user broke off did not happen.
func interrupted(err error) error {
	if errors.Is(err, context.Canceled) && !errors.Is(err, storage.ErrLocked) && hint.Of(err) == "" {
		return hint.With(err, "the machine does not run; the same command begins anew")
	}
	return err
}

// forgetStart takes a start that the runtime refused out of the record, so that the
// machine may be started on another runtime. Where anything of it may be left, or its
// end was not seen, the record stays as it is.
func (m *Manager) forgetStart(ctx context.Context, h *handle, cause error) {
	if ctx.Err() != nil || errors.Is(cause, cri.ErrTimeout) || errors.Is(cause, cri.ErrUnavailable) {
		return
	}
	if s, err := m.survey(ctx); err != nil || len(s.of(h.rec.UID)) > 0 {
		return
	}
	h.rec.runsOn("")
	if err := h.save(); err != nil {
		m.log().Warn("a start that failed is still recorded", "machine", h.name, "error", err)
	}
}

// lock keeps other commands away from the machine, says whom it waits for, and finishes
// what one that died has left half done.
func (m *Manager) lock(ctx context.Context, name string, report Reporter) (unlock func(), err error) {
	dir, err := m.Store.Open(name)
	if err != nil {
		return nil, err
	}
	unlock, err = dir.TryLock()
	if errors.Is(err, storage.ErrLocked) {
		report.note(err.Error() + "; waiting for it")
		unlock, err = dir.Lock(ctx)
	}
	if err != nil {
		return nil, err
	}
	if err := dir.Recover(); err != nil {
		unlock()
		return nil, err
	}
	return unlock, nil
}

// settle looks at the pods that the machine already has. It reports whether one of
// them runs as it should; all others are removed, after a clean stop where
// something in them still runs.
func (m *Manager) settle(ctx context.Context, h *handle, s survey, report Reporter) (running bool, err error) {
	if p, ok := s.foreign(h.name); ok {
		err := fmt.Errorf("%w: sandbox %.13s bears this machine's name and was not made by vmctl", ErrExists, p.ID)
		return false, hint.With(err, "give the machine another name; or end what runs in it with crictl stop --timeout 120, then: crictl stopp %.13s; crictl rmp %.13s", p.ID, p.ID)
	}
	if err := m.elsewhere(h, s); err != nil {
		return false, err
	}
	if err := diskInUse(h, s); err != nil {
		return false, err
	}
	for _, p := range s.of(h.rec.UID) {
		c, ok := p.container()
		if ok && c.State == cri.ContainerRunning && p.State == cri.SandboxReady && h.rec.Intent != intentStop {
			return true, nil
		}
		if err := m.removePod(ctx, p, report); err != nil {
			return false, err
		}
	}
	return false, nil
}

// diskInUse refuses where another machine's pod has the same storage directory.
func diskInUse(h *handle, s survey) error {
	for _, path := range append(h.diskPaths(), h.storagePath()) {
		p, ok := s.onDisk(path, h.rec.UID)
		if ok && p.Namespace == errandNamespace {
			return fmt.Errorf("%w: another vmctl works on its disk in %s (sandbox %.13s)", ErrPhase, path, p.ID)
		}
		if ok {
			err := fmt.Errorf("%w: its disk in %s is in use by machine %q (sandbox %.13s)", ErrPhase, path, p.Labels[LabelMachine], p.ID)
			return hint.With(err, "stop that machine first: vmctl stop %s", p.Labels[LabelMachine])
		}
	}
	return nil
}

// reserve takes what other machines could take too, as late as possible: pulling the
// image may have been long ago. Until it is released, after the sandbox has the
// ports, other starts wait, those of other users too.
func (m *Manager) reserve(ctx context.Context, h *handle, p *plan, report Reporter) (release func(), err error) {
	mine, err := m.Store.LockPorts(ctx)
	if err != nil {
		return nil, err
	}
	everybodys, err := portfwd.LockHost(ctx)
	if err != nil {
		mine()
		return nil, err
	}
	release = func() { everybodys(); mine() }
	if err := m.claim(ctx, h, p, report); err != nil {
		release()
		return nil, err
	}
	return release, nil
}

// claim completes the plan by what the runtime holds at this moment.
func (m *Manager) claim(ctx context.Context, h *handle, p *plan, report Reporter) error {
	s, err := m.survey(ctx)
	if err != nil {
		return err
	}
	if err := diskInUse(h, s); err != nil {
		return err
	}
	p.attempt = s.nextAttempt(h.rec.UID)
	picker := portPicker{busy: busyIn(s, h.rec.UID), check: portfwd.Check, free: portfwd.Free, remembered: h.rec.Ports}
	ports, left := portsFromHere(h.recipe)
	if p.forwards, err = picker.pick(ports); err != nil {
		return err
	}
	warnLAN(h.recipe, left, report)
	runtime, err := m.Runtime.Version(ctx)
	if err != nil {
		return err
	}
	for i, f := range p.forwards {
		p.forwards[i].Via, p.forwards[i].Why = rungOf(f, runtime.RuntimeName)
		warnOpen(f, h.recipe.Viewer.Protect, report)
	}
	for _, note := range picker.notes {
		report.note(note)
	}
	return nil
}

// prepare makes sure of all that a start needs and returns the plan, without its
// ports, and the image's reference. It changes nothing but the runtime's images
// and the machine's empty disk folders.
func (m *Manager) prepare(ctx context.Context, h *handle, report Reporter) (plan, string, error) {
	p := plan{name: h.name, uid: h.rec.UID, recipe: h.recipe,
		storage: h.storagePath(), disks: h.diskPaths(), logs: h.dir.LogsPath(), source: h.rec.Recipe}
	var err error
	if err := h.recipe.CheckPaths(); err != nil {
		return p, "", err
	}
	if p.devices, err = m.checkHost(ctx, h, report); err != nil {
		return p, "", err
	}
	if err := m.checkRuntime(ctx); err != nil {
		return p, "", err
	}
	if p.extra, err = m.checkPassthrough(ctx, h, report); err != nil {
		return p, "", err
	}
	if p.secrets, err = m.fetchSecrets(ctx, h.recipe, report); err != nil {
		return p, "", err
	}
	image, err := m.machineImage(ctx, h, report)
	if err != nil {
		return p, "", err
	}
	if p.cgroup, err = m.Runtime.CgroupParent(ctx, sandboxNamespace); err != nil {
		return p, "", err
	}
	if p.dns, err = m.dns(); err != nil {
		return p, "", err
	}
	return p, image, freshLog(p.logs)
}

// freshLog moves the logs of earlier starts out of the way and makes the new file
// itself: the runtime appends to a file that is there, and a file that it makes
// belongs to root and cannot be read by the user.
func freshLog(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("log directory: %w", err)
	}
	log := filepath.Join(dir, logName)
	for n := keptLogs - 1; n >= 0; n-- {
		from, to := numbered(log, n), numbered(log, n+1)
		if err := os.Rename(from, to); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("move the last log away: %w", err)
		}
	}
	return emptyLog(log)
}

// emptyLog makes a log file anew.
func emptyLog(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("remove the old log file: %w", err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("make the log file: %w", err)
	}
	return f.Close()
}

// keptLogs is how many logs of earlier starts are kept, as vm.log.1 to vm.log.3.
const keptLogs = 3

func numbered(path string, n int) string {
	if n == 0 {
		return path
	}
	return fmt.Sprintf("%s.%d", path, n)
}
