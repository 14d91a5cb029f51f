package recipe

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vmctl/internal/hint"
)

func TestFromEnvironment(t *testing.T) {
	got, err := FromEnvironment([]string{
		"PATH=/bin", "VMCTL_MEMORY=16G", "VMCTL_RUNTIME_ENDPOINT=unix:///x", "VMCTL_RUNTIME_HANDLER=kata", "VMCTL_CPUS=",
		"VMCTL_LIFECYCLE_STOP_GRACE=3m", "VMCTL_ENV_LANGUAGE=de=x", "VMCTL_VIEWER_PROTECT=true", "VMCTL_LIFECYCLE_IDLE_AFTER=1h",
		"VMCTL_E2E_BIN=/x", "VMCTL_E2E_ENDPOINTS=a=b", "VMCTL_SCREENSHOT=docs", "VMCTL_CONTAINERD=/x", "VMCTL_PAUSE_ARCHIVE=/x",
		"VMCTL_RUNTIME_NAME=two",
	})
	want := []Override{
		{"env=LANGUAGE=de=x", "variable VMCTL_ENV_LANGUAGE"},
		{"lifecycle.idle.after=1h", "variable VMCTL_LIFECYCLE_IDLE_AFTER"},
		{"lifecycle.stop_grace=3m", "variable VMCTL_LIFECYCLE_STOP_GRACE"},
		{"memory=16G", "variable VMCTL_MEMORY"},
		{"runtime_handler=kata", "variable VMCTL_RUNTIME_HANDLER"},
		{"viewer.protect=true", "variable VMCTL_VIEWER_PROTECT"},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	r, err := Parse([]byte("guest='demo'\n"), "")
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Override(want); err != nil || r.RuntimeHandler != "kata" || !r.Viewer.Protect || r.Env["LANGUAGE"] != "de=x" {
		t.Errorf("Override = %v, %+v", err, r)
	}
}

func TestFromEnvironmentSlips(t *testing.T) {
	for name, want := range map[string]string{"VMCTL_MEMROY": "VMCTL_MEMORY", "VMCTL_RESOURCE_MEMORY": "VMCTL_RESOURCES_MEMORY"} {
		_, err := FromEnvironment([]string{name + "=1"})
		if err == nil || !strings.Contains(err.Error(), name) || !strings.Contains(hint.Of(err), want+"?") {
			t.Errorf("%s: %v, hint %q", name, err, hint.Of(err))
		}
	}
}

// Each variable has one meaning.
func TestVariableKeysAreApart(t *testing.T) {
	keys := variableKeys()
	if n := 3 + len(variableFields("", recipeFields(&Recipe{}))); len(keys) != n {
		t.Errorf("%d names for %d keys", len(keys), n)
	}
	for _, other := range otherVariables() {
		if key, ok := keys[other]; ok {
			t.Errorf("VMCTL_%s means %s too", other, key)
		}
	}
}

func TestComplete(t *testing.T) {
	for _, tt := range []struct {
		guest Guest
		typed string
		want  string // the first candidate, without its meaning
		all   int    // how many there are at least
	}{
		{"", "resources.m", "resources.memory=", 1},
		{"", "env.V", "env.VERSION=", 1},
		{"", "lifecycle.restart=", "lifecycle.restart=no", 3},
		{"", "viewer.protect=", "viewer.protect=true", 2},
		{"", "resources.cpus=", "resources.cpus=half", 2},
		{Windows, "env.VERSION=", "env.VERSION=11", 30},
		{MacOS, "env.VERSION=1", "env.VERSION=15", 5},
		{Linux, "env.BOOT=", "env.BOOT=alma", 20},
		{Windows, "env.LANGUAGE=fr", "env.LANGUAGE=fr-ca", 2},
		{"", "", "schema", 0},
	} {
		got := Complete(tt.guest, tt.typed)
		if len(got) < tt.all {
			t.Errorf("%q: %d candidates, want %d: %v", tt.typed, len(got), tt.all, got)
			continue
		}
		for _, g := range got {
			if !strings.HasPrefix(g, tt.typed) {
				t.Errorf("%q: candidate %q", tt.typed, g)
			}
		}
		if text, _, _ := strings.Cut(got[0], "\t"); tt.all > 0 && text != tt.want {
			t.Errorf("%q: first is %q, want %q", tt.typed, text, tt.want)
		}
	}
	if got := Complete(Linux, "env.VERSION="); len(got) != 0 {
		t.Errorf("Linux has no VERSION: %v", got)
	}
	for _, typed := range []string{"env.X=", "gone=", "gone"} {
		if got := Complete("", typed); len(got) != 0 {
			t.Errorf("%q: %v", typed, got)
		}
	}
}
