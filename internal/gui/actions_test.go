package gui

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"vmctl/internal/hint"
	"vmctl/internal/machine"
	"vmctl/internal/storage"
)

func TestStopCountsDown(t *testing.T) {
	goOn := make(chan struct{})
	e := &fakeEngine{}
	e.set(aMachine("win", machine.Running))
	e.doing = func(_ context.Context, _ string, report machine.Reporter) error {
		report(machine.Progress{Stage: machine.StageStop, Done: 5, Total: 135})
		<-goOn
		report(machine.Progress{Stage: machine.StageNote, Text: "the guest was killed"})
		e.set(aMachine("win", machine.Stopped))
		return nil
	}
	h := newHarness(t, e)
	h.untilText("Windows for win")
	h.press("Stop")
	h.untilText("2:10 left before it is switched off")
	h.time = h.time.Add(20 * time.Second)
	h.untilText("1:50 left before it is switched off")
	if got, want := h.row("win").Detail, "Windows · Stopping"; got != want {
		t.Errorf("row: got %q, want %q", got, want)
	}
	for _, text := range []string{"Stop", "Restart"} {
		if !h.button(text).Disabled() {
			t.Errorf("%s is enabled while the machine stops", text)
		}
	}
	close(goOn)
	h.untilText("[Start]")
	h.untilNoText("left before")
	h.untilText("the guest was killed")
}

func TestGuardAsks(t *testing.T) {
	tests := []struct{ button, call string }{
		{"Keep the disk", "start win mark-installed"},
		{"Install again, keep a snapshot", "start win reinstall"},
		{"Cancel", ""},
	}
	for _, tt := range tests {
		t.Run(tt.button, func(t *testing.T) {
			e := &fakeEngine{}
			e.set(aMachine("win", machine.Stopped))
			e.doing = func(_ context.Context, call string, _ machine.Reporter) error {
				if call == "start win" {
					return fmt.Errorf("start: %w: its disk holds 12 GiB", machine.ErrGuard)
				}
				return nil
			}
			h := newHarness(t, e)
			h.untilText("[Start]")
			h.press("Start")
			h.untilText("The disk of win is in danger")
			h.untilText("its disk holds 12 GiB")
			h.press(tt.button)
			h.untilNoText("in danger")
			if tt.call != "" {
				h.untilCall(tt.call)
			}
			h.looks(3)
			want := []string{"start win"}
			if tt.call != "" {
				want = append(want, tt.call)
			}
			if got := e.made(); !slices.Equal(got, want) {
				t.Errorf("calls: got %q, want %q", got, want)
			}
		})
	}
}

func TestFailureIsShownWithItsHint(t *testing.T) {
	e := &fakeEngine{}
	e.set(aMachine("win", machine.Stopped))
	e.doing = func(context.Context, string, machine.Reporter) error {
		return hint.With(errors.New("port 8006 is taken by nginx"), "stop nginx")
	}
	h := newHarness(t, e)
	h.untilText("[Start]")
	h.press("Start")
	h.untilText("Could not start win")
	h.untilText("port 8006 is taken by nginx")
	h.untilText("stop nginx")
	h.press("Close")
	h.untilNoText("Could not start")
}

func TestStopGivesUpTheWatch(t *testing.T) {
	e := &fakeEngine{}
	e.set(aMachine("win", machine.Stopped))
	e.doing = func(ctx context.Context, call string, report machine.Reporter) error {
		if call == "stop win" {
			e.set(aMachine("win", machine.Stopped))
			return nil
		}
		report(machine.Progress{Stage: machine.StageInstall, Text: "Copying files", Percent: 30})
		e.set(aMachine("win", machine.Installing))
		<-ctx.Done()
		return ctx.Err()
	}
	h := newHarness(t, e)
	h.untilText("[Start]")
	h.press("Start")
	h.untilText("Copying files")
	h.untilText("[Stop]")
	h.press("Stop")
	h.untilCall("stop win")
	h.untilText("[Start]")
	h.untilNoText("Copying files")
	h.untilNoText("dialog")
}

func TestCancelBeforeTheGuestRuns(t *testing.T) {
	e := &fakeEngine{}
	e.set(aMachine("win", machine.Stopped))
	e.doing = func(ctx context.Context, _ string, report machine.Reporter) error {
		report(machine.Progress{Stage: machine.StagePull, Done: 1 << 30, Total: 4 << 30})
		<-ctx.Done()
		return fmt.Errorf("start: %w", ctx.Err())
	}
	h := newHarness(t, e)
	h.untilText("[Start]")
	h.press("Start")
	h.untilText("1GiB of 4GiB")
	h.press("Cancel")
	h.untilText("[Start]")
	h.untilNoText("dialog")
}

func TestDelete(t *testing.T) {
	items := []storage.Item{
		{Path: "recipe.toml", Allocated: 4096},
		{Path: "storage/data.img", Allocated: 3 << 30},
		{Path: "notes.txt", Allocated: 10, Foreign: true},
	}
	open := func(t *testing.T) *harness {
		e := &fakeEngine{items: items}
		e.set(aMachine("win", machine.Stopped))
		h := newHarness(t, e)
		h.untilText("[Delete…]")
		h.press("Delete…")
		h.untilText("Delete win?")
		return h
	}
	t.Run("keeps the disks", func(t *testing.T) {
		h := open(t)
		deleted, kept, _ := strings.Cut(h.text(), "Kept:")
		if !strings.Contains(deleted, "recipe.toml") || strings.Contains(deleted, "data.img") {
			t.Errorf("what goes is not right:\n%s", deleted)
		}
		if !strings.Contains(kept, "data.img") || !strings.Contains(kept, "notes.txt") {
			t.Errorf("what stays is not right:\n%s", kept)
		}
		h.press("Delete, keep the disks")
		h.untilCall("delete win storage=false")
	})
	t.Run("with the disks", func(t *testing.T) {
		h := open(t)
		h.tick("Delete the disks too")
		deleted, kept, _ := strings.Cut(h.text(), "Kept:")
		if !strings.Contains(deleted, "data.img") || !strings.Contains(kept, "notes.txt") {
			t.Errorf("the dialog does not name what goes and stays:\n%s", h.text())
		}
		h.press("Delete with the disks")
		h.untilCall("delete win storage=true")
	})
	t.Run("not at all", func(t *testing.T) {
		h := open(t)
		h.press("Cancel")
		h.looks(3)
		if calls := h.engine.made(); len(calls) > 0 {
			t.Errorf("calls after Cancel: %q", calls)
		}
	})
}

func TestViewer(t *testing.T) {
	e := &fakeEngine{}
	e.set(aMachine("win", machine.Running))
	h := newHarness(t, e)
	h.untilText("Windows for win")
	h.press("Open viewer")
	h.untilCall("view http://127.0.0.1:8007/")
	e.mu.Lock()
	e.doing = func(context.Context, string, machine.Reporter) error { return errors.New("no browser") }
	e.mu.Unlock()
	h.press("Open viewer")
	h.untilText("No browser could be opened")
	h.press("Copy")
	if got := h.app.Clipboard().Content(); got != "http://127.0.0.1:8007/" {
		t.Errorf("copied %q", got)
	}
}

func TestRestart(t *testing.T) {
	e := &fakeEngine{}
	e.set(aMachine("win", machine.Running))
	h := newHarness(t, e)
	h.untilText("Windows for win")
	h.press("Restart")
	h.untilCall("restart win")
}

// Closing the window cancels what is watched; it asks for no stop.
func TestCloseLeavesTheMachinesAlone(t *testing.T) {
	ended := make(chan error, 1)
	e := &fakeEngine{}
	e.set(aMachine("win", machine.Stopped))
	e.doing = func(ctx context.Context, _ string, _ machine.Reporter) error {
		<-ctx.Done()
		ended <- ctx.Err()
		return ctx.Err()
	}
	h := newHarness(t, e)
	h.untilText("[Start]")
	h.press("Start")
	h.untilCall("start win")
	h.close()
	select {
	case <-ended:
	case <-time.After(patience):
		t.Fatal("the watch goes on after the window was closed")
	}
	if got := e.made(); !slices.Equal(got, []string{"start win"}) {
		t.Errorf("calls: %q", got)
	}
}
