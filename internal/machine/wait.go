package machine

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"vmctl/internal/cri"
	"vmctl/internal/hint"
	"vmctl/internal/portfwd"
	"vmctl/internal/recipe"
	"vmctl/internal/viewer"
)

// Until says how far a start waits for the guest.
type Until string

// The ends of a wait.
const (
	UntilRunning Until = "running" // the container runs
	UntilViewer  Until = "viewer"  // the web viewer answers on its host port
	UntilReady   Until = "ready"   // the guest is up, and installed
)

// How long a wait goes on by itself. An installation downloads gigabytes.
const (
	demoLimit    = 10 * time.Minute
	installLimit = 3 * time.Hour
	bootLimit    = 10 * time.Minute
	// selfTestAfter is how long the viewer's host port may be silent before it
	// is looked into: nginx is the first thing that the images start.
	selfTestAfter = 15 * time.Second
)

// await waits for the guest of a machine whose container runs.
func (m *Manager) await(ctx context.Context, name string, o StartOptions, report Reporter) (Machine, error) {
	if o.Wait != UntilRunning {
		err := m.watch(ctx, name, o, report)
		if ctx.Err() != nil {
			err = hint.With(ctx.Err(), "the machine goes on; watch it again with: vmctl up %s", name)
		}
		if err != nil {
			return Machine{}, fmt.Errorf("start %q: %w", name, err)
		}
	}
	return m.Show(ctx, name)
}

// watch is one wait: what it looks at, and what it has seen.
type watch struct {
	m         *Manager
	h         *handle
	container string
	address   string // the sandbox's IP address
	forwards  []portfwd.Forward
	base      string // URL of the status page
	until     Until
	limit     time.Duration
	begin     time.Time
	report    Reporter

	installed bool
	log       []string // the last lines
	status    viewer.Status
	answered  bool      // the status page has answered once
	gone      time.Time // since when the runtime is silent
}

// watch waits until the guest is as far as asked for, reporting on the way.
func (m *Manager) watch(ctx context.Context, name string, o StartOptions, report Reporter) error {
	w, err := m.newWatch(ctx, name, o, report)
	if err != nil {
		return err
	}
	lines, stop := w.follow(ctx)
	defer stop()
	tick := time.NewTicker(m.pollInterval())
	defer tick.Stop()
	done, err := w.look(ctx)
	for !done && err == nil {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case line := <-lines:
			w.read(line)
		case <-tick.C:
			done, err = w.look(ctx)
		}
	}
	return err
}

func (m *Manager) newWatch(ctx context.Context, name string, o StartOptions, report Reporter) (*watch, error) {
	h, err := m.open(name)
	if err != nil {
		return nil, err
	}
	s, err := m.survey(ctx)
	if err != nil {
		return nil, err
	}
	pods := s.of(h.rec.UID)
	if len(pods) == 0 {
		return nil, fmt.Errorf("%w: its sandbox is gone", ErrFailed)
	}
	c, ok := pods[0].container()
	if !ok {
		return nil, fmt.Errorf("%w: its container is gone", ErrFailed)
	}
	status, err := m.Runtime.Sandbox(ctx, pods[0].ID)
	if err != nil {
		return nil, err
	}
	w := &watch{m: m, h: h, container: c.ID, address: status.IP, until: o.Wait, begin: time.Now(), report: report,
		installed: m.installed(h), status: viewer.Status{Percent: -1}}
	if w.forwards, err = decodePorts(pods[0].Annotations[annotationPorts]); err != nil {
		return nil, err
	}
	w.base = viewerBase(w.forwards, status.IP)
	w.limit = o.Timeout
	if w.limit == 0 {
		w.limit = waitLimit(h.recipe.Guest, w.installed)
	}
	return w, nil
}

func waitLimit(g recipe.Guest, installed bool) time.Duration {
	switch {
	case g == recipe.Demo:
		return demoLimit
	case installed && g == recipe.Windows:
		return bootLimit
	}
	return installLimit
}

// follow reads the container's log on a channel. A log that cannot be read costs
// the ready marker and the last error, not the wait.
func (w *watch) follow(ctx context.Context) (<-chan string, func()) {
	lines := make(chan string, 64)
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		err := cri.ReadLog(ctx, w.h.logPath(), cri.LogOptions{Follow: true}, func(l cri.LogLine) error {
			select {
			case lines <- clean(l.Text):
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
		if err != nil && ctx.Err() == nil {
			w.m.log().Warn("the container's log cannot be read", "machine", w.h.name, "error", err)
		}
	}()
	return lines, func() { cancel(); <-ended }
}

// read takes one line of the log.
func (w *watch) read(line string) {
	w.log = append(w.log, line)
	if over := len(w.log) - 50; over > 0 {
		w.log = w.log[over:]
	}
	switch {
	case isReadyMarker(line):
		w.m.noteInstalled(w.h)
		w.installed = true
	case strings.HasPrefix(line, "Warning:"):
		w.report.note("the guest's container says: " + line)
	}
}

// look asks the runtime and the guest once. It reports done when the guest is as
// far as asked for.
func (w *watch) look(ctx context.Context) (done bool, err error) {
	if err := w.alive(ctx); err != nil {
		return false, err
	}
	if w.base == "" || w.h.recipe.Lifecycle.Ready == recipe.ReadyNone {
		return true, nil
	}
	status, err := w.m.askGuest(ctx, w.base, w.h.recipe, w.container)
	if err != nil && ctx.Err() != nil {
		return false, ctx.Err()
	}
	if err != nil && !errors.Is(err, viewer.ErrUnauthorized) {
		return false, err
	}
	w.status = status
	if status.State != viewer.Down || err != nil { // asking for a password is an answer
		w.answered = true
	}
	stage := w.stage()
	elapsed := time.Since(w.begin)
	w.report.report(Progress{Stage: stage, Text: status.Text, Percent: status.Percent, Elapsed: elapsed})
	switch {
	case stage == StageReady, w.until == UntilViewer && w.answered:
		return true, w.testForwards(ctx)
	case !w.answered && elapsed > selfTestAfter:
		w.selfTest(ctx)
	}
	if elapsed > w.limit {
		err := fmt.Errorf("%w after %s: the guest is not ready; its last word: %s", ErrTimeout, w.limit, w.lastWord())
		return false, hint.With(err, "the machine goes on; look at it with vmctl view %s, and wait again with vmctl up %s", w.h.name, w.h.name)
	}
	return false, nil
}

// stage is how far the guest is, by the evidence so far.
func (w *watch) stage() Stage {
	phase := judgeRunning(evidence{installed: w.installed, viewer: w.status})
	switch phase {
	case Running:
		return StageReady
	case Installing:
		return StageInstall
	}
	return StageStart
}

// alive asks the runtime whether the container still runs. A runtime that is
// being restarted is given a moment.
func (w *watch) alive(ctx context.Context) error {
	status, err := w.m.Runtime.Container(ctx, w.container)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, cri.ErrNotFound):
		return fmt.Errorf("%w: its container was removed", ErrFailed)
	case err != nil:
		if w.gone.IsZero() {
			w.gone = time.Now()
		}
		if time.Since(w.gone) < w.m.patience() {
			return nil
		}
		return hint.With(err, "the machine may go on without the runtime's daemon; see vmctl runtime status, then vmctl up %s", w.h.name)
	}
	w.gone = time.Time{}
	if status.State != cri.ContainerExited {
		return nil
	}
	w.log = tailLog(ctx, w.h.logPath())
	report := explainExit(status, w.currentIntent(), w.log)
	if report.clean {
		return fmt.Errorf("%w: %s, while it was waited for", ErrFailed, report.text)
	}
	err = fmt.Errorf("%w: %s", ErrFailed, report.text)
	if report.fix == "" {
		return hint.With(err, "read its log: vmctl logs %s", w.h.name)
	}
	return hint.With(err, "%s", report.fix)
}

// currentIntent reads the intent anew: another command may have asked to stop.
func (w *watch) currentIntent() intent {
	h, err := w.m.open(w.h.name)
	if err != nil {
		return w.h.rec.Intent
	}
	return h.rec.Intent
}

func (w *watch) lastWord() string {
	if w.status.Text != "" {
		return w.status.Text
	}
	if len(w.log) > 0 {
		return w.log[len(w.log)-1]
	}
	return "none"
}
