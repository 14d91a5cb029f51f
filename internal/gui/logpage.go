package gui

import (
	"context"
	"errors"
	"regexp"
	"strings"

	"fyne.io/fyne/v2"

	"vmctl/internal/gui/widgets"
	"vmctl/internal/machine"
)

const (
	logTail = 500  // lines of the past that are shown
	logKeep = 2000 // lines that are kept
)

// logPage shows the log of the selected machine, and follows it only while it is
// looked at.
type logPage struct {
	w      *Window
	root   fyne.CanvasObject
	log    *widgets.Log
	what   string // machine and container whose log it is; "" is none
	cancel func()
}

func newLogPage(w *Window) *logPage {
	p := &logPage{w: w}
	p.log = widgets.NewLog(logKeep, func(text string) { w.app.Clipboard().SetContent(text) })
	p.root = p.log
	return p
}

// follow shows m's log, from the beginning when it is another one than before.
func (p *logPage) follow(m machine.Machine, visible bool) {
	what := m.Name + " " + m.ContainerID
	if !visible {
		what = ""
	}
	if what == p.what {
		return
	}
	p.leave()
	p.what = what
	if visible {
		p.begin(m.Name)
	}
}

func (p *logPage) begin(name string) {
	p.log.Clear()
	p.log.Note("")
	what := p.what
	lines := newMailbox(p.w.bg, func(lines []string) {
		if p.what == what {
			p.log.Add(lines)
		}
	})
	read := func(ctx context.Context) (struct{}, error) {
		return struct{}{}, p.w.engine.Logs(ctx, name, logTail, func(line string) error {
			lines.put(plain(line))
			return ctx.Err()
		})
	}
	p.cancel = ask(p.w.bg, read, func(_ struct{}, err error) {
		if p.what == what {
			p.ended(err)
		}
	})
}

func (p *logPage) ended(err error) {
	switch {
	case errors.Is(err, context.Canceled):
	case err != nil:
		p.log.Note(err.Error())
	default:
		p.log.Note("The log has ended.")
	}
}

// again reads anew at the next occasion, because the runtime was gone meanwhile.
func (p *logPage) again() { p.leave() }

func (p *logPage) leave() {
	if p.cancel != nil {
		p.cancel()
	}
	p.cancel, p.what = nil, ""
}

// escapes are terminal control sequences (ECMA-48 CSI, and OSC as xterm has it).
var escapes = regexp.MustCompile("\x1b(\\[[0-?]*[ -/]*[@-~]|\\][^\x07\x1b]*(\x07|\x1b\\\\)|[@-Z\\\\-_=>])")

// plain takes from a log line what is meant for a terminal. Of a line that was
// written over with carriage returns the last state stays.
func plain(line string) string {
	line = strings.TrimRight(escapes.ReplaceAllString(line, ""), "\r\n")
	if i := strings.LastIndexByte(line, '\r'); i >= 0 {
		line = line[i+1:]
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' {
			return -1
		}
		return r
	}, line)
}
