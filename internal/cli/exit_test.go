package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"

	"vmctl/internal/containerd"
	"vmctl/internal/convert"
	"vmctl/internal/cri"
	"vmctl/internal/hint"
	"vmctl/internal/machine"
	"vmctl/internal/portfwd"
	"vmctl/internal/recipe"
	"vmctl/internal/storage"
)

func TestExitCodes(t *testing.T) {
	tests := []struct {
		name string
		err  error
		want int
	}{
		{"success", nil, 0},
		{"anything", errors.New("odd"), 1},
		{"a full disk", cri.ErrDiskFull, 1},
		{"usage", usageError{errors.New("unknown flag")}, 2},
		{"a name", storage.ErrInvalidName, 2},
		{"a runtime's name", containerd.ErrInvalidName, 2},
		{"a recipe", recipe.Problems{{File: "x.toml"}}, 2},
		{"a compose file", &convert.InputError{File: "compose.yml"}, 2},
		{"no socket", cri.ErrEndpoint, 2},
		{"no such machine", machine.ErrNotFound, 3},
		{"no such recipe", recipe.ErrUnknown, 3},
		{"no such image", cri.ErrNotFound, 3},
		{"no such file", os.ErrNotExist, 3},
		{"exists", machine.ErrExists, 4},
		{"a file exists", os.ErrExist, 4},
		{"phase", machine.ErrPhase, 4},
		{"port", &portfwd.TakenError{}, 4},
		{"gone", cri.ErrUnavailable, 5},
		{"closed", cri.ErrPermission, 5},
		{"disabled", cri.ErrCRIDisabled, 5},
		{"none", cri.ErrNoRuntime, 5},
		{"no network", cri.ErrNotReady, 5},
		{"the guest's time", machine.ErrTimeout, 6},
		{"the runtime's time", cri.ErrTimeout, 6},
		{"a deadline", context.DeadlineExceeded, 6},
		{"the disk", machine.ErrGuard, 7},
		{"somebody else's change", recipe.ErrChanged, 7},
		{"Ctrl-C", context.Canceled, 130},
		{"a command's own", exitError{42}, 42},
		{"Ctrl-C while the runtime goes", errors.Join(cri.ErrUnavailable, context.Canceled), 130},
		{"two failures, the graver", errors.Join(machine.ErrNotFound, machine.ErrGuard), 7},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for _, err := range []error{test.err, wrapped(test.err)} {
				if got := exitCode(err); got != test.want {
					t.Errorf("exitCode(%v) = %d, want %d", err, got, test.want)
				}
			}
		})
	}
}

func wrapped(err error) error {
	if err == nil {
		return nil
	}
	return hint.With(fmt.Errorf("up %q: %w", "x", err), "try again")
}

func TestHelpListsEveryExitCodeInOrder(t *testing.T) {
	var got []string
	for _, line := range strings.Split(newExitCodesTopic().Long, "\n") {
		var code int
		if n, _ := fmt.Sscanf(line, "%d ", &code); n == 1 {
			got = append(got, fmt.Sprint(code))
		}
	}
	if diff := cmp.Diff(strings.Fields("0 1 2 3 4 5 6 7 130"), got); diff != "" {
		t.Error(diff)
	}
}

func TestFail(t *testing.T) {
	gone := fmt.Errorf("start %q: %w", "x", cri.ErrUnavailable)
	tests := []struct {
		name           string
		json           bool
		err            error
		stdout, stderr string
	}{
		{"plain", false, errors.New("odd"), "", "vmctl: error: odd\n"},
		{"hint", false, hint.With(errors.New("odd"), "do %s", "this"), "", "vmctl: error: odd\nvmctl: hint: do this\n"},
		{"several", false, errors.Join(errors.New("a"), errors.New("b")), "", "vmctl: error: a\nvmctl: error: b\n"},
		{"no runtime", false, gone, "", "vmctl: error: start \"x\": runtime unreachable\nvmctl: hint: see whether the runtime answers with: vmctl runtime status\n"},
		{"a full disk", false, &os.PathError{Op: "write", Path: "/x", Err: syscall.ENOSPC}, "",
			"vmctl: error: write /x: no space left on device\nvmctl: hint: free some space: df -h\n"},
		{"no such machine", false, fmt.Errorf("%w: %q", machine.ErrNotFound, "x"), "",
			"vmctl: error: machine not found: \"x\"\nvmctl: hint: see the machines with: vmctl ls\n"},
		{"broken recipe", false, recipe.Problems{{File: "x.toml", Line: 2, Column: 1, Message: "odd"}}, "",
			"vmctl: error: x.toml:2:1: odd\nvmctl: hint: compare with a recipe that works: vmctl recipes show demo\n"},
		{"Ctrl-C", false, fmt.Errorf("up %q: %w", "x", context.Canceled), "", "vmctl: error: up \"x\": interrupted\n"},
		{"a command's own code says nothing", false, exitError{3}, "", ""},
		{"a command's own code says nothing as JSON", true, exitError{3}, "", ""},
		{"json", true, hint.With(errors.New("<odd>"), "do this"), "{\n  \"error\": \"<odd>\",\n  \"hint\": \"do this\",\n  \"code\": 1\n}\n", ""},
		{"json, tried", true, triedError{cri.ErrNoRuntime, []jsonAttempt{{"unix:///x", "x", "no"}}},
			`{
  "error": "no container runtime found",
  "hint": "see whether the runtime answers with: vmctl runtime status",
  "code": 5,
  "tried": [
    {
      "endpoint": "unix:///x",
      "source": "x",
      "error": "no"
    }
  ]
}
`, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var out, errs bytes.Buffer
			term := &terminal{Streams: Streams{Out: &out, Err: &errs}, json: test.json}
			if got, want := term.fail(test.err), exitCode(test.err); got != want {
				t.Errorf("code %d, want %d", got, want)
			}
			if diff := cmp.Diff(test.stdout, out.String()); diff != "" {
				t.Error("stdout", diff)
			}
			if diff := cmp.Diff(test.stderr, errs.String()); diff != "" {
				t.Error("stderr", diff)
			}
		})
	}
}

// TestEveryVerbIsExplained keeps the promise that each help says what a verb does
// and shows how it is typed.
func TestEveryVerbIsExplained(t *testing.T) {
	root := newRoot(&terminal{Streams: Streams{Out: io.Discard, Err: io.Discard}})
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		for _, child := range c.Commands() {
			walk(child)
		}
		if c.Name() == "help" || c.Name() == "completion" || c.Parent() != nil && c.Parent().Name() == "completion" {
			return // cobra's own
		}
		if c.Short == "" || strings.HasSuffix(c.Short, ".") {
			t.Errorf("%s: short help %q", c.CommandPath(), c.Short)
		}
		if c.HasSubCommands() || !c.Runnable() {
			return
		}
		if c.Long == "" || c.Example == "" {
			t.Errorf("%s: no long help or no example", c.CommandPath())
		}
		for _, line := range strings.Split(c.Example, "\n") {
			if !strings.HasPrefix(line, "  ") || strings.Contains(line, "\t") {
				t.Errorf("%s: example %q is not indented by two spaces", c.CommandPath(), line)
			}
		}
		for _, line := range strings.Split(c.Long, "\n") {
			if len(line) > 90 {
				t.Errorf("%s: help line of %d characters: %q", c.CommandPath(), len(line), line)
			}
		}
	}
	walk(root)
}

func TestMainNeedsNoStreams(t *testing.T) {
	if code := Main(context.Background(), []string{"version"}, Streams{}); code != 0 {
		t.Errorf("version: code %d", code)
	}
	if code := Main(context.Background(), []string{"nothing"}, Streams{}); code != 2 {
		t.Errorf("nothing: code %d, want 2", code)
	}
}

func TestLogLines(t *testing.T) {
	var out bytes.Buffer
	log := newLog(&out, slog.LevelWarn)
	log.Info("not shown")
	log.Warn("a sandbox stays", "error", errors.New("two\nlines"))
	log.With("machine", "x").Error("odd")
	want := "vmctl: warning: a sandbox stays (error: two lines)\nvmctl: error: odd (machine: x)\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
}
