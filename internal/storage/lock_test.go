package storage

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestMain lets the test binary be the other process: it locks the machine given in the
// environment, says so, and holds it until its standard input ends.
func TestMain(m *testing.M) {
	root, name, ok := strings.Cut(os.Getenv("STORAGE_TEST_LOCK"), "|")
	if !ok {
		os.Exit(m.Run())
	}
	d, err := NewStore(root).Open(name)
	if err == nil {
		_, err = d.TryLock()
	}
	fmt.Println("locked", err)
	_, _ = io.Copy(io.Discard, os.Stdin)
	os.Exit(0)
}

// otherProcess locks a machine in a child; release ends it.
func otherProcess(t *testing.T, s *Store, name string) (pid int, release func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0", "STORAGE_TEST_LOCK="+s.Root()+"|"+name)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	release = sync.OnceFunc(func() { in.Close(); _ = cmd.Wait() })
	t.Cleanup(release)
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || line != "locked <nil>\n" {
		t.Fatalf("child said %q, %v", line, err)
	}
	return cmd.Process.Pid, release
}

func TestLockAcrossProcesses(t *testing.T) {
	s := newStore(t)
	d := create(t, s, "vm")
	pid, release := otherProcess(t, s, "vm")

	_, err := d.TryLock()
	var held *LockedError
	if !errors.Is(err, ErrLocked) || !errors.As(err, &held) {
		t.Fatalf("TryLock = %v, want a *LockedError", err)
	}
	if held.PID != pid || held.Name != "vm" {
		t.Errorf("holder = %+v, want pid %d", held, pid)
	}
	if want := fmt.Sprintf(`machine "vm" is busy: process %d is changing it`, pid); err.Error() != want {
		t.Errorf("error is %q, want %q", err, want)
	}

	ctx, cancel := context.WithTimeout(t.Context(), 2*lockPoll)
	defer cancel()
	_, err = d.Lock(ctx)
	if !errors.Is(err, ErrLocked) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Lock until a deadline = %v", err)
	}

	release()
	ctx, cancel = context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	unlock, err := d.Lock(ctx)
	if err != nil {
		t.Fatalf("after the holder died: %v", err)
	}
	unlock()
}

func TestLockExcludesWithinAProcess(t *testing.T) {
	d := create(t, newStore(t), "vm")
	var wg sync.WaitGroup
	inside := make(chan struct{}, 1) // full while somebody is inside
	for range 8 {
		wg.Go(func() {
			unlock, err := d.Lock(t.Context())
			if err != nil {
				t.Error(err)
				return
			}
			defer unlock()
			select {
			case inside <- struct{}{}:
				<-inside
			default:
				t.Error("two holders at once")
			}
		})
	}
	wg.Wait()
	unlock, err := d.TryLock()
	if err != nil {
		t.Fatal(err)
	}
	_, err = d.TryLock()
	if held := new(LockedError); !errors.As(err, &held) || held.PID != os.Getpid() {
		t.Errorf("second TryLock = %v", err)
	}
	unlock()
	data, err := os.ReadFile(d.lockPath())
	if len(data) != 0 || err != nil {
		t.Errorf("lock file after unlock: %q, %v", data, err)
	}
}

func TestLockOfDeletedMachine(t *testing.T) {
	s := newStore(t)
	d := create(t, s, "vm")
	unlock, err := d.TryLock()
	if err != nil {
		t.Fatal(err)
	}
	waited := make(chan error, 1)
	go func() {
		_, err := d.Lock(t.Context())
		waited <- err
	}()
	if _, err := d.Remove(false); err != nil {
		t.Fatal(err)
	}
	unlock()
	if err := <-waited; !errors.Is(err, ErrNotFound) {
		t.Errorf("a waiter got %v, want ErrNotFound", err)
	}
	if _, err := d.TryLock(); !errors.Is(err, ErrNotFound) {
		t.Errorf("TryLock = %v, want ErrNotFound", err)
	}
}

// A lock on a file that is no longer the machine's must not count.
func TestLockOfRemadeMachine(t *testing.T) {
	s := newStore(t)
	d := create(t, s, "vm")
	f, err := d.openMachineLock()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if d.stale(f) {
		t.Error("a fresh lock file counts as stale")
	}
	if _, err := d.Remove(false); err != nil {
		t.Fatal(err)
	}
	create(t, s, "vm")
	if !d.stale(f) {
		t.Error("the deleted machine's lock file counts as the new machine's")
	}
}

func TestLockErrors(t *testing.T) {
	d := create(t, newStore(t), "vm")
	if err := os.Remove(d.lockPath()); err != nil {
		t.Fatal(err)
	}
	outside := t.TempDir() + "/target"
	if err := os.Symlink(outside, d.lockPath()); err != nil {
		t.Fatal(err)
	}
	if _, err := d.TryLock(); err == nil || errors.Is(err, ErrLocked) {
		t.Errorf("TryLock through a symbolic link = %v", err)
	}
	if _, err := os.Lstat(outside); !os.IsNotExist(err) {
		t.Error("the link was followed")
	}
}

func TestReadPID(t *testing.T) {
	for text, want := range map[string]int{"": 0, "12\n": 12, "x": 0, "-4": 0} {
		f, err := os.CreateTemp(t.TempDir(), "")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteString(text); err != nil {
			t.Fatal(err)
		}
		if got := readPID(f); got != want {
			t.Errorf("readPID(%q) = %d, want %d", text, got, want)
		}
		f.Close()
	}
}
