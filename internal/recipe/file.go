package recipe

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"vmctl/internal/hint"
	"vmctl/internal/storage"
)

// ErrChanged is returned where a file is no longer what was read of it.
var ErrChanged = errors.New("changed meanwhile by somebody else")

// File is a recipe's file that is being changed: what was read of it, and where it goes.
type File struct {
	// Path is the file that Save writes.
	Path string
	// Data is its text. Where there is no file yet, it is the text to begin from.
	Data []byte
	// Bundled is the source that a new file of the user extends, "bundled:NAME", or "".
	Bundled string

	catalog *Catalog
	isNew   bool
}

// File reads the file of a recipe, which may be invalid: what has a slash or ends in
// ".toml" is a file, anything else a name of the catalog. For a bundled recipe it is a new
// file of that name in the first of the user's folders, which extends it. An unknown name
// is ErrUnknown, a file that is not there an *fs.PathError.
func (c *Catalog) File(nameOrPath string) (*File, error) {
	if strings.Contains(nameOrPath, "/") || strings.HasSuffix(nameOrPath, extension) {
		return c.readFile(nameOrPath)
	}
	sources, _ := c.sources()
	source, ok := sources[nameOrPath]
	switch {
	case !ok:
		return nil, unknown(nameOrPath, sortedKeys(sources))
	case !strings.HasPrefix(source, bundledPrefix):
		return c.readFile(source)
	}
	f, err := c.NewFile(nameOrPath)
	if err != nil {
		return nil, err
	}
	f.Bundled = source
	f.Data = fmt.Appendf(nil, "%s = %q\n", extendsKey, source)
	return f, nil
}

// NewFile is a file that is not there yet: NAME.toml in the first of the user's folders,
// or a path where the name has a slash or ends in ".toml".
func (c *Catalog) NewFile(nameOrPath string) (*File, error) {
	switch {
	case strings.Contains(nameOrPath, "/") || strings.HasSuffix(nameOrPath, extension):
		return &File{Path: nameOrPath, catalog: c, isNew: true}, nil
	case len(c.userDirs) == 0:
		return nil, errors.New("there is no folder for recipes of the user")
	}
	return &File{Path: filepath.Join(c.userDirs[0], nameOrPath+extension), catalog: c, isNew: true}, nil
}

// Change makes a change in the file of a recipe, and saves it: see File, Document and
// Save. Nothing is written if one of them returns an error.
func (c *Catalog) Change(nameOrPath string, change func(*Document) error) (*File, error) {
	f, err := c.File(nameOrPath)
	if err != nil {
		return nil, err
	}
	defer lockFolder(f.Path)()
	if f, err = c.File(nameOrPath); err != nil { // as the one before left it
		return nil, err
	}
	d, err := NewDocument(f.Data, f.Path)
	if err != nil {
		return nil, hint.With(err, "put it right with: vmctl recipes edit %s", nameOrPath)
	}
	if err := change(d); err != nil {
		return nil, err
	}
	if _, err := f.Check(d.Bytes()); err != nil {
		return nil, err
	}
	return f, f.save(d.Bytes(), f.isNew)
}

func (c *Catalog) readFile(path string) (*File, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return &File{Path: path, Data: data, catalog: c}, nil
}

// Check reads a text as this file would be read, and follows what it extends.
func (f *File) Check(data []byte) (*Recipe, error) { return f.catalog.finish(data, f.Path) }

// Named tells that the recipe is known by the file's name.
func (f *File) Named() bool {
	return slices.Contains(f.catalog.userDirs, filepath.Dir(f.Path)) && filepath.Ext(f.Path) == extension
}

// Save replaces the file by a text, all at once; its mode and owner stay, and where the
// path is a symbolic link, the link does too. A text that is no valid recipe is refused with
// its Problems. If the file is not what was read, or has come where there was none, the
// error is ErrChanged. Folders on the way to a new file are made.
func (f *File) Save(data []byte) error {
	if _, err := f.Check(data); err != nil {
		return err
	}
	defer lockFolder(f.Path)()
	return f.save(data, f.isNew)
}

// Overwrite is Save for a new file that may take the place of one.
func (f *File) Overwrite(data []byte) error {
	if _, err := f.Check(data); err != nil {
		return err
	}
	defer lockFolder(f.Path)()
	if now, err := os.ReadFile(f.Path); err == nil {
		f.Data = now
		return f.save(data, false)
	}
	return f.save(data, true)
}

func (f *File) save(data []byte, isNew bool) error {
	if isNew {
		return f.saveNew(data)
	}
	target, err := filepath.EvalSymlinks(f.Path)
	if err != nil {
		return fmt.Errorf("%s: %w: %w", f.Path, ErrChanged, err)
	}
	info, err := os.Stat(target)
	if err != nil {
		return err
	}
	now, err := os.ReadFile(target)
	switch {
	case err != nil:
		return err
	case !bytes.Equal(now, f.Data):
		return fmt.Errorf("%s: %w", f.Path, ErrChanged)
	}
	if err := storage.Replace(target, data, info); err != nil {
		return err
	}
	f.Data = data
	return nil
}

// saveNew writes a file only where there is none.
func (f *File) saveNew(data []byte) error {
	if err := os.MkdirAll(filepath.Dir(f.Path), 0o755); err != nil {
		return err
	}
	if _, err := os.Lstat(f.Path); !errors.Is(err, fs.ErrNotExist) {
		return hint.With(fmt.Errorf("%s: %w", f.Path, fs.ErrExist), "choose another name, or change it with: vmctl recipes edit %s", f.Path)
	}
	if err := storage.Replace(f.Path, data, nil); err != nil {
		return err
	}
	f.Data, f.isNew = data, false
	return nil
}
