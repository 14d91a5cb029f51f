package storage

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// Dir is one machine's directory. It holds no open files and may be copied or kept;
// whether the machine is still there shows when it is used.
type Dir struct {
	name, path string
	elsewhere  map[string]string // see Elsewhere
}

// Name returns the machine's name.
func (d *Dir) Name() string { return d.name }

// Path returns the machine's directory, absolute if the store's root is.
func (d *Dir) Path() string { return d.path }

// StoragePath returns the folder that is /storage in the container.
func (d *Dir) StoragePath() string { return filepath.Join(d.path, StorageDir) }

// DiskPath returns the folder of the further disk called name; it may not exist yet.
func (d *Dir) DiskPath(name string) string { return filepath.Join(d.path, DisksDir, name) }

// LogsPath returns the folder where the runtime writes the container's log.
func (d *Dir) LogsPath() string { return filepath.Join(d.path, LogsDir) }

// SnapshotsPath returns the folder of snapshots; it may not exist yet.
func (d *Dir) SnapshotsPath() string { return filepath.Join(d.path, SnapshotsDir) }

// RecipePath returns the file with the frozen recipe.
func (d *Dir) RecipePath() string { return filepath.Join(d.path, RecipeFile) }

func (d *Dir) lockPath() string { return filepath.Join(d.path, LockFile) }

func (d *Dir) isMachine() bool {
	_, err := os.Lstat(d.RecipePath())
	return err == nil
}

// ReadRecipe returns the frozen recipe as it was written.
func (d *Dir) ReadRecipe() ([]byte, error) {
	data, err := os.ReadFile(d.RecipePath())
	if err != nil {
		return nil, fmt.Errorf("read recipe of machine %q: %w", d.name, err)
	}
	return data, nil
}

// WriteRecipe replaces the frozen recipe: readers see the old or the new one, also
// after a power loss.
func (d *Dir) WriteRecipe(data []byte) error {
	if err := writeFile(d.RecipePath(), data); err != nil {
		return fmt.Errorf("write recipe of machine %q: %w", d.name, err)
	}
	return nil
}

// ReadJSON decodes the state file called name (StateFile) into v. A missing file is
// fs.ErrNotExist.
func (d *Dir) ReadJSON(name string, v any) error {
	if err := checkStateName(name); err != nil {
		return err
	}
	data, err := os.ReadFile(filepath.Join(d.path, name))
	if err == nil {
		err = json.Unmarshal(data, v)
	}
	if err != nil {
		return fmt.Errorf("read %s of machine %q: %w", name, d.name, err)
	}
	return nil
}

// WriteJSON replaces the state file called name (StateFile) by v, indented so that a
// person can read it. Readers see the old or the new one, also after a power loss.
func (d *Dir) WriteJSON(name string, v any) error {
	if err := checkStateName(name); err != nil {
		return err
	}
	data, err := json.MarshalIndent(v, "", "  ")
	if err == nil {
		err = writeFile(filepath.Join(d.path, name), append(data, '\n'))
	}
	if err != nil {
		return fmt.Errorf("write %s of machine %q: %w", name, d.name, err)
	}
	return nil
}

// checkStateName keeps names that Inventory does not know out of the directory.
func checkStateName(name string) error {
	if name != StateFile {
		return fmt.Errorf("%q is not a state file of a machine", name)
	}
	return nil
}
