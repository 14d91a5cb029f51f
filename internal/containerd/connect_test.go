package containerd

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"vmctl/internal/hint"
)

func TestContainerdVersion(t *testing.T) {
	for version, want := range map[string]string{"v2.4.2": "2.4.2", "1.6.20~ds1": "1.6.20"} {
		socket := (&fake{version: version}).socket(t)
		got, err := containerdVersion(t.Context(), dialFake(t, socket))
		if err != nil || got != want {
			t.Errorf("%s: got %q, %v", version, got, err)
		}
	}
}

func TestAnotherRuntimeIsNotContainerd(t *testing.T) {
	socket := (&fake{}).socket(t)
	_, _, err := connectContainerd(t.Context(), socket)
	if !errors.Is(err, ErrNotContainerd) || hint.Of(err) == "" || !strings.Contains(err.Error(), socket) {
		t.Errorf("got %v with hint %q", err, hint.Of(err))
	}
}

func TestNobodyListens(t *testing.T) {
	_, _, err := connectContainerd(t.Context(), filepath.Join(t.TempDir(), "absent"))
	if err == nil || errors.Is(err, ErrNotContainerd) {
		t.Errorf("got %v", err)
	}
}
