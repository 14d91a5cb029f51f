package convert

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"vmctl/internal/hint"
	"vmctl/internal/recipe"
	"vmctl/internal/storage"
)

// Adopt looks at a directory with the disk of a machine that an image made, /storage
// or a folder around it, and says how to run it on. Nothing there is changed. service
// names the folder, where several have a disk. The error is ErrInput, or that of the
// file system.
func Adopt(dir, service string) (Workload, []Note, error) {
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return Workload{}, nil, fmt.Errorf("directory of %q: %w", dir, err)
	}
	found, err := findStorage(absolute)
	if err != nil {
		return Workload{}, nil, err
	}
	folder, err := chooseFolder(dir, absolute, found, service)
	if err != nil {
		return Workload{}, nil, err
	}
	if owner := filepath.Dir(folder); isFile(filepath.Join(owner, storage.RecipeFile)) && isFile(filepath.Join(owner, storage.StateFile)) {
		e := &InputError{File: folder, Text: fmt.Sprintf("belongs to the machine %q already; two machines never share a disk", filepath.Base(owner))}
		return Workload{}, nil, hint.With(e, "start that one: vmctl start %s", filepath.Base(owner))
	}
	a, err := lookAt(folder)
	if err != nil {
		return Workload{}, nil, err
	}
	return a.workload(), a.notes, nil
}

// findStorage returns the folders with a disk: dir itself, else those in it, else
// those one deeper, as for a folder around a storage directory of macOS.
func findStorage(dir string) ([]string, error) {
	level := []string{dir}
	for range 3 {
		var found, next []string
		for _, folder := range level {
			entries, err := os.ReadDir(folder)
			if err != nil && folder == dir {
				return nil, err
			}
			for _, e := range entries {
				if e.IsDir() && e.Name() != storage.BackupsDir && e.Name() != storage.TempDir && e.Name() != storage.SnapshotsDir {
					next = append(next, filepath.Join(folder, e.Name()))
				}
			}
			if diskOf(folder) != "" {
				found = append(found, folder)
			}
		}
		if len(found) > 0 {
			return found, nil
		}
		level = next
	}
	return nil, nil
}

// diskOf is the disk that an image takes in a folder: the qcow2 one before the raw
// one (qemus/qemu src/disk.sh); "" where there is none.
func diskOf(folder string) string {
	for _, name := range []string{storage.QcowDisk, storage.RawDisk} {
		if path := filepath.Join(folder, name); isFile(path) {
			return path
		}
	}
	return ""
}

func chooseFolder(dir, absolute string, found []string, service string) (string, error) {
	var names []string
	for _, folder := range found {
		name, err := filepath.Rel(absolute, folder)
		if err != nil { // it is below
			name = folder
		}
		if service == name || service == "" && len(found) == 1 {
			return folder, nil
		}
		names = append(names, name)
	}
	e := &InputError{File: dir, Text: "several folders have a disk: " + quoteList(names)}
	switch {
	case len(found) == 0:
		e.Text = fmt.Sprintf("no disk here: neither %s nor %s", storage.RawDisk, storage.QcowDisk)
		return "", e
	case service != "":
		e.Text = fmt.Sprintf("no folder %q with a disk; there are %s", service, quoteList(names))
		return "", e
	}
	return "", hint.With(e, "name one: --service %s", names[0])
}

// adoption is a folder with a disk, and what its files tell.
type adoption struct {
	folder string
	disk   string
	guest  recipe.Guest
	size   int64 // of the disk, as the guest sees it
	env    []EnvVar
	notes  remarks
}

// lookAt reads a folder that has a disk.
func lookAt(folder string) (*adoption, error) {
	a := &adoption{folder: folder, disk: diskOf(folder)}
	var err error
	if a.size, err = diskSize(a.disk); err != nil {
		return nil, err
	}
	switch {
	case a.has("windows.*"):
		a.guest = recipe.Windows
		err = a.windows()
	case a.has("demo.*"):
		a.guest = recipe.Demo
		err = a.demo()
	case a.has("macos.*"), a.has("base.dmg"):
		a.guest = recipe.MacOS
		a.macOS()
	default:
		a.guest = recipe.Linux
		a.linux()
	}
	if err != nil {
		return nil, err
	}
	a.checkUse()
	return a, nil
}

func (a *adoption) has(pattern string) bool {
	found, err := filepath.Glob(filepath.Join(escapeGlob(a.folder), pattern))
	return err == nil && len(found) > 0
}

// escapeGlob takes the meaning from the signs of a pattern.
func escapeGlob(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

// state reads a small file that an image keeps; "" where it is not there.
func (a *adoption) state(name string) (string, error) {
	data, err := os.ReadFile(filepath.Join(a.folder, name))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return strings.TrimSpace(string(data)), nil
}

// workload runs the machine on, with the ports that the bundled recipes have.
func (a *adoption) workload() Workload {
	contract := (&recipe.Recipe{Guest: a.guest}).Contract()
	w := Workload{
		Name:       filepath.Base(a.folder),
		Image:      contract.DefaultImage,
		Origin:     "the storage directory " + a.folder,
		Env:        append([]EnvVar{{Name: "DISK_SIZE", Value: sizeText(a.size)}}, a.env...),
		Mounts:     []Mount{{Source: a.folder, Target: storageMount}},
		Privileged: true,
		Ports:      []Port{{Address: recipe.Loopback, Guest: screenPort}, {Address: recipe.Loopback, Guest: rfbPort}},
	}
	switch a.guest {
	case recipe.Windows:
		w.Ports = append(w.Ports, Port{Address: recipe.Loopback, Guest: 3389}, Port{Address: recipe.Loopback, Guest: 3389, Protocol: "udp"})
	case recipe.MacOS, recipe.Linux:
		w.Ports = append(w.Ports, Port{Address: recipe.Loopback, Guest: 22, Host: 2222, From: true})
	}
	if filepath.Base(a.disk) == storage.QcowDisk {
		w.Env = append(w.Env, EnvVar{Name: "DISK_FMT", Value: "qcow2"})
	}
	return w
}

// sizeText writes a size as a recipe does. What is not a whole number of mebibytes
// is rounded up: a disk grows, and never shrinks.
func sizeText(bytes int64) string {
	return recipe.Size{Bytes: (bytes + recipe.MiB - 1) / recipe.MiB * recipe.MiB}.String()
}
