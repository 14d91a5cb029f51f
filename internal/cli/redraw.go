package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/term"
)

// redraw prints a table again and again: on a terminal over the one before, elsewhere below
// it. What is on the screen when it ends stays there, with the cursor below it.
type redraw struct {
	t     *terminal
	fd    int // of the terminal; below 0 where there is none
	drawn int // tables so far
	lines int // of the last one
}

func (t *terminal) newRedraw() *redraw {
	r := &redraw{t: t, fd: -1}
	if f, ok := t.Out.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		r.fd = int(f.Fd())
	}
	return r
}

// table draws the next table. All of it goes out with one write, so that it does not flicker
// and an interruption leaves no half of it.
func (r *redraw) table(header []string, rows [][]string) error {
	var text bytes.Buffer
	if err := (&terminal{Streams: Streams{Out: &text}}).printTable(header, rows); err != nil {
		return err
	}
	lines := strings.Split(strings.TrimSuffix(text.String(), "\n"), "\n")
	var out strings.Builder
	if r.fd >= 0 {
		if r.lines > 0 {
			fmt.Fprintf(&out, "\x1b[%dA\r\x1b[J", r.lines)
		}
		lines = fitted(lines, r.fd)
	}
	out.WriteString(strings.Join(lines, "\n") + "\n")
	r.drawn, r.lines = r.drawn+1, len(lines)
	_, err := r.t.Out.Write([]byte(out.String()))
	return err
}

// fitted leaves out what the terminal has no room for: a line that wraps, or a table that
// scrolls, could not be drawn over.
func fitted(lines []string, fd int) []string {
	width, height, err := term.GetSize(fd)
	if err != nil || width <= 0 || height <= 1 {
		return lines
	}
	if len(lines) >= height {
		lines = append(lines[:height-2:height-2], fmt.Sprintf("... %d more", len(lines)-height+2))
	}
	out := make([]string, len(lines))
	for i, line := range lines {
		out[i] = string([]rune(line)[:min(len([]rune(line)), width-1)])
	}
	return out
}

// printJSONLine prints v as one line.
func (t *terminal) printJSONLine(v any) error {
	e := json.NewEncoder(t.Out)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// checkEvery refuses what would keep the runtime busy.
func checkEvery(d time.Duration) error {
	const least = 100 * time.Millisecond
	if d < least {
		return usageError{fmt.Errorf("--every %s: it is at least %s", d, least)}
	}
	return nil
}

// wait sleeps, or returns ctx's error.
func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
