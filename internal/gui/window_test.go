package gui

import (
	"errors"
	"fmt"
	"testing"

	"vmctl/internal/cri"
	"vmctl/internal/gui/widgets"
	"vmctl/internal/hint"
	"vmctl/internal/machine"
)

func TestMachinesAndTheirPhases(t *testing.T) {
	installing := aMachine("mac", machine.Installing)
	installing.Progress, installing.Percent = "Downloading macOS", 45
	e := &fakeEngine{}
	e.set(installing, aMachine("win", machine.Running))
	h := newHarness(t, e)

	h.untilText("Downloading macOS")
	if got, want := h.row("mac").Detail, "Windows · Installing 45 %"; got != want {
		t.Errorf("row of mac: got %q, want %q", got, want)
	}
	if h.row("mac").Tone != widgets.Busy || h.row("win").Tone != widgets.Good {
		t.Errorf("tones: mac %v, win %v", h.row("mac").Tone, h.row("win").Tone)
	}
	h.choose("win")
	h.untilText("Windows for win")
	h.untilNoText("Downloading macOS")
	h.untilText("/machines/win/storage")
	h.untilText("127.0.0.1:3390")
}

func TestWhatTheCommandLineDoesShows(t *testing.T) {
	e := &fakeEngine{}
	h := newHarness(t, e)
	h.untilText("There are no machines yet.")
	e.set(aMachine("win", machine.Stopped))
	h.untilText("Windows for win")
	e.set(aMachine("alpine", machine.Running), aMachine("win", machine.Starting))
	h.untilText("Windows · Starting")
	if h.w.state.selected != "win" {
		t.Errorf("a machine that came before it took the selection from win: %q", h.w.state.selected)
	}
	e.set(aMachine("alpine", machine.Running))
	h.untilText("Windows for alpine")
	e.set()
	h.untilText("There are no machines yet.")
}

func TestRuntimeGoneAndBack(t *testing.T) {
	e := &fakeEngine{}
	e.set(aMachine("win", machine.Running))
	h := newHarness(t, e)
	h.untilText("Windows for win")
	if h.button("Stop").Disabled() {
		t.Error("Stop is disabled although the runtime is there")
	}

	e.vanish(hint.With(fmt.Errorf("list sandboxes: %w", cri.ErrUnavailable), "start it: vmctl runtime start"))
	h.untilText("The container runtime does not answer")
	h.untilText("start it: vmctl runtime start")
	if !h.row("win").Stale {
		t.Error("the row is not greyed")
	}
	for _, text := range []string{"Stop", "Restart"} {
		if !h.button(text).Disabled() {
			t.Errorf("%s is enabled although the runtime is gone", text)
		}
	}
	h.press("Retry")
	h.looks(2)
	h.untilText("The container runtime does not answer")

	e.vanish(nil)
	h.untilNoText("does not answer")
	if h.row("win").Stale || h.button("Stop").Disabled() {
		t.Error("the machine is still greyed although the runtime is back")
	}
}

func TestBanner(t *testing.T) {
	tests := []struct {
		err   error
		title string
	}{
		{nil, ""},
		{cri.ErrNoRuntime, "There is no container runtime"},
		{cri.ErrPermission, "The container runtime may not be used by this user"},
		{cri.ErrCRIDisabled, "The container runtime answers, but not through CRI"},
		{fmt.Errorf("list: %w", cri.ErrUnavailable), "The container runtime does not answer"},
		{fmt.Errorf("list: %w", cri.ErrTimeout), "The container runtime does not answer"},
		{errors.New("read machines: permission denied"), "The machines cannot be listed"},
	}
	for _, tt := range tests {
		if got := goneText(tt.err).Title; got != tt.title {
			t.Errorf("%v: got %q, want %q", tt.err, got, tt.title)
		}
	}
}

func TestFailedMachine(t *testing.T) {
	failed := aMachine("win", machine.Failed)
	failed.Reason, failed.Fix = "QEMU could not get its memory", "give it less memory"
	e := &fakeEngine{}
	e.set(failed)
	h := newHarness(t, e)
	h.untilText("QEMU could not get its memory")
	h.untilText("give it less memory")
	if h.row("win").Tone != widgets.Bad {
		t.Errorf("tone of the row: %v", h.row("win").Tone)
	}
	h.press("Start")
	h.untilCall("start win")
}

// The window must not draw what has not changed: a list that is drawn twice a
// second flickers and costs power.
func TestChanged(t *testing.T) {
	a, b := widgets.RowText{Title: "a"}, widgets.RowText{Title: "b"}
	b2 := widgets.RowText{Title: "b", Detail: "Running"}
	tests := []struct {
		name          string
		before, after []widgets.RowText
		items         []int
		all           bool
	}{
		{"same", []widgets.RowText{a, b}, []widgets.RowText{a, b}, nil, false},
		{"one differs", []widgets.RowText{a, b}, []widgets.RowText{a, b2}, []int{1}, false},
		{"one more", []widgets.RowText{a}, []widgets.RowText{a, b}, nil, true},
		{"another order", []widgets.RowText{a, b}, []widgets.RowText{b, a}, nil, true},
	}
	for _, tt := range tests {
		items, all := changed(tt.before, tt.after)
		if fmt.Sprint(items) != fmt.Sprint(tt.items) || all != tt.all {
			t.Errorf("%s: got %v %v, want %v %v", tt.name, items, all, tt.items, tt.all)
		}
	}
}

func TestHiddenWindowLooksRarely(t *testing.T) {
	h := newHarness(t, &fakeEngine{})
	h.w.Hide()
	if got := h.w.pause.Load(); got != int64(h.w.normal*hiddenFactor) {
		t.Errorf("pause while hidden: %v", got)
	}
	h.w.Show()
	if got := h.w.pause.Load(); got != int64(h.w.normal) {
		t.Errorf("pause while shown: %v", got)
	}
	h.looks(1)
}
