package gui

import (
	"context"
	"errors"
	"strings"
	"testing"

	"fyne.io/fyne/v2"

	"vmctl/internal/machine"
)

func TestNewMachine(t *testing.T) {
	goOn := make(chan struct{})
	e := &fakeEngine{}
	e.doing = func(_ context.Context, _ string, report machine.Reporter) error {
		report(machine.Progress{Stage: machine.StagePull, Done: 25, Total: 100})
		<-goOn
		e.set(aMachine("office", machine.Running))
		return nil
	}
	h := newHarness(t, e)
	h.untilText("There are no machines yet.")
	h.press("New machine")
	h.choose("windows-11")
	h.untilText("> windows-11")
	h.fill("Name", "office")
	h.fill("Memory", "6G")
	h.press("Create and start")
	h.untilCall("up windows-11 office 4 6G 64G")
	h.untilText("25B of 100B")
	if got, want := h.row("office").Detail, "Creating 25 %"; got != want {
		t.Errorf("row while it is made: got %q, want %q", got, want)
	}
	close(goOn)
	h.untilText("Windows for office")
	h.untilNoText("of 100B")
}

func TestNewMachineThatFailsIsNotLeftInTheList(t *testing.T) {
	e := &fakeEngine{}
	e.doing = func(context.Context, string, machine.Reporter) error { return errors.New("pull image: no such image") }
	h := newHarness(t, e)
	h.untilText("There are no machines yet.")
	h.press("New machine")
	h.press("Create and start")
	h.untilText("Could not create alpine")
	h.untilText("pull image: no such image")
	if len(h.w.machines.rows) != 0 {
		t.Errorf("rows: %v", h.w.machines.rows)
	}
}

func TestNewMachineErrorsAreAtTheField(t *testing.T) {
	e := &fakeEngine{}
	e.set(aMachine("alpine", machine.Running))
	h := newHarness(t, e)
	h.untilText("Windows for alpine")
	h.press("New machine")
	h.untilText("> alpine-2") // the name proposed is free

	tests := []struct{ label, text, note string }{
		{"Name", "alpine", "already"},
		{"Name", "No Good", "invalid machine name"},
		{"Memory", "8", "write 8G or 8M"},
	}
	for _, tt := range tests {
		right := map[string]string{"Name": "alpine-2", "Memory": "8G"}[tt.label]
		f := h.fill(tt.label, tt.text)
		if !strings.Contains(f.Note(), tt.note) {
			t.Errorf("%s %q: below the field is %q, want %q", tt.label, tt.text, f.Note(), tt.note)
		}
		if !h.button("Create and start").Disabled() {
			t.Errorf("%s %q: the machine can be created", tt.label, tt.text)
		}
		h.fill(tt.label, right)
		if h.button("Create and start").Disabled() {
			t.Errorf("%s %q: the machine cannot be created", tt.label, right)
		}
	}
}

func TestNewMachineNameTakenMeanwhile(t *testing.T) {
	e := &fakeEngine{}
	h := newHarness(t, e)
	h.untilText("There are no machines yet.")
	h.press("New machine")
	e.set(aMachine("alpine", machine.Running))
	h.until("the other machine", func() bool { return len(h.w.state.machines) == 1 })
	h.press("Create and start")
	h.untilText("there is a machine \"alpine\" already")
	if calls := e.made(); len(calls) > 0 {
		t.Errorf("calls: %q", calls)
	}
}

func TestBrokenRecipe(t *testing.T) {
	h := newHarness(t, &fakeEngine{})
	h.press("New machine")
	h.choose("broken")
	h.untilText("broken.toml:5:1: unknown key")
	if !h.button("Create and start").Disabled() {
		t.Error("a broken recipe can be used")
	}
	h.choose("alpine")
	h.untilNoText("unknown key")
	h.untilText("> alpine")
	h.press("Cancel")
	h.untilNoText("dialog")
}

// Every button must be within a small window.
func TestSmallWindow(t *testing.T) {
	e := &fakeEngine{}
	e.set(aMachine("win", machine.Running))
	h := newHarness(t, e)
	h.w.win.Resize(fyne.NewSize(800, 500))
	h.untilText("Windows for win")
	h.press("Open viewer")
	h.untilCall("view")
	h.press("New machine")
	h.press("Create and start")
	h.untilCall("up alpine alpine")
}
