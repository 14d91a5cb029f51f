package critest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"

	"vmctl/internal/cri"
)

func logTests() []conformanceTest {
	return []conformanceTest{
		{name: "lines of both streams", run: testLogLines},
		{name: "a long line is put together", run: testLogLongLine},
		{name: "follows to the end", run: testLogFollow},
		{name: "follows through a rotation", run: testLogRotation},
		{name: "a second container appends", run: testLogAppends},
		{name: "no log path, no log", run: testLogNone},
	}
}

// readLog reads all of a container's log as "stream text".
func (b *bench) readLog(id string) []string {
	b.Helper()
	s, err := b.c.Container(b.ctx, id)
	b.must(err)
	var out []string
	b.must(cri.ReadLog(b.ctx, s.LogPath, cri.LogOptions{}, func(l cri.LogLine) error {
		if l.Time.Before(s.CreatedAt.Add(-time.Second)) || l.Time.After(time.Now().Add(time.Second)) {
			b.Errorf("time %v of line %q", l.Time, l.Text)
		}
		out = append(out, l.Stream+" "+l.Text)
		return nil
	}))
	return out
}

func testLogLines(b *bench) {
	id, _, _ := b.started("lines", `echo ready; echo "  two  words "; echo; printf 'no newline'`)
	b.waitExit(id)
	want := []string{"stdout ready", "stdout   two  words ", "stdout ", "stdout no newline"}
	if diff := cmp.Diff(want, b.readLog(id)); diff != "" {
		b.Errorf("log (-want +got):\n%s", diff)
	}
	other, _, _ := b.started("errors", `echo ready; echo oops >&2`)
	b.waitExit(other)
	if got := strings.Join(b.readLog(other), ","); !strings.Contains(got, "stderr oops") {
		b.Errorf("log %q has no stderr", got)
	}
}

func testLogLongLine(b *bench) {
	id, _, _ := b.started("long", `echo ready; i=0; while [ $i -lt 4000 ]; do printf 0123456789; i=$((i+1)); done; echo; echo after`)
	b.waitExit(id)
	want := []string{"stdout ready", "stdout " + strings.Repeat("0123456789", 4000), "stdout after"}
	if diff := cmp.Diff(want, b.readLog(id)); diff != "" {
		b.Errorf("log (-want +got):\n%s", diff)
	}
}

func testLogFollow(b *bench) {
	id, _, _ := b.started("follow", `echo ready; for i in 1 2 3 4 5; do sleep 0.2; echo tick $i; done`)
	s, err := b.c.Container(b.ctx, id)
	b.must(err)
	stopped := func() bool {
		s, err := b.c.Container(b.ctx, id)
		return err != nil || s.State == cri.ContainerExited
	}
	var got []string
	b.must(cri.ReadLog(b.ctx, s.LogPath, cri.LogOptions{Follow: true, Stopped: stopped}, func(l cri.LogLine) error {
		got = append(got, l.Text)
		return nil
	}))
	want := []string{"ready", "tick 1", "tick 2", "tick 3", "tick 4", "tick 5"}
	if diff := cmp.Diff(want, got); diff != "" {
		b.Errorf("followed (-want +got):\n%s", diff)
	}
}

func testLogRotation(b *bench) {
	id, _, _ := b.started("rotate", `echo ready; n=0; while :; do n=$((n+1)); echo line $n; sleep 0.05; done`)
	s, err := b.c.Container(b.ctx, id)
	b.must(err)
	enough := errors.New("enough")
	n := 0
	err = cri.ReadLog(b.ctx, s.LogPath, cri.LogOptions{Follow: true}, func(l cri.LogLine) error {
		if l.Text == "ready" {
			return nil
		}
		n++
		if want := fmt.Sprintf("line %d", n); l.Text != want {
			return fmt.Errorf("got %q, want %q", l.Text, want)
		}
		if n == 10 {
			if err := os.Rename(s.LogPath, s.LogPath+".1"); err != nil {
				return err
			}
			if err := b.c.ReopenLog(b.ctx, id); err != nil {
				return err
			}
		}
		if n == 30 {
			return enough
		}
		return nil
	})
	b.want(err, enough)
	for _, name := range []string{s.LogPath, s.LogPath + ".1"} {
		if _, err := os.Stat(name); err != nil {
			b.Error(err)
		}
	}
}

func testLogAppends(b *bench) {
	id, pod, sandbox := b.started("append", "echo ready")
	b.waitExit(id)
	cfg := b.shell("main", "echo again")
	cfg.LogPath = "append.log"
	cfg.Attempt = 1
	second := b.startIn(sandbox, pod, cfg)
	b.waitExit(second)
	if got := strings.Join(b.readLog(id), ","); got != "stdout ready,stdout again" {
		b.Errorf("log = %q", got)
	}
}

func testLogNone(b *bench) {
	pod := b.pod("silent")
	pod.LogDirectory = ""
	sandbox, err := b.c.RunSandbox(b.ctx, pod, "")
	b.must(err)
	cfg := b.shell("main", "echo unheard")
	cfg.LogPath = ""
	id := b.startIn(sandbox, pod, cfg)
	b.waitExit(id)
	if left, _ := filepath.Glob(filepath.Join(b.logs, "*.log")); len(left) > 0 {
		b.Errorf("logs nobody asked for: %q", left)
	}
}
