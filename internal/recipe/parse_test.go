package recipe

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/adrg/xdg"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// fixtures are the files of testdata that match a pattern.
func fixtures(t testing.TB, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", pattern))
	if err != nil || len(files) == 0 {
		t.Fatalf("no fixtures %s: %v", pattern, err)
	}
	return files
}

func read(t testing.TB, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// golden compares with a file of testdata, or writes it with -update.
func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(string(read(t, file)), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

// fixHome makes ~ the same on every machine.
func fixHome(t *testing.T, home string) {
	t.Helper()
	t.Cleanup(xdg.Reload)
	t.Setenv("HOME", home)
	for _, name := range []string{"XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"} {
		t.Setenv(name, "")
	}
	xdg.Reload()
}

func TestValidFixtures(t *testing.T) {
	fixHome(t, "/home/anna")
	for _, file := range fixtures(t, "valid-*.toml") {
		t.Run(filepath.Base(file), func(t *testing.T) {
			r, err := Parse(read(t, file), "/dotfiles/vm.toml")
			if err != nil {
				t.Fatal(err)
			}
			data, err := r.Marshal()
			if err != nil {
				t.Fatal(err)
			}
			golden(t, strings.TrimSuffix(file, ".toml")+".resolved", string(data))
			checkRoundTrip(t, r)
		})
	}
}

// checkRoundTrip proves that the frozen copy is the recipe.
func checkRoundTrip(t *testing.T, r *Recipe) {
	t.Helper()
	data, err := r.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	again, err := Parse(data, "/machines/m/recipe.toml")
	if err != nil {
		t.Fatalf("the frozen copy is refused: %v\n%s", err, data)
	}
	if again.Hash() != r.Hash() {
		t.Errorf("the frozen copy has another hash: %s, not %s", again.Hash(), r.Hash())
	}
	again.Source = r.Source
	if diff := cmp.Diff(r, again); diff != "" {
		t.Errorf("the frozen copy differs (-recipe +copy):\n%s", diff)
	}
	if diff := cmp.Diff(r.Environment(), again.Environment()); diff != "" {
		t.Errorf("the frozen copy has another environment:\n%s", diff)
	}
}

func TestInvalidFixtures(t *testing.T) {
	fixHome(t, "/home/anna")
	for _, file := range fixtures(t, "invalid-*.toml") {
		t.Run(filepath.Base(file), func(t *testing.T) {
			r, err := Parse(read(t, file), "vm.toml")
			var problems Problems
			if !errors.As(err, &problems) || r != nil {
				t.Fatalf("Parse = %v, %v; want Problems", r, err)
			}
			for _, p := range problems {
				if p.Line < 1 || p.Column < 1 {
					t.Errorf("no place: %s", p)
				}
			}
			golden(t, strings.TrimSuffix(file, ".toml")+".err", err.Error()+"\n")
		})
	}
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	write("win.iso", "medium")
	if err := os.MkdirAll(filepath.Join(dir, "store"), 0o700); err != nil {
		t.Fatal(err)
	}
	good := write("good.toml", "guest='windows'\nstorage.path='"+dir+"/store'\n[[mounts]]\nsource='win.iso'\ntarget='/custom.iso'\n")
	r, err := Load(good)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := r.Mounts[0].Source, filepath.Join(dir, "win.iso"); got != want {
		t.Errorf("source = %q, want %q", got, want)
	}
	if r.Source != good {
		t.Errorf("Source = %q, want %q", r.Source, good)
	}

	bad := write("bad.toml", "guest='windows'\nstorage.path='"+dir+"/none'\n"+
		"[[mounts]]\nsource='gone.iso'\ntarget='/custom.iso'\n[[mounts]]\nsource='store'\ntarget='/boot.iso'\n")
	_, err = Load(bad)
	want := bad + ":2:9: storage.path: " + dir + "/none does not exist; mount or make it first: mkdir -p " + dir + "/none\n" +
		bad + ":4:1: mounts[0].source: " + dir + "/gone.iso does not exist\n" +
		bad + ":7:1: mounts[1].source: " + dir + "/store is a directory, but /boot.iso must be a file"
	if err == nil || err.Error() != want {
		t.Errorf("Load = %v\nwant %s", err, want)
	}

	if _, err := Load(filepath.Join(dir, "absent.toml")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Load of no file = %v", err)
	}
}

func TestCheckPaths(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	r := &Recipe{Source: "/r.toml", Storage: Storage{Path: file}, Mounts: []Mount{{Source: filepath.Join(file, "x"), Target: "/shared"}},
		Disks: []Disk{{Name: "own"}, {Name: "away", Path: dir + "/usb"}}}
	err := r.CheckPaths()
	want := "/r.toml: storage.path: " + file + " is not a directory\n" +
		"/r.toml: disks[1].path: " + dir + "/usb does not exist; mount or make it first: mkdir -p " + dir + "/usb\n/r.toml: mounts[0].source: stat " + file + "/x: not a directory"
	if err == nil || err.Error() != want {
		t.Errorf("CheckPaths = %v\nwant %s", err, want)
	}
	r = &Recipe{Storage: Storage{Path: dir}, Disks: []Disk{{Name: "more", Path: dir}}, Mounts: []Mount{{Source: dir, Target: "/shared"}, {Source: file, Target: "/custom.iso"}}}
	if err := r.CheckPaths(); err != nil {
		t.Errorf("CheckPaths = %v", err)
	}
}

// A bundled recipe has no folder that a relative path could begin at.
func TestParseBundledRefusesRelativePaths(t *testing.T) {
	_, err := Parse([]byte("guest='demo'\n[[mounts]]\nsource='x'\ntarget='/shared'\n"), "bundled:demo")
	want := `bundled:demo:3:1: mounts[0].source: must be an absolute path, or one that begins with ~, not "x"`
	if err == nil || err.Error() != want {
		t.Errorf("Parse = %v, want %s", err, want)
	}
}

func TestMachineName(t *testing.T) {
	for _, tt := range []struct{ name, source, want string }{
		{"own", "/a/b.toml", "own"},
		{"", "/a/win 11.toml", "win-11"},
		{"", "/projects/Big_App/vmctl.toml", "big-app"},
		{"", "bundled:windows-11", "windows-11"},
		{"", "/a/" + strings.Repeat("x", 60) + ".toml", strings.Repeat("x", 40)},
		{"", "/a/__.toml", "machine"},
	} {
		r := &Recipe{Name: tt.name, Source: tt.source}
		if got := r.MachineName(); got != tt.want {
			t.Errorf("MachineName of %q, %q = %q, want %q", tt.name, tt.source, got, tt.want)
		}
	}
}

func TestHash(t *testing.T) {
	parse := func(text string) *Recipe {
		r, err := Parse([]byte(text), "")
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	a := parse("guest='demo'\nenv={A='1',B='2'}")
	b := parse("# other words\nenv.B = 2\nenv.A = 1\nguest = \"demo\"\nresources.cpus = 1\n")
	if a.Hash() != b.Hash() {
		t.Error("the same recipe in other words has another hash")
	}
	c := parse("guest='demo'\nenv={A='1',B='3'}")
	if a.Hash() == c.Hash() {
		t.Error("a different recipe has the same hash")
	}
	if len(a.Hash()) != 64 {
		t.Errorf("hash %q", a.Hash())
	}
}
