//go:build e2e

package gui_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"fyne.io/fyne/v2/theme"

	"vmctl/internal/gui/widgets"
)

// desktop is a virtual screen for one user of one real runtime.
type desktop struct {
	*testing.T
	env []string
}

// newDesktop starts an X server and gives the user an empty home.
func newDesktop(t *testing.T) *desktop {
	t.Helper()
	_, first, ok := strings.Cut(os.Getenv("VMCTL_E2E_ENDPOINTS"), "=")
	if !ok || os.Getenv("VMCTL_E2E_BIN") == "" {
		t.Fatal("VMCTL_E2E_ENDPOINTS or VMCTL_E2E_BIN is not set: run this test with make test-e2e, which starts the runtimes")
	}
	endpoint, _, _ := strings.Cut(first, ",")
	home := t.TempDir()
	d := &desktop{T: t}
	d.env = append(os.Environ(), "HOME="+home, "XDG_DATA_HOME="+home+"/data", "XDG_CONFIG_HOME="+home+"/config",
		"XDG_CACHE_HOME="+home+"/cache", "VMCTL_RUNTIME_ENDPOINT="+endpoint, "LANG=C.UTF-8", "WAYLAND_DISPLAY=",
		"DISPLAY=:"+startX(t))
	return d
}

// startX starts an X server on a free display and returns its number. With -noreset
// it does not start anew, deaf meanwhile, whenever its last client has gone.
func startX(t *testing.T) string {
	t.Helper()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	cmd := exec.Command("Xvfb", "-displayfd", "3", "-screen", "0", "1000x640x24", "-nolisten", "tcp", "-noreset")
	cmd.ExtraFiles = []*os.File{write}
	if err := cmd.Start(); err != nil {
		t.Fatalf("%v: install xvfb, imagemagick and xdotool (make setup)", err)
	}
	write.Close()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	number, err := bufio.NewReader(read).ReadString('\n')
	if err != nil {
		t.Fatalf("Xvfb names no display: %v", err)
	}
	return strings.TrimSpace(number)
}

// try runs a command on the desktop.
func (d *desktop) try(name string, args ...string) ([]byte, error) {
	cmd := exec.Command(name, args...)
	var out, errs bytes.Buffer
	cmd.Env, cmd.Stdout, cmd.Stderr = d.env, &out, &errs
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("%s %s: %w\n%s%s", name, strings.Join(args, " "), err, out.Bytes(), errs.Bytes())
	}
	return out.Bytes(), nil
}

func (d *desktop) vmctl(args ...string) []byte {
	d.Helper()
	out, err := d.try(filepath.Join(os.Getenv("VMCTL_E2E_BIN"), "vmctl"), args...)
	if err != nil {
		d.Fatal(err)
	}
	return out
}

func (d *desktop) phase(name string) string {
	d.Helper()
	var m struct{ Phase string }
	if err := json.Unmarshal(d.vmctl("show", "--json", name), &m); err != nil {
		d.Fatal(err)
	}
	return m.Phase
}

// openWindow starts vmgui and waits until its window fills the screen. The returned
// function ends it as a session manager does, and checks that it ends well.
func (d *desktop) openWindow() (end func()) {
	d.Helper()
	var errs bytes.Buffer
	cmd := exec.Command(filepath.Join(os.Getenv("VMCTL_E2E_BIN"), "vmgui"))
	cmd.Env, cmd.Stderr = d.env, &errs
	if err := cmd.Start(); err != nil {
		d.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	d.Cleanup(func() { _ = cmd.Process.Kill() })
	d.within(30*time.Second, "a window named vmgui", func() error {
		select {
		case err := <-ended:
			d.Fatalf("vmgui ended: %v\n%s", err, errs.Bytes())
		default:
		}
		id, err := d.try("xdotool", "search", "--onlyvisible", "--name", "^vmgui$")
		if err != nil {
			return err
		}
		window := strings.TrimSpace(string(id))
		_, err = d.try("xdotool", "windowmove", window, "0", "0", "windowsize", window, "1000", "640")
		return err
	})
	return func() {
		d.Helper()
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			d.Fatal(err)
		}
		select {
		case err := <-ended:
			if err != nil {
				d.Errorf("vmgui: %v\n%s", err, errs.Bytes())
			}
		case <-time.After(20 * time.Second):
			d.Errorf("vmgui does not end within 20 s of SIGTERM\n%s", errs.Bytes())
		}
	}
}

// screen takes a picture of the whole screen.
func (d *desktop) screen() (image.Image, []byte, error) {
	data, err := d.try("import", "-window", "root", "png:-")
	if err != nil {
		return nil, nil, err
	}
	picture, err := png.Decode(bytes.NewReader(data))
	return picture, data, err
}

// coloured counts the pixels of a colour.
func coloured(picture image.Image, want color.Color) (n int) {
	wr, wg, wb, _ := want.RGBA()
	for y := range picture.Bounds().Dy() {
		for x := range picture.Bounds().Dx() {
			if r, g, b, _ := picture.At(x, y).RGBA(); r>>8 == wr>>8 && g>>8 == wg>>8 && b>>8 == wb>>8 {
				n++
			}
		}
	}
	return n
}

// within tries something until it succeeds.
func (d *desktop) within(limit time.Duration, what string, try func() error) {
	d.Helper()
	var err error
	for deadline := time.Now().Add(limit); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		if err = try(); err == nil {
			return
		}
	}
	d.Fatalf("%s within %s: %v", what, limit, err)
}

// chooseFirst chooses the first item of the menu "More", Pause or Resume, by the mouse,
// and waits for what comes of it. Clicks that come before the window listens are lost, and
// are made again.
func (d *desktop) chooseFirst(what string, done func() error) {
	d.Helper()
	d.within(30*time.Second, what, func() (err error) {
		if _, err = d.try("xdotool", "mousemove", "940", "104", "click", "1", "sleep", "0.3"); err != nil {
			return err
		}
		if _, err = d.try("xdotool", "mousemove", "930", "142", "click", "1"); err != nil {
			return err
		}
		for deadline := time.Now().Add(4 * time.Second); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
			if err = done(); err == nil {
				return nil
			}
		}
		return err
	})
}

// TestE2EWindow looks at the real window over a real runtime with a real guest: by
// its pictures, for nothing else proves that a user sees something.
func TestE2EWindow(t *testing.T) {
	d := newDesktop(t)
	t.Cleanup(func() {
		if _, err := d.try(filepath.Join(os.Getenv("VMCTL_E2E_BIN"), "vmctl"), "delete", "demo", "--force", "--storage", "--yes"); err != nil {
			t.Errorf("the machine is left: %v", err)
		}
	})
	d.vmctl("up", "demo")
	for _, other := range []string{"macos-15", "ubuntu", "windows-11"} {
		d.vmctl("create", other)
	}
	running := widgets.Theme().Color(theme.ColorNameSuccess, theme.VariantDark)
	shows := func(yes bool) func() error {
		return func() error {
			picture, _, err := d.screen()
			if err != nil {
				return err
			}
			if n := coloured(picture, running); n > 50 != yes {
				return fmt.Errorf("%d pixels have the colour of a running machine", n)
			}
			return nil
		}
	}

	end := d.openWindow()
	d.within(15*time.Second, "the running machine in the window", shows(true))
	saveScreenshot(d)
	d.chooseFirst("the guest paused, and a badge for it", shows(false))
	if out := d.vmctl("ls"); !bytes.Contains(out, []byte("(paused)")) {
		t.Errorf("paused in the window, and not in the list:\n%s", out)
	}
	d.chooseFirst("the guest going on", shows(true))
	end()
	if phase := d.phase("demo"); phase != "Running" {
		t.Errorf("closing the window left the machine %s", phase)
	}

	end = d.openWindow()
	d.within(15*time.Second, "the running machine in a new window", shows(true))
	d.vmctl("stop", "demo")
	// A second, and the time it takes to make and look at a picture.
	d.within(2*time.Second, "what the command line did, in the window", shows(false))
	end()
}

// saveScreenshot writes the picture for the README where VMCTL_SCREENSHOT says.
func saveScreenshot(d *desktop) {
	d.Helper()
	path := os.Getenv("VMCTL_SCREENSHOT")
	if path == "" {
		return
	}
	_, data, err := d.screen()
	if err != nil {
		d.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		d.Fatal(err)
	}
}
