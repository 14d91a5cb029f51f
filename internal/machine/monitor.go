package machine

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"vmctl/internal/hint"
)

// monitorScript sends its arguments, a line each, to QEMU's monitor, whose socket all images
// have (qemus/qemu src/config.sh), with the netcat that their own shutdown uses.
const monitorScript = `printf '%s\n' "$@" | nc -N -w 3 -U /run/shm/monitor.sock`

// errMonitor is the root of what goes wrong between us and QEMU's monitor.
var errMonitor = errors.New("QEMU's monitor")

// Monitor has QEMU carry out a line of its human monitor (QEMU System Emulation, "QEMU
// Monitor"), such as "info status", and returns its answer; what QEMU does not understand,
// the answer says. ErrPhase says that the machine is not up.
func (m *Manager) Monitor(ctx context.Context, name, line string) (string, error) {
	if strings.ContainsAny(line, "\r\n") {
		return "", fmt.Errorf("%w takes one line", errMonitor)
	}
	answers, err := m.monitor(ctx, name, []string{line})
	if err != nil {
		return "", err
	}
	return answers[0], nil
}

// monitor has the monitor carry out several lines, and returns an answer for each.
func (m *Manager) monitor(ctx context.Context, name string, lines []string) ([]string, error) {
	r, err := m.Exec(ctx, name, append([]string{"sh", "-c", monitorScript, "sh"}, lines...), 10*time.Second)
	if err != nil {
		return nil, err
	}
	answers := monitorAnswers(string(r.Stdout))
	if r.ExitCode != 0 || len(answers) < len(lines) {
		err := fmt.Errorf("%w of %q does not answer: %s", errMonitor, name, either(oneLine(string(r.Stderr)), "it said nothing"))
		return nil, hint.With(err, "it is there once QEMU runs: see vmctl show %s", name)
	}
	return answers, nil
}

const monitorPrompt = "(qemu) "

// cursor matches what the monitor moves the cursor with while it echoes a line.
var cursor = regexp.MustCompile("\x1b\\[[0-9;]*[A-Za-z]")

// monitorAnswers takes greeting, echoes and prompts off what the monitor printed. Between
// two prompts are the echo of a line and the answer to it; a monitor that was cut off leaves
// the last prompt out.
func monitorAnswers(out string) []string {
	out = strings.ReplaceAll(cursor.ReplaceAllString(out, ""), "\r", "")
	var answers []string
	for _, part := range strings.Split(out, monitorPrompt)[1:] {
		if _, answer, echoed := strings.Cut(part, "\n"); echoed {
			answers = append(answers, strings.TrimRight(answer, "\n"))
		}
	}
	return answers
}

// Pause stops the guest's processors, and with them the guest's time; its memory stays taken.
// A stop of a paused machine lets it go on first, so that it can shut down. Pausing a paused
// machine is success, one that is not up is ErrPhase.
func (m *Manager) Pause(ctx context.Context, name string, report Reporter) error {
	h, unlock, err := m.openLocked(ctx, name, report)
	if err != nil {
		return fmt.Errorf("pause %q: %w", name, err)
	}
	defer unlock()
	if _, err := m.Container(ctx, name); err != nil {
		return fmt.Errorf("pause %q: %w", name, err)
	}
	// Before, so that a stop knows of it whatever comes between.
	h.rec.Paused = true
	if err := h.save(); err != nil {
		return err
	}
	return m.drive(ctx, name, "stop", "paused")
}

// Resume lets a paused guest go on. Resuming one that runs is success.
func (m *Manager) Resume(ctx context.Context, name string, report Reporter) error {
	h, unlock, err := m.openLocked(ctx, name, report)
	if err != nil {
		return fmt.Errorf("resume %q: %w", name, err)
	}
	defer unlock()
	return m.resume(ctx, h)
}

// resume is Resume under the lock.
func (m *Manager) resume(ctx context.Context, h *handle) error {
	if err := m.drive(ctx, h.name, "cont", "running"); err != nil {
		return err
	}
	h.rec.Paused = false
	return h.save()
}

// drive gives the monitor an order, and looks that the guest is then as it was meant to be.
func (m *Manager) drive(ctx context.Context, name, order, want string) error {
	if _, err := m.Monitor(ctx, name, order); err != nil {
		return err
	}
	status, err := m.Monitor(ctx, name, "info status")
	if err == nil && !strings.Contains(status, want) {
		err = fmt.Errorf("%w of %q was told %q, and says %q", errMonitor, name, order, status)
	}
	return err
}
