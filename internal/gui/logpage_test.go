package gui

import (
	"context"
	"errors"
	"testing"

	"vmctl/internal/cri"
	"vmctl/internal/machine"
)

func TestLog(t *testing.T) {
	e := &fakeEngine{log: []string{"\x1b[1;34m❯ Booting\x1b[0m", "10%\r20%\rdone"}}
	e.set(aMachine("mac", machine.Running), aMachine("win", machine.Running))
	h := newHarness(t, e)
	h.untilText("Windows for mac")
	if len(e.made()) != 0 {
		t.Errorf("the log is read although nobody looks at it: %q", e.made())
	}
	h.w.details.tabs.Select(h.w.details.logTab)
	h.untilText("❯ Booting\ndone")
	h.untilText("The log has ended.")
	h.press("Copy")
	if got := h.app.Clipboard().Content(); got != "❯ Booting\ndone" {
		t.Errorf("copied %q", got)
	}
	h.choose("win")
	h.untilCall("logs win")
}

func TestLogEndsWhenNobodyLooks(t *testing.T) {
	ended := make(chan struct{})
	e := &fakeEngine{}
	e.set(aMachine("win", machine.Running))
	e.doing = func(ctx context.Context, _ string, _ machine.Reporter) error {
		<-ctx.Done()
		close(ended)
		return ctx.Err()
	}
	h := newHarness(t, e)
	h.untilText("Windows for win")
	h.w.details.tabs.Select(h.w.details.logTab)
	h.untilCall("logs win")
	h.w.details.tabs.SelectIndex(0)
	<-ended
}

func TestLogIsReadAgainWhenTheRuntimeIsBack(t *testing.T) {
	e := &fakeEngine{logErr: errors.New("connection lost")}
	e.set(aMachine("win", machine.Running))
	h := newHarness(t, e)
	h.untilText("Windows for win")
	h.w.details.tabs.Select(h.w.details.logTab)
	h.untilText("connection lost")
	e.vanish(cri.ErrUnavailable)
	h.untilText("does not answer")
	before := len(e.made())
	e.vanish(nil)
	h.until("the log to be read again", func() bool { return len(e.made()) > before })
}

func TestPlain(t *testing.T) {
	tests := []struct{ in, want string }{
		{"plain", "plain"},
		{"\x1b[1;34m❯\x1b[0m go", "❯ go"},
		{"\x1b]0;title\x07text", "text"},
		{"10%\r20%\r", "20%"},
		{"bell\a and\ttab", "bell and\ttab"},
		{"", ""},
	}
	for _, tt := range tests {
		if got := plain(tt.in); got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.in, got, tt.want)
		}
	}
}
