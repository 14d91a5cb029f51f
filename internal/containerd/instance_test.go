package containerd

import (
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"

	"vmctl/internal/hint"
)

func TestNew(t *testing.T) {
	for name, want := range map[string]string{"": "default", "lab": "lab", "a": "a", "t1-containerd-2": "t1-containerd-2", strings.Repeat("x", 32): strings.Repeat("x", 32)} {
		i, err := New(Options{Name: name})
		if err != nil {
			t.Errorf("%q: %v", name, err)
			continue
		}
		if i.Name() != want || i.Socket() != SocketOf(name) || i.LogPath() == "" {
			t.Errorf("%q: name %q, socket %q, log %q", name, i.Name(), i.Socket(), i.LogPath())
		}
	}
	for _, name := range []string{"Lab", "-a", "a-", "a b", "a/b", "..", "a_b", "ä", strings.Repeat("x", 33), "a\n"} {
		_, err := New(Options{Name: name})
		if !errors.Is(err, ErrInvalidName) || hint.Of(err) == "" {
			t.Errorf("%q: got %v with hint %q, want ErrInvalidName with a hint", name, err, hint.Of(err))
		}
	}
}

func TestSocketOf(t *testing.T) {
	if got := SocketOf(""); got != SocketOf(DefaultName) || got != "/run/vmctl/default/containerd.sock" {
		t.Errorf("got %q", got)
	}
}

// A socket's path is limited by sockaddr_un, a link's name by IFNAMSIZ.
func TestPathsFit(t *testing.T) {
	longest := strings.Repeat("x", 32)
	if err := checkName(longest); err != nil {
		t.Fatal(err)
	}
	p := pathsOf(longest)
	for _, socket := range []string{p.socket, p.ttrpc, p.debug} {
		if len(socket) >= 108 {
			t.Errorf("%q has %d bytes, too long for a socket", socket, len(socket))
		}
	}
	if len(p.bridge) > 15 {
		t.Errorf("%q is too long for a link", p.bridge)
	}
}

func TestPathsOfInstancesDiffer(t *testing.T) {
	a, b := reflect.ValueOf(pathsOf("a")), reflect.ValueOf(pathsOf("b"))
	for k := range a.NumField() {
		if a.Field(k).String() == b.Field(k).String() {
			t.Errorf("%s is %q for both", a.Type().Field(k).Name, a.Field(k))
		}
	}
	if bridgeOf(DefaultName) != "vmctl0" {
		t.Errorf("the default bridge is %q", bridgeOf(DefaultName))
	}
}

func TestNeedRoot(t *testing.T) {
	i, err := New(Options{Name: "lab"})
	if err != nil {
		t.Fatal(err)
	}
	err = i.NeedRoot("start")
	if os.Geteuid() == 0 {
		if err != nil {
			t.Errorf("root needs more than root: %v", err)
		}
		return
	}
	if want := "sudo " + i.command("start"); !errors.Is(err, ErrNotRoot) || hint.Of(err) != want {
		t.Errorf("got %v with hint %q, want ErrNotRoot with %q", err, hint.Of(err), want)
	}
}

func TestCommand(t *testing.T) {
	for name, want := range map[string]string{"": "vmctl runtime stop", "lab": "vmctl --runtime-name lab runtime stop"} {
		i, err := New(Options{Name: name})
		if err != nil {
			t.Fatal(err)
		}
		if got := i.command("stop"); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
}
