package secret

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/zalando/go-keyring"

	"vmctl/internal/hint"
)

func write(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "value")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestFetch(t *testing.T) {
	keyring.MockInit()
	if err := keyring.Set("vmctl", "win/11", "from the keyring"); err != nil {
		t.Fatal(err)
	}
	getenv := func(name string) string { return map[string]string{"SET": "from the environment"}[name] }
	for name, tt := range map[string]struct {
		source Source
		want   string
	}{
		"file":           {Source{File: write(t, " p w \n")}, " p w "},
		"file of DOS":    {Source{File: write(t, "pw\r\n")}, "pw"},
		"file, no end":   {Source{File: write(t, "pw")}, "pw"},
		"variable":       {Source{Env: "SET"}, "from the environment"},
		"words":          {Source{Command: []string{"echo", "two  words", "$HOME"}}, "two  words $HOME"},
		"line for sh":    {Source{Command: []string{"printf 'a\nb\n' | tail -n1"}}, "b"},
		"keyring":        {Source{Keyring: "vmctl/win/11"}, "from the keyring"},
		"noise on error": {Source{Command: []string{"echo noise >&2; echo pw"}}, "pw"},
	} {
		if got, err := Fetch(t.Context(), tt.source, getenv); err != nil || got != tt.want {
			t.Errorf("%s: %q, %v; want %q", name, got, err, tt.want)
		}
	}
}

func TestFetchErrors(t *testing.T) {
	keyring.MockInit()
	getenv := func(string) string { return "" }
	for name, tt := range map[string]struct {
		source     Source
		want, hint string
	}{
		"no file":         {Source{File: "/nowhere/pw"}, "no such file", ""},
		"empty file":      {Source{File: write(t, "\n")}, "it is empty", ""},
		"two lines":       {Source{File: write(t, "hunter2\nuser: anna\n")}, "it has several lines", ""},
		"zero byte":       {Source{File: write(t, "hunter2\x00")}, "zero byte", ""},
		"a disk":          {Source{File: write(t, strings.Repeat("x", maxValue+1))}, "longer than", ""},
		"unset":           {Source{Env: "UNSET"}, "the variable UNSET is not set", "UNSET=..."},
		"no program":      {Source{Command: []string{"/nowhere/pass", "show"}}, "no such file", ""},
		"failing program": {Source{Command: []string{"sh", "-c", "echo hunter2; echo gpg: no key >&2; exit 3"}}, "sh: exit status 3: gpg: no key", ""},
		"pass with notes": {Source{Command: []string{"printf 'hunter2\nurl\n'"}}, "several lines", "head -n1"},
		"endless program": {Source{Command: []string{"head -c 300000 /dev/zero | tr '\\0' x"}}, "longer than", ""},
		"not in keyring":  {Source{Keyring: "vmctl/none"}, `the keyring has no "vmctl/none"`, "secret-tool store --label 'vmctl/none' service 'vmctl' username 'none'"},
	} {
		value, err := Fetch(t.Context(), tt.source, getenv)
		if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(hint.Of(err), tt.hint) {
			t.Errorf("%s: %v, hint %q; want %q, %q", name, err, hint.Of(err), tt.want, tt.hint)
			continue
		}
		if value != "" || strings.Contains(err.Error()+hint.Of(err), "hunter2") {
			t.Errorf("%s: the value came out: %q, %v", name, value, err)
		}
	}
}

func TestKeyringThatDoesNotAnswer(t *testing.T) {
	keyring.MockInitWithError(errors.New("no bus"))
	_, err := Fetch(t.Context(), Source{Keyring: "a/b"}, os.Getenv)
	if err == nil || !strings.Contains(err.Error(), "no bus") || !strings.Contains(hint.Of(err), "file, env or command") {
		t.Errorf("%v, hint %q", err, hint.Of(err))
	}
}

// Ctrl-C ends the wait for a program that asks, also when what it started goes on.
func TestFetchInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	marker := filepath.Join(t.TempDir(), "running")
	go func() {
		defer cancel()
		for range 1000 {
			if _, err := os.Stat(marker); err == nil {
				return
			}
			time.Sleep(5 * time.Millisecond)
		}
	}()
	_, err := Fetch(ctx, Source{Command: []string{"touch '" + marker + "'; sleep 3 & wait"}}, os.Getenv)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestExposed(t *testing.T) {
	file := write(t, "x")
	if Exposed(file) {
		t.Error("a file of mode 0600 is exposed")
	}
	if err := os.Chmod(file, 0o640); err != nil {
		t.Fatal(err)
	}
	if !Exposed(file) || Exposed("/nowhere") || Exposed(filepath.Dir(file)) {
		t.Error("only a regular file that others may read is exposed")
	}
}
