package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

func TestWhatNeedsNoWindow(t *testing.T) {
	tests := []struct {
		name   string
		args   []string
		code   int
		stdout string
		stderr string
	}{
		{"version", []string{"-version"}, exitOK, "vmgui ", ""},
		{"help", []string{"-h"}, exitOK, "", "-runtime-endpoint socket"},
		{"unknown flag", []string{"-bad"}, exitUsage, "", "flag provided but not defined"},
		{"argument", []string{"win11"}, exitUsage, "", `vmgui: error: unexpected argument "win11"`},
		{"no display", nil, exitError, "", "vmgui: hint: use vmctl"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out, err bytes.Buffer
			nothing := func(string) string { return "" }
			code := run(t.Context(), tt.args, streams{out: &out, err: &err, getenv: nothing})
			if code != tt.code {
				t.Errorf("exit code %d, want %d", code, tt.code)
			}
			if !strings.Contains(out.String(), tt.stdout) || !strings.Contains(err.String(), tt.stderr) {
				t.Errorf("stdout %q, stderr %q; want %q and %q", out.String(), err.String(), tt.stdout, tt.stderr)
			}
		})
	}
}

// A display that does not answer is an error and not a stack trace.
func TestDisplayThatCannotBeOpened(t *testing.T) {
	t.Setenv("DISPLAY", "nowhere.invalid:0")
	config, e := os.MkdirTemp("", "vmgui") // Fyne still writes to it when the test is over
	if e != nil {
		t.Fatal(e)
	}
	t.Cleanup(func() { _ = os.RemoveAll(config) })
	t.Setenv("XDG_CONFIG_HOME", config)
	var out, err bytes.Buffer
	code := run(t.Context(), nil, streams{out: &out, err: &err, getenv: os.Getenv})
	if code != exitError {
		t.Errorf("exit code %d, want %d", code, exitError)
	}
	if !strings.Contains(err.String(), "vmgui: error: the display cannot be opened") {
		t.Errorf("stderr %q", err.String())
	}
}
