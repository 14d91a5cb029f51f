package cli

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
)

// logHandler writes log records as the other lines on standard error:
//
//	vmctl: warning: a sandbox was not removed (error: connection refused)
//
// Groups are not told apart; nobody below uses them.
type logHandler struct {
	out   io.Writer
	level slog.Level
	attrs []slog.Attr
	mu    *sync.Mutex // of out
}

func newLog(out io.Writer, level slog.Level) *slog.Logger {
	return slog.New(&logHandler{out: out, level: level, mu: &sync.Mutex{}})
}

// Enabled implements slog.Handler.
func (h *logHandler) Enabled(_ context.Context, level slog.Level) bool { return level >= h.level }

// Handle implements slog.Handler: one record, one line.
func (h *logHandler) Handle(_ context.Context, r slog.Record) error {
	word := strings.ToLower(r.Level.String())
	if r.Level == slog.LevelWarn {
		word = "warning"
	}
	var details []string
	add := func(a slog.Attr) bool {
		details = append(details, fmt.Sprintf("%s: %s", a.Key, strings.ReplaceAll(a.Value.String(), "\n", " ")))
		return true
	}
	for _, a := range h.attrs {
		add(a)
	}
	r.Attrs(add)
	line := "vmctl: " + word + ": " + r.Message
	if len(details) > 0 {
		line += " (" + strings.Join(details, ", ") + ")"
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	_, err := fmt.Fprintln(h.out, line)
	return err
}

// WithAttrs implements slog.Handler.
func (h *logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	with := *h
	with.attrs = append(append([]slog.Attr(nil), h.attrs...), attrs...)
	return &with
}

// WithGroup implements slog.Handler.
func (h *logHandler) WithGroup(string) slog.Handler { return h }
