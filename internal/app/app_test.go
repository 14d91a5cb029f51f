package app

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/adrg/xdg"

	"vmctl/internal/cri"
	"vmctl/internal/cri/critest"
	"vmctl/internal/hint"
	"vmctl/internal/recipe"
	"vmctl/internal/storage"
)

// home gives the test an empty home directory and returns it.
func home(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, value := range map[string]string{"HOME": dir, "XDG_DATA_HOME": dir + "/data", "XDG_CONFIG_HOME": dir + "/config"} {
		t.Setenv(name, value)
	}
	xdg.Reload()
	t.Cleanup(xdg.Reload)
	return dir
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T, o Options) *App {
	t.Helper()
	a, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	return a
}

const demo = "guest = \"demo\"\n"

func TestTarget(t *testing.T) {
	dir := home(t)
	write(t, dir+"/config/vmctl/recipes/mine.toml", "extends = \"windows-11\"\nname = \"office\"\n")
	write(t, dir+"/work/vmctl.toml", demo)
	write(t, dir+"/work/box.toml", demo)
	write(t, dir+"/work/named.toml", "name = \"given\"\n"+demo)
	write(t, dir+"/work/Bad_Name.toml", demo)
	t.Chdir(dir + "/work")
	a := open(t, Options{})
	if _, err := a.Store().Create("machine-only", func(d *storage.Dir) error { return d.WriteRecipe([]byte(demo)) }); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		arg, wanted string
		name        string
		guest       recipe.Guest // "" is no recipe
	}{
		{"", "", "work", recipe.Demo},
		{"", "other", "other", recipe.Demo},
		{"./box.toml", "", "box", recipe.Demo},
		{"box.toml", "", "box", recipe.Demo},
		{"named.toml", "", "given", recipe.Demo},
		{"named.toml", "mine", "mine", recipe.Demo},
		{"Bad_Name.toml", "good", "good", recipe.Demo},
		{"windows-11", "", "windows-11", recipe.Windows},
		{"windows-11", "accounts", "accounts", recipe.Windows},
		{"mine", "", "office", recipe.Windows},
		{"machine-only", "", "machine-only", ""},
	} {
		name, r, err := a.Target(tc.arg, tc.wanted)
		if err != nil {
			t.Errorf("%q, %q: %v", tc.arg, tc.wanted, err)
			continue
		}
		if name != tc.name || (r == nil) != (tc.guest == "") || r != nil && r.Guest != tc.guest {
			t.Errorf("%q, %q: %q with %+v, want %q with %q", tc.arg, tc.wanted, name, r, tc.name, tc.guest)
		}
	}
}

func TestTargetErrors(t *testing.T) {
	dir := home(t)
	write(t, dir+"/work/Bad_Name.toml", demo)
	write(t, dir+"/config/vmctl/recipes/broken.toml", "guest = 1\n")
	t.Chdir(dir + "/work")
	a := open(t, Options{})
	var problems recipe.Problems
	for _, tc := range []struct {
		arg, wanted string
		want        func(error) bool
		hint        string
	}{
		{"windows-12", "", func(err error) bool { return errors.Is(err, recipe.ErrUnknown) }, "windows-11"},
		{"", "", func(err error) bool { return errors.Is(err, os.ErrNotExist) }, "vmctl recipes"},
		{"none.toml", "", func(err error) bool { return errors.Is(err, os.ErrNotExist) }, ""},
		{"Bad_Name.toml", "", func(err error) bool { return errors.Is(err, storage.ErrInvalidName) }, "--name"},
		{"windows-11", "Not Good", func(err error) bool { return errors.Is(err, storage.ErrInvalidName) }, ""},
		{"broken", "", func(err error) bool { return errors.As(err, &problems) }, ""},
	} {
		_, _, err := a.Target(tc.arg, tc.wanted)
		if err == nil || !tc.want(err) || !strings.Contains(hint.Of(err), tc.hint) {
			t.Errorf("%q, %q: error %v, hint %q", tc.arg, tc.wanted, err, hint.Of(err))
		}
	}
}

func TestRuntimeIsFoundOnce(t *testing.T) {
	home(t)
	rt := critest.NewServer(t)
	a := open(t, Options{Endpoint: rt.Endpoint()})
	m, err := a.Machines(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if list, err := m.List(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("%v, %v", list, err)
	}
	_, found, err := a.Runtime(t.Context())
	if err != nil || found.Endpoint != rt.Endpoint() {
		t.Errorf("found %+v, %v", found, err)
	}
	if err := m.WatchPull(t.Context(), func(int64, int64) {}); err == nil {
		t.Error("a runtime that is not containerd tells how far its pulls are")
	}
	if err := errors.Join(a.Close(), a.Close()); err != nil {
		t.Error(err)
	}
}

func TestRuntimeSources(t *testing.T) {
	dir := home(t)
	rt := critest.NewServer(t)
	write(t, dir+"/config/vmctl/config.toml", "runtime-endpoint = \""+rt.Endpoint()+"\"\nruntime-name = \"lab\"\n")
	a := open(t, Options{Getenv: func(string) string { return "" }})
	if _, found, err := a.Runtime(t.Context()); err != nil || found.Endpoint != rt.Endpoint() {
		t.Errorf("by the configuration: %+v, %v", found, err)
	}
	if known := a.sources().Known; len(known) == 0 || !strings.Contains(known[0].Path, "lab") {
		t.Errorf("the private runtime of the configuration is not tried first: %+v", known)
	}
	env := map[string]string{cri.EnvEndpoint: "unix://" + dir + "/none.sock", "VMCTL_RUNTIME_NAME": "other"}
	b := open(t, Options{Getenv: func(name string) string { return env[name] }})
	if _, _, err := b.Runtime(t.Context()); !errors.Is(err, cri.ErrUnavailable) {
		t.Errorf("the environment does not win over the configuration: %v", err)
	}
	if known := b.sources().Known; !strings.Contains(known[0].Path, "other") {
		t.Errorf("%+v", known)
	}
}

func TestConfigIsStrict(t *testing.T) {
	dir := home(t)
	path := dir + "/config/vmctl/config.toml"
	for text, want := range map[string]string{
		"runtime = \"x\"\n":           "config.toml:1:1: runtime: unknown key",
		"\nmachines = 7\n":            "config.toml:2:",
		"machines = \"relative\"\n":   "not an absolute path",
		"machines = \"/a\nb\"\n":      "config.toml:1:",
		"runtime-name = \"a\" junk\n": "config.toml:1:",
	} {
		write(t, path, text)
		if _, err := New(Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	write(t, path, "machines = \""+dir+"/elsewhere\"\n")
	if got := open(t, Options{}).Store().Root(); got != dir+"/elsewhere" {
		t.Errorf("machines are in %s", got)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if got := open(t, Options{}).Store().Root(); got != dir+"/data/vmctl/machines" {
		t.Errorf("machines are in %s", got)
	}
}
