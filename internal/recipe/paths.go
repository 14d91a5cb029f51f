package recipe

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/adrg/xdg"
	"github.com/pelletier/go-toml/v2/unstable"
)

// hostPath reads a host path and makes it absolute: `~` and $HOME are the user's home,
// $XDG_* the XDG base directories, and a relative path begins at the recipe's file.
func hostPath(dst *string) form {
	return form{shape{types: []string{"string"}}, func(r *reader, at string, v *value) {
		var given string
		text(&given).read(r, at, v)
		expanded, err := expand(given)
		switch {
		case v.kind != unstable.String:
		case err != nil:
			r.report(at, "%v", err)
		case filepath.IsAbs(expanded):
			*dst = filepath.Clean(expanded)
		case r.baseOf(v) == "":
			r.report(at, "must be an absolute path, or one that begins with ~, not %q", given)
		default:
			*dst = filepath.Join(r.baseOf(v), expanded)
		}
	}}
}

// baseOf is the directory at which a relative path begins, or "" where none may be.
func (r *reader) baseOf(v *value) string {
	if v.at.file == "" {
		return r.base
	}
	return baseDir(v.at.file)
}

// baseDir is the directory of a source; "" for a bundled one.
func baseDir(source string) string {
	if strings.HasPrefix(source, bundledPrefix) {
		return ""
	}
	absolute, err := filepath.Abs(source)
	if err != nil { // the working directory is gone
		return ""
	}
	return filepath.Dir(absolute)
}

// storagePath reads the storage directory. A relative one is refused: recipes live
// in dotfiles, and the disks of a machine do not belong there.
func storagePath(dst *string) form {
	return form{shape{types: []string{"string"}, pattern: `^[/~$]`}, func(r *reader, at string, v *value) {
		var given string
		text(&given).read(r, at, v)
		expanded, err := expand(given)
		switch {
		case v.kind != unstable.String:
		case err != nil:
			r.report(at, "%v", err)
		case !filepath.IsAbs(expanded):
			r.report(at, "must be an absolute path, or one that begins with ~, not %q", given)
		default:
			*dst = filepath.Clean(expanded)
		}
	}}
}

// expand replaces a leading ~ and the variables $HOME and $XDG_*.
func expand(given string) (string, error) {
	if given == "" {
		return "", errors.New("empty; write a path")
	}
	if given == "~" || strings.HasPrefix(given, "~/") {
		given = "$HOME" + given[1:]
	}
	var unknown []string
	expanded := os.Expand(given, func(name string) string {
		dir, ok := directories()[name]
		if !ok {
			unknown = append(unknown, "$"+name)
		}
		return dir
	})
	if len(unknown) > 0 {
		return "", fmt.Errorf("unknown variable %s; known are $HOME and the $XDG directories", strings.Join(unknown, ", "))
	}
	return expanded, nil
}

func directories() map[string]string {
	return map[string]string{
		"HOME":              xdg.Home,
		"XDG_CONFIG_HOME":   xdg.ConfigHome,
		"XDG_DATA_HOME":     xdg.DataHome,
		"XDG_STATE_HOME":    xdg.StateHome,
		"XDG_CACHE_HOME":    xdg.CacheHome,
		"XDG_DOWNLOAD_DIR":  xdg.UserDirs.Download,
		"XDG_DOCUMENTS_DIR": xdg.UserDirs.Documents,
	}
}

// CheckPaths looks whether the host paths of the recipe are there, and returns what
// is not as Problems. A runtime would silently make an empty directory of a file
// that is missing (containerd creates it on the host), and the guest would start
// without its disk or its media.
func (r *Recipe) CheckPaths() error {
	d := &reader{file: r.Source, places: map[string]position{}}
	d.checkPaths(r)
	return d.sorted().err()
}

func (d *reader) checkPaths(r *Recipe) {
	d.checkDir("storage.path", r.Storage.Path)
	for i, k := range r.Disks {
		d.checkDir(fmt.Sprintf("disks[%d].path", i), k.Path)
	}
	for i, m := range r.Mounts {
		d.checkSource(fmt.Sprintf("mounts[%d].source", i), m)
	}
}

// checkDir looks for a directory of disks; "" is the machine's own.
func (d *reader) checkDir(at, dir string) {
	if dir == "" {
		return
	}
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		d.report(at, "%s does not exist; mount or make it first: mkdir -p %s", dir, dir)
	case err != nil:
		d.report(at, "%v", err)
	case !info.IsDir():
		d.report(at, "%s is not a directory", dir)
	}
}

func (d *reader) checkSource(at string, m Mount) {
	if m.Source == "" {
		return // said already
	}
	info, err := os.Stat(m.Source)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		d.report(at, "%s does not exist", m.Source)
	case err != nil:
		d.report(at, "%v", err)
	case info.IsDir() && wantsFile(m.Target):
		d.report(at, "%s is a directory, but %s must be a file", m.Source, m.Target)
	}
}

// wantsFile tells whether the images expect a file at that path of the container
// (dockur/windows src/install.sh, qemus/qemu src/install.sh and src/disk.sh).
func wantsFile(target string) bool {
	switch filepath.Ext(target) {
	case ".iso", ".img", ".raw", ".qcow2", ".dmg", ".xml", ".plist", ".sh":
		return true
	}
	return false
}
