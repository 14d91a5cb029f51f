package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/adrg/xdg"
	"golang.org/x/sys/unix"

	"vmctl/internal/cri"
	"vmctl/internal/cri/critest"
	"vmctl/internal/machine"
	"vmctl/internal/machine/machinetest"
)

// screen is the far end of a pseudo terminal: it keeps what is written there.
type screen struct {
	master *os.File
	mu     sync.Mutex
	got    strings.Builder
}

// openTerminal makes a terminal of 24 lines and 100 columns that echoes nothing.
func openTerminal(t *testing.T) (*screen, *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	fd := int(master.Fd())
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 100}); err != nil {
		t.Fatal(err)
	}
	tty, err := os.OpenFile("/dev/pts/"+strconv.Itoa(n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	s := &screen{master: master}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = io.Copy(s, master)
	}()
	t.Cleanup(func() {
		tty.Close()
		<-ended // the last writer has gone: reading ends with EIO
		master.Close()
	})
	return s, tty
}

// Write keeps what the terminal shows.
func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.got.Write(p)
}

func (s *screen) raw() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.got.String()
}

func (s *screen) typed(t *testing.T, text string) {
	t.Helper()
	if _, err := s.master.WriteString(text); err != nil {
		t.Fatal(err)
	}
}

func (s *screen) waitFor(t *testing.T, text string) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !strings.Contains(s.raw(), text); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%q was not shown: %q", text, s.raw())
		}
	}
}

// text is what is left on the screen, as far as cursor-up and erase-below go.
func (s *screen) text() string {
	rows, row := []string{""}, 0
	for rest := s.raw(); rest != ""; {
		if m := regexp.MustCompile(`^\x1b\[(\d*)([AJ])`).FindStringSubmatch(rest); m != nil {
			if m[2] == "A" {
				n, _ := strconv.Atoi(m[1])
				row = max(0, row-n)
			} else {
				rows = append(rows[:row], "")
			}
			rest = rest[len(m[0]):]
			continue
		}
		switch c := rest[0]; c {
		case '\r':
		case '\n':
			if row++; row == len(rows) {
				rows = append(rows, "")
			}
		default:
			rows[row] += string(c)
		}
		rest = rest[1:]
	}
	return strings.Join(rows, "\n")
}

func TestConfirm(t *testing.T) {
	const ctrlD = "\x04"
	for _, test := range []struct {
		answer string
		want   error
	}{
		{"y\n", nil}, {"YES\n", nil}, {" y \n", nil},
		{"n\n", machine.ErrGuard}, {"\n", machine.ErrGuard}, {"yep\n", machine.ErrGuard}, {ctrlD, machine.ErrGuard},
	} {
		t.Run(fmt.Sprintf("%q", test.answer), func(t *testing.T) {
			screen, tty := openTerminal(t)
			answered := make(chan error, 1)
			go func() {
				answered <- (&terminal{Streams: Streams{In: tty, Err: tty}}).confirm(context.Background(), "sure?")
			}()
			screen.waitFor(t, "sure? [y/N] ")
			screen.typed(t, test.answer)
			if err := <-answered; !errors.Is(err, test.want) {
				t.Errorf("%v, want %v", err, test.want)
			}
		})
	}
}

func TestConfirmIsInterrupted(t *testing.T) {
	screen, tty := openTerminal(t)
	ctx, cancel := context.WithCancel(context.Background())
	answered := make(chan error, 1)
	go func() { answered <- (&terminal{Streams: Streams{In: tty, Err: tty}}).confirm(ctx, "sure?") }()
	screen.waitFor(t, "[y/N]")
	cancel()
	select {
	case err := <-answered:
		if exitCode(err) != exitInterrupted {
			t.Errorf("%v, want an interruption", err)
		}
	case <-time.After(10 * time.Second):
		t.Error("the question goes on")
	}
	screen.typed(t, "\n") // lets the abandoned read go
}

func TestConfirmWithoutTerminal(t *testing.T) {
	file, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for name, in := range map[string]io.Reader{"a file": file, "a pipe": strings.NewReader("y\n")} {
		err := (&terminal{Streams: Streams{In: in, Err: io.Discard}}).confirm(context.Background(), "sure?")
		if exitCode(err) != exitGuard {
			t.Errorf("%s: %v, want %v", name, err, machine.ErrGuard)
		}
	}
}

// emptyHome makes this process somebody with an empty home.
func emptyHome(t *testing.T) string {
	t.Helper()
	t.Cleanup(xdg.Reload)
	home := t.TempDir()
	t.Setenv("XDG_DATA_HOME", home+"/data")
	t.Setenv("XDG_CONFIG_HOME", home+"/config")
	xdg.Reload()
	return home
}

// TestOutcomeStaysOnTheScreen runs verbs with both streams on one terminal: the bars
// leave, and what became of the machine stays.
func TestOutcomeStaysOnTheScreen(t *testing.T) {
	home := emptyHome(t)
	recipe := home + "/demo.toml"
	if err := os.WriteFile(recipe, []byte(machinetest.Recipe), 0o600); err != nil {
		t.Fatal(err)
	}
	rt := critest.NewServer(t)
	machinetest.Run(rt)
	for _, test := range []struct{ want, args string }{
		{"demo is running\n", "up " + recipe},
		{"demo is stopped\n", "stop demo"},
		{"demo is running\n", "start demo"},
		{"demo is running\n", "restart demo"},
		{"vmctl: its disk is kept in " + home + "/data/vmctl/machines/demo/storage\ndemo is deleted\n", "delete --force demo"},
	} {
		screen, tty := openTerminal(t)
		args := append([]string{"--runtime-endpoint", rt.Endpoint()}, strings.Fields(test.args)...)
		if code := Main(context.Background(), args, Streams{Out: tty, Err: tty}); code != 0 {
			t.Fatalf("vmctl %s: code %d: %s", test.args, code, screen.raw())
		}
		fmt.Fprintln(tty, "$")
		screen.waitFor(t, "$")
		if got := screen.text(); !strings.HasPrefix(got, test.want) || strings.Contains(got, "[") {
			t.Errorf("vmctl %s leaves %q, want %q and no bar", test.args, got, test.want)
		}
	}
}

// A shell in a window that is made larger hears of it.
func TestTerminalSizes(t *testing.T) {
	screen, tty := openTerminal(t)
	sizes, stop := terminalSizes(int(tty.Fd()))
	defer stop()
	if got, want := <-sizes, (cri.Size{Width: 100, Height: 24}); got != want {
		t.Errorf("at first %+v, want %+v", got, want)
	}
	if err := unix.IoctlSetWinsize(int(screen.master.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 50, Col: 132}); err != nil {
		t.Fatal(err)
	}
	if err := unix.Kill(os.Getpid(), unix.SIGWINCH); err != nil { // not our controlling terminal: nobody else would
		t.Fatal(err)
	}
	if got, want := <-sizes, (cri.Size{Width: 132, Height: 50}); got != want {
		t.Errorf("after a change %+v, want %+v", got, want)
	}
}
