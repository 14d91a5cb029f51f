package autostart

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vmctl/internal/hint"
)

func unit(t *testing.T) Unit {
	return Unit{Machine: "win11", Program: "/opt/my $apps/vmctl", Grace: 2 * time.Minute,
		Environment: []string{"VMCTL_RUNTIME_ENDPOINT=unix:///run/x.sock", `ODD=100% "$HOME"\`}, Dir: t.TempDir()}
}

func TestText(t *testing.T) {
	u := unit(t)
	for _, want := range []string{
		`ExecStart="/opt/my $$apps/vmctl" up --foreground win11`, "TimeoutStopSec=180", "WantedBy=default.target",
		`Environment="ODD=100%% \"$HOME\"\\"`, "RestartPreventExitStatus=2 3 4 7",
	} {
		if !strings.Contains(u.Text(), want+"\n") {
			t.Errorf("no %s in\n%s", want, u.Text())
		}
	}
	u.System = true
	if !strings.Contains(u.Text(), "WantedBy=multi-user.target\n") {
		t.Error(u.Text())
	}
	for system, want := range map[bool]string{true: "/etc/systemd/system/vmctl-win11.service", false: "/systemd/user/vmctl-win11.service"} {
		u := Unit{Machine: "win11", System: system}
		if got := u.Path(); !strings.HasSuffix(got, want) {
			t.Errorf("path %s, want %s", got, want)
		}
	}
}

// fakeSystemctl puts a systemctl in front that writes down what it is asked.
func fakeSystemctl(t *testing.T, script string) (asked func() string) {
	t.Helper()
	dir := t.TempDir()
	text := "#!/bin/sh\necho \"$@\" >> " + dir + "/asked\n" + script + "\n"
	if err := os.WriteFile(filepath.Join(dir, "systemctl"), []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	return func() string {
		data, _ := os.ReadFile(dir + "/asked")
		return string(data)
	}
}

func TestEnableDisable(t *testing.T) {
	asked := fakeSystemctl(t, "")
	u := unit(t)
	for range 2 { // the second writes it anew
		if err := u.Enable(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if on, err := u.Enabled(); !on || err != nil {
		t.Errorf("enabled %v, %v", on, err)
	}
	if done, err := u.Disable(t.Context()); !done || err != nil {
		t.Errorf("disable: %v, %v", done, err)
	}
	if done, err := u.Disable(t.Context()); done || err != nil {
		t.Errorf("disable again: %v, %v", done, err)
	}
	enable := "--user show --property Version\n--user daemon-reload\n--user enable vmctl-win11.service\n"
	if want := enable + enable + "--user disable vmctl-win11.service\n--user daemon-reload\n"; asked() != want {
		t.Errorf("asked:\n%swant:\n%s", asked(), want)
	}
	if _, err := os.Stat(u.Path()); !os.IsNotExist(err) {
		t.Errorf("the unit is left: %v", err)
	}
}

func TestEnableErrors(t *testing.T) {
	u := unit(t)
	fakeSystemctl(t, `case "$*" in *enable*) echo no links >&2; exit 1 ;; esac`)
	if err := u.Enable(t.Context()); err == nil || !strings.Contains(err.Error(), "systemctl enable") || !strings.Contains(err.Error(), "no links") {
		t.Errorf("error %v", err)
	}
	fakeSystemctl(t, "echo 'System has not been booted with systemd as init system (PID 1).' >&2; exit 1")
	if err := u.Enable(t.Context()); !errors.Is(err, ErrNoSystemd) || !strings.Contains(hint.Of(err), "up --foreground win11") {
		t.Errorf("error %v, hint %q", err, hint.Of(err))
	}
	if _, err := os.Stat(u.Path()); !os.IsNotExist(err) {
		t.Errorf("a unit is left: %v", err)
	}
	if err := os.WriteFile(u.Path(), []byte("[Unit]\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := u.Enable(t.Context()); !errors.Is(err, ErrForeign) {
		t.Errorf("somebody's unit: %v", err)
	}
	if _, err := u.Disable(t.Context()); !errors.Is(err, ErrForeign) {
		t.Errorf("somebody's unit: %v", err)
	}
}
