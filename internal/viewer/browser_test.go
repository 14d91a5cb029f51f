package viewer

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vmctl/internal/hint"
)

const page = "http://127.0.0.1:8006/"

// desktop gives the test a display and an xdg-open that is the shell script.
func desktop(t *testing.T, script string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	t.Setenv("DISPLAY", ":99")
	t.Setenv("PATH", dir+":/usr/bin:/bin")
	if err := os.WriteFile(filepath.Join(dir, "xdg-open"), []byte("#!/bin/sh\n"+script), 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestOpenBrowser(t *testing.T) {
	dir := desktop(t, `cd "$(dirname "$0")" && echo "$@" > args && cut -d' ' -f6 /proc/$$/stat > sid && echo $$ > pid`)
	if err := OpenBrowser(page); err != nil {
		t.Fatal(err)
	}
	read := func(name string) string {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(data))
	}
	if got := read("args"); got != page {
		t.Errorf("xdg-open got %q", got)
	}
	if sid, pid := read("sid"), read("pid"); sid != pid {
		t.Errorf("the browser is in session %s, not in its own (%s)", sid, pid)
	}
}

// Some xdg-open live as long as the browser does.
func TestOpenBrowserDoesNotWaitForItsEnd(t *testing.T) {
	desktop(t, "exec sleep 5")
	start := time.Now()
	if err := OpenBrowser(page); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took > 4*time.Second {
		t.Errorf("waited %v", took)
	}
}

func TestOpenBrowserImpossible(t *testing.T) {
	check := func(t *testing.T, why string) {
		t.Helper()
		err := OpenBrowser(page)
		if !errors.Is(err, ErrNoBrowser) || !strings.Contains(err.Error(), why) {
			t.Errorf("OpenBrowser = %v, want %q", err, why)
		}
		if h := hint.Of(err); !strings.Contains(h, page) {
			t.Errorf("hint %q does not name the page", h)
		}
	}
	t.Run("it fails", func(t *testing.T) {
		desktop(t, "exit 3")
		check(t, "xdg-open: exit status 3")
	})
	t.Run("it is no program", func(t *testing.T) {
		dir := desktop(t, "")
		if err := os.WriteFile(filepath.Join(dir, "xdg-open"), []byte{0x7f, 0}, 0o700); err != nil {
			t.Fatal(err)
		}
		check(t, "exec format error")
	})
	t.Run("not installed", func(t *testing.T) {
		desktop(t, "")
		t.Setenv("PATH", t.TempDir())
		check(t, "xdg-open is not installed")
	})
	t.Run("no display", func(t *testing.T) {
		desktop(t, "")
		t.Setenv("DISPLAY", "")
		t.Setenv("WAYLAND_DISPLAY", "")
		check(t, "no display")
	})
}

func TestOpenBrowserRefusesOtherThanPages(t *testing.T) {
	desktop(t, "exit 0")
	for _, u := range []string{"", "--help", "file:///etc/passwd", "javascript:alert(1)", "http://\x7f"} {
		if err := OpenBrowser(u); err == nil {
			t.Errorf("OpenBrowser(%q) succeeded", u)
		}
	}
}
