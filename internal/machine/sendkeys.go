package machine

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// A key is held for keyHold, and the next one comes as long after it is let go. QEMU queues
// what it is told at once, at most 1024 events (QEMU ui/input.c), which keysAtOnce stays
// below: a chord of three keys is twelve.
const (
	keyHold    = 20 * time.Millisecond
	keysAtOnce = 64
)

// SendKeys presses chords on the guest's keyboard, one after the other, through QEMU's
// monitor. It returns when the last is pressed, which the guest may not have read yet.
// ErrPhase says that the machine is not up. A paused guest reads them when it goes on.
func (m *Manager) SendKeys(ctx context.Context, name string, chords ...Chord) error {
	for part := range slices.Chunk(chords, keysAtOnce) {
		var lines []string
		for _, c := range part {
			lines = append(lines, fmt.Sprintf("sendkey %s %d", c, keyHold.Milliseconds()))
		}
		answers, err := m.monitor(ctx, name, lines)
		if err != nil {
			return fmt.Errorf("send keys: %w", err)
		}
		if told := strings.TrimSpace(strings.Join(answers, " ")); told != "" {
			return fmt.Errorf("send keys: %w of %q says %q", errMonitor, name, told)
		}
		if err := sleep(ctx, time.Duration(len(part))*2*keyHold); err != nil {
			return fmt.Errorf("send keys: %w", err)
		}
	}
	return nil
}
