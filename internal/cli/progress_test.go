package cli

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vmctl/internal/machine"
)

func TestDescribeAndShare(t *testing.T) {
	for _, test := range []struct {
		name  string
		p     machine.Progress
		text  string
		share int64
	}{
		{"nothing known", machine.Progress{Stage: machine.StageCheck, Percent: -1}, "", -1},
		{"pull", machine.Progress{Stage: machine.StagePull, Text: "ref", Done: 512 << 20, Total: 2 << 30, Percent: -1}, "ref (512MiB of 2GiB)", 250},
		{"pull without bytes", machine.Progress{Stage: machine.StagePull, Text: "ref", Percent: -1}, "ref", -1},
		{"more than announced", machine.Progress{Stage: machine.StagePull, Text: "ref", Done: 20, Total: 10, Percent: -1}, "ref (20B of 10B)", 1000},
		{"install", machine.Progress{Stage: machine.StageInstall, Text: "Copying", Percent: 12.4}, "Copying (12%)", 124},
		{"beyond", machine.Progress{Stage: machine.StageInstall, Text: "Copying", Percent: 120}, "Copying (120%)", 1000},
		{"stop", machine.Progress{Stage: machine.StageStop, Text: "waiting", Done: 3, Total: 135, Percent: -1}, "waiting (3 of at most 135 s)", 22},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := describe(test.p); got != test.text {
				t.Errorf("describe: %q, want %q", got, test.text)
			}
			if got := share(test.p); got != test.share {
				t.Errorf("share: %d, want %d", got, test.share)
			}
		})
	}
}

func TestEveryStageHasAWord(t *testing.T) {
	for _, stage := range []machine.Stage{machine.StageCheck, machine.StagePull, machine.StageCreate, machine.StageStart,
		machine.StageInstall, machine.StageReady, machine.StageStop, machine.StageRemove} {
		if stageWords[stage] == "" {
			t.Errorf("stage %q has no word", stage)
		}
	}
}

// TestLinesDoNotFlood reports each permille of a pull and each second of a stop, and
// counts the lines.
func TestLinesDoNotFlood(t *testing.T) {
	var out bytes.Buffer
	l := &lines{out: &out}
	l.report(machine.Progress{Stage: machine.StageCheck, Percent: -1})
	l.report(machine.Progress{Stage: machine.StageCheck, Percent: -1})
	for done := range int64(1000) {
		l.report(machine.Progress{Stage: machine.StagePull, Text: "ref", Done: done + 1, Total: 1000, Percent: -1})
	}
	l.report(machine.Progress{Stage: machine.StageNote, Text: "by the way"})
	for done := range int64(135) {
		l.report(machine.Progress{Stage: machine.StageStop, Text: "waiting", Done: done, Total: 135, Percent: -1})
	}
	l.close()
	got := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(got) != 1+11+1+10 {
		t.Errorf("%d lines:\n%s", len(got), out.String())
	}
	for i, want := range map[int]string{0: "vmctl: checking", 1: "vmctl: pulling: ref (1B of 1000B)", 12: "vmctl: note: by the way",
		13: "vmctl: stopping: waiting (0 of at most 135 s)"} {
		if i < len(got) && got[i] != want {
			t.Errorf("line %d: %q, want %q", i, got[i], want)
		}
	}
}

func TestLinesGiveSignsOfLife(t *testing.T) {
	var out bytes.Buffer
	l := &lines{out: &out}
	p := machine.Progress{Stage: machine.StageInstall, Text: "Copying", Percent: -1}
	l.report(p)
	l.report(p)
	l.shown = l.shown.Add(-signOfLife)
	l.report(p)
	if diff := cmp.Diff(strings.Repeat("vmctl: installing: Copying\n", 2), out.String()); diff != "" {
		t.Error(diff)
	}
}

func TestSilentWithJSON(t *testing.T) {
	var errs bytes.Buffer
	p := (&terminal{Streams: Streams{Err: &errs}, json: true}).newProgress()
	p.report(machine.Progress{Stage: machine.StageNote, Text: "x"})
	p.close()
	if errs.Len() > 0 {
		t.Errorf("said %q", errs.String())
	}
}

// TestBars draws on a terminal: what is there in the end is the notes alone, and
// what was shown on the way has a bar where the share is known.
func TestBars(t *testing.T) {
	screen, tty := openTerminal(t)
	p := (&terminal{Streams: Streams{Err: tty}}).newProgress()
	p.report(machine.Progress{Stage: machine.StageCheck, Percent: -1})
	p.report(machine.Progress{Stage: machine.StageNote, Text: "by the way"})
	p.report(machine.Progress{Stage: machine.StagePull, Text: "ref", Done: 1, Total: 2, Percent: -1})
	screen.waitFor(t, "(1B of 2B)")
	p.report(machine.Progress{Stage: machine.StagePull, Text: "unpacking", Done: 2, Total: 2, Percent: -1})
	screen.waitFor(t, "unpacking")
	p.report(machine.Progress{Stage: machine.StagePull, Text: "still at it", Done: 2, Total: 2, Percent: -1})
	screen.waitFor(t, "still at it") // a full bar is not the end of its stage
	p.report(machine.Progress{Stage: machine.StageStart, Text: "no share", Percent: -1})
	screen.waitFor(t, "no share")
	p.close()
	fmt.Fprintln(tty, "the end")
	screen.waitFor(t, "the end")
	if diff := cmp.Diff("vmctl: note: by the way\nthe end\n", screen.text()); diff != "" {
		t.Errorf("left on the screen: %s", diff)
	}
	for _, frame := range strings.Split(screen.raw(), "\n") {
		if strings.Contains(frame, "no share") && strings.Contains(frame, "]") {
			t.Errorf("a bar where no share is known: %q", frame)
		}
	}
	if !strings.Contains(screen.raw(), "[====") {
		t.Errorf("no bar: %q", screen.raw())
	}
}

func TestBarsThatNeverReported(t *testing.T) {
	_, tty := openTerminal(t)
	closed := make(chan struct{})
	go func() {
		(&terminal{Streams: Streams{Err: tty}}).newProgress().close()
		close(closed)
	}()
	select {
	case <-closed:
	case <-time.After(5 * time.Second):
		t.Fatal("close hangs")
	}
}
