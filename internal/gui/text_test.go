package gui

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vmctl/internal/gui/widgets"
	"vmctl/internal/machine"
	"vmctl/internal/recipe"
)

func TestRowText(t *testing.T) {
	installing := aMachine("win", machine.Installing)
	orphan := machine.Machine{Name: "lost", Phase: machine.Running}
	tests := []struct {
		m    machine.Machine
		a    widgets.ActivityText
		want string
	}{
		{aMachine("win", machine.Stopped), widgets.ActivityText{}, "Windows · Stopped"},
		{installing, widgets.ActivityText{Text: "Installing", Percent: -1}, "Windows · Installing"},
		{installing, widgets.ActivityText{Text: "Installing", Percent: 45.4}, "Windows · Installing 45 %"},
		{aMachine("win", machine.Stopping), widgets.ActivityText{Text: "Shutting down", Percent: 30}, "Windows · Stopping"},
		{orphan, widgets.ActivityText{}, "Running"},
	}
	for _, tt := range tests {
		if got := rowText(tt.m, tt.a, false).Detail; got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}

func TestPortFacts(t *testing.T) {
	up := []widgets.Fact{
		{Label: "viewer", Text: "http://127.0.0.1:8007/", URL: "http://127.0.0.1:8007/", Aside: "→ 8006/tcp in the guest"},
		{Label: "rdp", Text: "127.0.0.1:3390  → 3389/tcp in the guest"},
	}
	if diff := cmp.Diff(up, portFacts(aMachine("win", machine.Running))); diff != "" {
		t.Error(diff)
	}
	for _, f := range portFacts(aMachine("win", machine.Stopped)) {
		if f.URL != "" {
			t.Errorf("a machine that is down has a link: %+v", f)
		}
	}
	nameless := aMachine("win", machine.Running)
	nameless.Forwards[1].Name = ""
	if got := portFacts(nameless)[1].Label; got != "3389" {
		t.Errorf("label of a port without a name: %q", got)
	}
}

func TestMachineFacts(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	m := aMachine("win", machine.Running)
	m.CPUs, m.StartedAt = "1", now.Add(-3*time.Minute)
	got := map[string]string{}
	for _, f := range machineFacts(m, "", now) {
		got[f.Label] = f.Text
	}
	want := map[string]string{"Resources": "1 CPU · 8G memory · 64G disk", "Guest": "Windows",
		"Image": "example.org/windows:1", "Storage": "/machines/win/storage", "Up for": "3 minutes"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if facts := machineFacts(machine.Machine{Name: "lost"}, "", now); len(facts) != 0 {
		t.Errorf("of a machine of which nothing is known: %v", facts)
	}
}

func TestNoteText(t *testing.T) {
	m := aMachine("win", machine.Stopped)
	if got := noteText(m, nil); got != (widgets.NoticeText{}) {
		t.Errorf("nothing to note: %+v", got)
	}
	m.Reason, m.Fix = "ended without a word", "look at its log"
	got := noteText(m, []string{"port 8007 instead of 8006"})
	if want := "ended without a word\nport 8007 instead of 8006"; got.Reason != want || got.Fix != m.Fix {
		t.Errorf("got %+v", got)
	}
	m.Phase = machine.Failed // its reason is shown elsewhere
	if got := noteText(m, nil); got != (widgets.NoticeText{}) {
		t.Errorf("failed: %+v", got)
	}
}

func TestFailureWithoutReason(t *testing.T) {
	got := failureText(aMachine("win", machine.Failed))
	if !strings.Contains(got.Reason, "log") {
		t.Errorf("got %+v", got)
	}
}

func TestEveryGuestHasAName(t *testing.T) {
	for _, g := range recipe.Guests() {
		if guestName(g) == string(g) {
			t.Errorf("guest %q has no name for people", g)
		}
	}
	if guestName("plan9") != "plan9" {
		t.Error("an unknown guest is not named")
	}
}

func TestSystemFacts(t *testing.T) {
	day := time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC)
	for value, want := range map[string]string{
		"10":  "Downloads 5.7 GB. Needs at least 2G of memory and 16G of disk. No security updates since 2025-10-14.",
		"11l": "Downloads 4.7 GB. Needs at least 2G of memory and 32G of disk. Security updates until 2029-10-09.",
		"11":  "Downloads 7.9 GB. Needs at least 2G of memory and 32G of disk.",
	} {
		v, ok := recipe.FindVersion(recipe.Windows, value)
		if got := systemFacts(v, day); !ok || got != want {
			t.Errorf("%s: %q, want %q", value, got, want)
		}
	}
	if got := systemFacts(recipe.Version{}, day); got != "" {
		t.Errorf("nothing known: %q", got)
	}
}
