package recipe

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/adrg/xdg"
)

func TestExpand(t *testing.T) {
	fixHome(t, "/home/anna")
	t.Setenv("XDG_CONFIG_HOME", "/conf")
	xdg.Reload()
	for given, want := range map[string]string{
		"~":                       "/home/anna",
		"~/vm":                    "/home/anna/vm",
		"$HOME/vm":                "/home/anna/vm",
		"${HOME}/vm":              "/home/anna/vm",
		"$XDG_CONFIG_HOME/vm":     "/conf/vm",
		"$XDG_DATA_HOME/vm":       "/home/anna/.local/share/vm",
		"/a/~/b":                  "/a/~/b",
		"rel/x":                   "rel/x",
		"~anna/x":                 "~anna/x",
		"$XDG_STATE_HOME":         "/home/anna/.local/state",
		"/with space/ümlaut.iso":  "/with space/ümlaut.iso",
		"$XDG_CACHE_HOME/../x":    "/home/anna/.cache/../x",
		"$XDG_DOWNLOAD_DIR/a.iso": xdg.UserDirs.Download + "/a.iso",
	} {
		if got, err := expand(given); err != nil || got != want {
			t.Errorf("expand(%q) = %q, %v; want %q", given, got, err, want)
		}
	}
	for given, want := range map[string]string{
		"":          "empty; write a path",
		"$PWD/x":    "unknown variable $PWD; known are $HOME and the $XDG directories",
		"$A/$B/iso": "unknown variable $A, $B; known are $HOME and the $XDG directories",
	} {
		if got, err := expand(given); err == nil || err.Error() != want {
			t.Errorf("expand(%q) = %q, %v; want %s", given, got, err, want)
		}
	}
}

// A relative path begins at the recipe's file, however that was named.
func TestRelativePaths(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "sub"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Chdir(filepath.Join(dir, "sub"))
	for _, tt := range []struct{ file, source, want string }{
		{"/dotfiles/r.toml", "x", "/dotfiles/x"},
		{"/dotfiles/r.toml", "../x", "/x"},
		{"/dotfiles/r.toml", "./a//b/", "/dotfiles/a/b"},
		{"r.toml", "x", dir + "/sub/x"},
		{"../r.toml", "x", dir + "/x"},
	} {
		r, err := Parse([]byte("guest='demo'\nmounts=[{source='"+tt.source+"',target='/shared'}]\n"), tt.file)
		if err != nil || r.Mounts[0].Source != tt.want {
			t.Errorf("%s in %s: %+v, %v; want %s", tt.source, tt.file, r, err, tt.want)
		}
	}
	if _, err := Parse([]byte("guest='demo'\nmounts=[{source='x',target='/shared'}]\n"), ""); err == nil {
		t.Error("a relative path in a text without a file is accepted")
	}
}

func TestWantsFile(t *testing.T) {
	for target, want := range map[string]bool{
		"/custom.iso": true, "/boot.qcow2": true, "/run/start.sh": true, "/custom.plist": true, "/custom.xml": true,
		"/shared": false, "/oem": false, "/storage2": false,
	} {
		if got := wantsFile(target); got != want {
			t.Errorf("wantsFile(%q) = %t", target, got)
		}
	}
}
