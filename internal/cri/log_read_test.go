package cri_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"vmctl/internal/cri"
	"vmctl/internal/hint"
)

// logFile is a log that a test writes.
type logFile struct {
	t    *testing.T
	path string
	n    int
}

func newLog(t *testing.T) *logFile {
	return &logFile{t: t, path: filepath.Join(t.TempDir(), "vm.log")}
}

// at is the time of the nth line that a test writes.
func at(n int) time.Time { return time.Date(2026, 11, 21, 2, 12, n, 0, time.UTC) }

// lines appends full lines to stdout, a second apart.
func (l *logFile) lines(texts ...string) {
	for _, text := range texts {
		l.raw(fmt.Sprintf("%s stdout F %s\n", at(l.n).Format(time.RFC3339Nano), text))
		l.n++
	}
}

func (l *logFile) raw(text string) {
	l.t.Helper()
	f, err := os.OpenFile(l.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		l.t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(text); err != nil {
		l.t.Fatal(err)
	}
}

func readAll(t *testing.T, path string, opts cri.LogOptions) []string {
	t.Helper()
	var got []string
	if err := cri.ReadLog(t.Context(), path, opts, func(l cri.LogLine) error {
		got = append(got, l.Text)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestReadLog(t *testing.T) {
	for _, test := range []struct {
		name string
		raw  string
		opts cri.LogOptions
		want []string
	}{
		{name: "empty"},
		{name: "all", want: []string{"one", "two", "three"},
			raw: "2026-11-21T02:12:01Z stdout F one\n2026-11-21T02:12:02Z stderr F two\n2026-11-21T02:12:03Z stdout F three\n"},
		{name: "parts", want: []string{"onetwo", "three"},
			raw: "2026-11-21T02:12:01Z stdout P one\n2026-11-21T02:12:02Z stdout F two\n2026-11-21T02:12:03Z stdout F three\n"},
		{name: "a part without an end", want: []string{"one"},
			raw: "2026-11-21T02:12:01Z stdout P one\n"},
		{name: "a line without an end", want: []string{"one", "two"},
			raw: "2026-11-21T02:12:01Z stdout F one\n2026-11-21T02:12:02Z stdout F two"},
		{name: "docker", want: []string{"one", "twothree"},
			raw: `{"log":"one\n","stream":"stdout","time":"2026-11-21T02:12:01Z"}` + "\n" +
				`{"log":"two","stream":"stdout","time":"2026-11-21T02:12:01Z"}` + "\n" +
				`{"log":"three\n","stream":"stdout","time":"2026-11-21T02:12:01Z"}` + "\n"},
		{name: "no format", want: []string{"what is this", "{ \"and\": \"this\"", "one"},
			raw: "what is this\r\n{ \"and\": \"this\"\n2026-11-21T02:12:01Z stdout F one\n"},
		{name: "tail", opts: cri.LogOptions{Tail: 2}, want: []string{"two", "three"},
			raw: "2026-11-21T02:12:01Z stdout F one\n2026-11-21T02:12:02Z stdout F two\n2026-11-21T02:12:03Z stdout F three\n"},
		{name: "tail of more than there is", opts: cri.LogOptions{Tail: 9}, want: []string{"one"},
			raw: "2026-11-21T02:12:01Z stdout F one\n"},
		{name: "tail counts lines, not parts", opts: cri.LogOptions{Tail: 1}, want: []string{"twothree"},
			raw: "2026-11-21T02:12:01Z stdout F one\n2026-11-21T02:12:02Z stdout P two\n2026-11-21T02:12:03Z stdout F three\n"},
		{name: "since", opts: cri.LogOptions{Since: at(2)}, want: []string{"two", "three"},
			raw: "2026-11-21T02:12:01Z stdout F one\n2026-11-21T02:12:02Z stdout F two\n2026-11-21T02:12:03Z stdout F three\n"},
		{name: "since and tail", opts: cri.LogOptions{Since: at(3), Tail: 2}, want: []string{"three"},
			raw: "2026-11-21T02:12:01Z stdout F one\n2026-11-21T02:12:02Z stdout F two\n2026-11-21T02:12:03Z stdout F three\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := newLog(t)
			l.raw(test.raw)
			if diff := cmp.Diff(test.want, readAll(t, l.path, test.opts)); diff != "" {
				t.Errorf("lines (-want +got):\n%s", diff)
			}
			// Following an ended container gives the same.
			test.opts.Follow, test.opts.Stopped = true, func() bool { return true }
			if diff := cmp.Diff(test.want, readAll(t, l.path, test.opts)); diff != "" {
				t.Errorf("followed (-want +got):\n%s", diff)
			}
		})
	}
}

func TestReadLogTailRing(t *testing.T) {
	l := newLog(t)
	for n := range 1000 {
		l.lines(fmt.Sprint(n))
	}
	if diff := cmp.Diff([]string{"997", "998", "999"}, readAll(t, l.path, cri.LogOptions{Tail: 3})); diff != "" {
		t.Error(diff)
	}
}

func TestReadLogFailures(t *testing.T) {
	none := filepath.Join(t.TempDir(), "none.log")
	err := cri.ReadLog(t.Context(), none, cri.LogOptions{}, func(cri.LogLine) error { return nil })
	if !errors.Is(err, cri.ErrNotFound) || !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), none) {
		t.Errorf("missing file: %v", err)
	}
	err = cri.ReadLog(t.Context(), t.TempDir(), cri.LogOptions{}, func(cri.LogLine) error { return nil })
	if err == nil {
		t.Error("a directory was read as a log")
	}
	l := newLog(t)
	l.lines("one", "two")
	enough := errors.New("enough")
	n := 0
	for _, opts := range []cri.LogOptions{{}, {Follow: true}, {Tail: 5}, {Tail: 5, Follow: true}} {
		n = 0
		err = cri.ReadLog(t.Context(), l.path, opts, func(cri.LogLine) error { n++; return enough })
		if err != enough || n != 1 {
			t.Errorf("%+v: callback's error came as %v after %d calls", opts, err, n)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, opts := range []cri.LogOptions{{}, {Follow: true}} {
		if err := cri.ReadLog(ctx, l.path, opts, func(cri.LogLine) error { return nil }); err != context.Canceled {
			t.Errorf("%+v: cancelled read gave %v", opts, err)
		}
	}
}

func TestReadLogPermission(t *testing.T) {
	l := newLog(t)
	l.lines("secret")
	if err := os.Chmod(l.path, 0); err != nil {
		t.Fatal(err)
	}
	asNobody(t)
	err := cri.ReadLog(t.Context(), l.path, cri.LogOptions{}, func(cri.LogLine) error { return nil })
	if !errors.Is(err, cri.ErrPermission) || hint.Of(err) == "" {
		t.Errorf("error %v, hint %q", err, hint.Of(err))
	}
}

// asNobody takes root's right to read anything off this goroutine.
func asNobody(t *testing.T) {
	if os.Getuid() != 0 {
		return
	}
	const nobody = 65534
	runtime.LockOSThread()
	if err := unix.Setfsuid(nobody); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Setfsuid(0); err != nil {
			t.Error(err)
		}
		runtime.UnlockOSThread()
	})
}

// follower reads a log in the background.
type follower struct {
	t       *testing.T
	lines   chan string
	done    chan error
	cancel  context.CancelFunc
	stopped atomic.Bool
}

func follow(t *testing.T, path string, opts cri.LogOptions) *follower {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	f := &follower{t: t, lines: make(chan string, 100), done: make(chan error, 1), cancel: cancel}
	t.Cleanup(cancel)
	opts.Follow, opts.Stopped = true, f.stopped.Load
	go func() {
		f.done <- cri.ReadLog(ctx, path, opts, func(l cri.LogLine) error {
			f.lines <- l.Text
			return nil
		})
	}()
	return f
}

// expect waits for lines, in order.
func (f *follower) expect(want ...string) {
	f.t.Helper()
	for _, w := range want {
		select {
		case got := <-f.lines:
			if got != w {
				f.t.Fatalf("line %q, want %q", got, w)
			}
		case err := <-f.done:
			f.t.Fatalf("ended with %v before %q", err, w)
		case <-time.After(10 * time.Second):
			f.t.Fatalf("no line %q", w)
		}
	}
}

// end lets the container end and waits for the reader.
func (f *follower) end(want ...string) {
	f.t.Helper()
	f.stopped.Store(true)
	if err := <-f.done; err != nil {
		f.t.Fatal(err)
	}
	close(f.lines)
	var got []string
	for l := range f.lines {
		got = append(got, l)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		f.t.Errorf("last lines (-want +got):\n%s", diff)
	}
}

func TestFollow(t *testing.T) {
	t.Parallel()
	l := newLog(t)
	l.lines("one", "two")
	f := follow(t, l.path, cri.LogOptions{})
	f.expect("one", "two")
	l.lines("three")
	f.expect("three")
	l.raw("2026-11-21T02:13:00Z stdout F a line writ")
	l.raw("ten in two goes\n")
	f.expect("a line written in two goes")
	l.raw("2026-11-21T02:13:01Z stdout P unfinished")
	f.end("unfinished")
}

func TestFollowWaitsForTheFile(t *testing.T) {
	t.Parallel()
	l := newLog(t)
	f := follow(t, l.path, cri.LogOptions{Tail: 1})
	time.Sleep(50 * time.Millisecond) // it may look once before there is a file, and must not mind
	l.lines("one")
	f.expect("one")
	f.end()
}

func TestFollowTail(t *testing.T) {
	t.Parallel()
	l := newLog(t)
	l.lines("one", "two", "three")
	f := follow(t, l.path, cri.LogOptions{Tail: 1})
	f.expect("three")
	l.lines("four", "five")
	f.expect("four", "five")
	f.end()
}

func TestFollowNeverStarted(t *testing.T) {
	t.Parallel()
	f := follow(t, newLog(t).path, cri.LogOptions{})
	f.end()
}

// A rotation as the kubelet does it: rename, the writer goes on in the old file,
// then opens a new one.
func TestFollowRename(t *testing.T) {
	t.Parallel()
	l := newLog(t)
	l.lines("one")
	f := follow(t, l.path, cri.LogOptions{})
	f.expect("one")
	old := &logFile{t: t, path: l.path + ".1"}
	if err := os.Rename(l.path, old.path); err != nil {
		t.Fatal(err)
	}
	old.lines("two", "three")
	f.expect("two", "three")
	old.raw("2026-11-21T02:13:00Z stdout P cut by ")
	l.raw("2026-11-21T02:13:00Z stdout F the rotation\n")
	f.expect("cut by the rotation")
	l.lines("four")
	f.expect("four")
	// And a second time.
	if err := os.Rename(l.path, l.path+".2"); err != nil {
		t.Fatal(err)
	}
	l.lines("five")
	f.expect("five")
	f.end()
}

// A rotation as logrotate's copytruncate does it.
func TestFollowTruncate(t *testing.T) {
	t.Parallel()
	l := newLog(t)
	l.lines("one", "two", "three")
	f := follow(t, l.path, cri.LogOptions{})
	f.expect("one", "two", "three")
	if err := os.Truncate(l.path, 0); err != nil {
		t.Fatal(err)
	}
	l.lines("four")
	f.expect("four")
	f.end()
}

// cri-dockerd's log path is a symbolic link to Docker's file.
func TestFollowLink(t *testing.T) {
	t.Parallel()
	l := newLog(t)
	link := filepath.Join(t.TempDir(), "link.log")
	if err := os.Symlink(l.path, link); err != nil {
		t.Fatal(err)
	}
	l.raw(`{"log":"one\n","stream":"stdout","time":"2026-11-21T02:12:01Z"}` + "\n")
	f := follow(t, link, cri.LogOptions{})
	f.expect("one")
	if err := os.Rename(l.path, l.path+".1"); err != nil {
		t.Fatal(err)
	}
	l.raw(`{"log":"two\n","stream":"stdout","time":"2026-11-21T02:12:02Z"}` + "\n")
	f.expect("two")
	f.end()
}

func TestFollowCancelled(t *testing.T) {
	t.Parallel()
	l := newLog(t)
	l.lines("one")
	f := follow(t, l.path, cri.LogOptions{})
	f.expect("one")
	f.cancel()
	if err := <-f.done; err != context.Canceled {
		t.Errorf("error = %v", err)
	}
}
