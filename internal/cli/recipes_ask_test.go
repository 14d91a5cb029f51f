package cli

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/adrg/xdg"
)

// TestNewIsInterrupted presses Ctrl-C at each question: nothing is left.
func TestNewIsInterrupted(t *testing.T) {
	t.Cleanup(xdg.Reload)
	config := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", config)
	xdg.Reload()
	answers := []string{"linux\n", "debian\n", "2\n", "2G\n", "10G\n"}
	questions := []string{"System [windows] ", "Version [debian] ", "Processors: ", "Memory, such as 8G [", "Disk, such as 64G [", "File ["}
	for last := range questions {
		screen, tty := openTerminal(t)
		ctx, cancel := context.WithCancel(context.Background())
		code := make(chan int, 1)
		go func() {
			code <- Main(ctx, []string{"recipes", "new", "half"}, Streams{In: tty, Out: tty, Err: tty})
		}()
		for i := range last {
			screen.waitFor(t, questions[i])
			screen.typed(t, answers[i])
		}
		screen.waitFor(t, questions[last])
		cancel()
		select {
		case got := <-code:
			if got != exitInterrupted {
				t.Errorf("question %q: exit code %d, want %d", questions[last], got, exitInterrupted)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("question %q goes on", questions[last])
		}
		screen.typed(t, "\n") // lets the abandoned read go
		if left, err := filepath.Glob(filepath.Join(config, "vmctl", "*")); err != nil || len(left) > 0 {
			t.Errorf("question %q: left behind: %v, %v", questions[last], left, err)
		}
	}
}

// TestEditorOfTheSystem finds an editor where the user names none.
func TestEditorOfTheSystem(t *testing.T) {
	bin := t.TempDir()
	t.Setenv("PATH", bin)
	term := &terminal{}
	if got, err := term.editor(); err == nil {
		t.Errorf("editor = %q where there is none", got)
	}
	want := filepath.Join(bin, "vi")
	if err := os.WriteFile(want, []byte("#!/bin/sh\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	if got, err := term.editor(); err != nil || got != want {
		t.Errorf("editor = %q, %v; want %q", got, err, want)
	}
	term.Getenv = func(name string) string { return map[string]string{"EDITOR": "code --wait"}[name] }
	if got, err := term.editor(); err != nil || got != "code --wait" {
		t.Errorf("editor = %q, %v; want the user's", got, err)
	}
}
