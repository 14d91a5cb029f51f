package containerd

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// fakePlugin is a CNI plugin that knows one verb.
func fakePlugin(t *testing.T, dir, name, versions string) {
	t.Helper()
	script := "#!/bin/sh\n[ \"$CNI_COMMAND\" = VERSION ] || exit 1\ncat > /dev/null\necho '{\"cniVersion\":\"1.0.0\",\"supportedVersions\":[" + versions + "]}'\n"
	write(t, filepath.Join(dir, name), script, 0o755)
}

func TestFindPlugins(t *testing.T) {
	root := t.TempDir()
	full, old, part, none := filepath.Join(root, "full"), filepath.Join(root, "old"), filepath.Join(root, "part"), filepath.Join(root, "none")
	for _, name := range []string{"bridge", "host-local", "loopback", "portmap", "firewall"} {
		fakePlugin(t, full, name, `"0.3.1","0.4.0","1.0.0","1.1.0"`)
	}
	for _, name := range requiredPlugins() {
		fakePlugin(t, old, name, `"0.3.1","0.4.0"`)
	}
	fakePlugin(t, part, "bridge", `"1.0.0"`)
	for _, tc := range []struct {
		name string
		dirs []string
		want plugins
	}{
		{"all there", []string{none, full}, plugins{dir: full, version: "1.0.0", portmap: true, firewall: true}},
		{"first complete directory", []string{part, old, full}, plugins{dir: old, version: "0.4.0"}},
		{"none", []string{none}, plugins{missing: requiredPlugins()}},
		{"some missing", []string{none, part}, plugins{missing: []string{"host-local", "loopback"}}},
		{"no directory", nil, plugins{missing: requiredPlugins()}},
	} {
		got := findPlugins(t.Context(), tc.dirs)
		if diff := cmp.Diff(tc.want, got, cmp.AllowUnexported(plugins{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tc.name, diff)
		}
	}
}

func TestScatteredPluginsAreMissing(t *testing.T) {
	root := t.TempDir()
	a, b := filepath.Join(root, "a"), filepath.Join(root, "b")
	fakePlugin(t, a, "bridge", `"1.0.0"`)
	fakePlugin(t, b, "host-local", `"1.0.0"`)
	fakePlugin(t, b, "loopback", `"1.0.0"`)
	if got := findPlugins(t.Context(), []string{a, b}); !slices.Equal(got.missing, requiredPlugins()) {
		t.Errorf("missing %v, want all: containerd 1.6 takes one directory", got.missing)
	}
}

func TestPluginVersions(t *testing.T) {
	dir := t.TempDir()
	oldest := []string{"0.4.0"}
	for _, tc := range []struct {
		name, script string
		want         []string
	}{
		{"answers", "#!/bin/sh\necho '{\"supportedVersions\":[\"1.0.0\"]}'\n", []string{"1.0.0"}},
		{"fails", "#!/bin/sh\nexit 3\n", oldest},
		{"answers nonsense", "#!/bin/sh\necho hello\n", oldest},
		{"does not run", "not a program", oldest},
	} {
		got := pluginVersions(t.Context(), write(t, filepath.Join(dir, tc.name), tc.script, 0o755))
		if !slices.Equal(got, tc.want) {
			t.Errorf("%s: got %v, want %v", tc.name, got, tc.want)
		}
	}
}

func TestCommonVersion(t *testing.T) {
	for _, tc := range []struct {
		name string
		all  [][]string
		want string
	}{
		{"all new", [][]string{{"0.4.0", "1.0.0", "1.1.0"}, {"1.0.0", "1.1.0"}}, "1.0.0"},
		{"one old", [][]string{{"0.4.0", "1.0.0"}, {"0.3.1", "0.4.0"}}, "0.4.0"},
		{"nothing in common", [][]string{{"0.1.0"}, {"1.0.0"}}, "0.4.0"},
		{"nobody asked", nil, "1.0.0"},
	} {
		if got := commonVersion(tc.all); got != tc.want {
			t.Errorf("%s: got %q, want %q", tc.name, got, tc.want)
		}
	}
}
