package recipe

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

// writable makes a catalog with a bundled recipe and one of the user, and returns the
// user's folder.
func writable(t *testing.T) (*Catalog, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "vmctl", "recipes")
	bundled := fstest.MapFS{"demo.toml": {Data: []byte("guest = 'demo'\nsummary = 'Bundled'\n")}}
	return NewCatalog(bundled, dir), dir
}

func put(t *testing.T, path, text string, mode fs.FileMode) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), mode), os.Chmod(path, mode)); err != nil {
		t.Fatal(err)
	}
}

func mustFile(t *testing.T, c *Catalog, name string) *File {
	t.Helper()
	f, err := c.File(name)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestSaveKeepsLinkAndMode(t *testing.T) {
	c, dir := writable(t)
	dotfiles := filepath.Join(t.TempDir(), "mine.toml")
	put(t, dotfiles, "guest = 'demo' # x\n", 0o640)
	if err := errors.Join(os.MkdirAll(dir, 0o700), os.Symlink(dotfiles, filepath.Join(dir, "mine.toml"))); err != nil {
		t.Fatal(err)
	}
	f := mustFile(t, c, "mine")
	text := "guest = 'demo' # x\nsummary = 'Mine'\n"
	if err := f.Save([]byte(text)); err != nil {
		t.Fatal(err)
	}
	info, err := os.Lstat(filepath.Join(dir, "mine.toml"))
	if err != nil || info.Mode().Type() != fs.ModeSymlink {
		t.Errorf("the link is %v, %v", info.Mode(), err)
	}
	info, err = os.Lstat(dotfiles)
	if err != nil || info.Mode() != 0o640 {
		t.Errorf("the file is %v, %v; want mode 0640", info.Mode(), err)
	}
	if got := string(read(t, dotfiles)); got != text {
		t.Errorf("the file has %q", got)
	}
	if err := f.Save([]byte("guest = 'demo'\n")); err != nil {
		t.Errorf("saved once more: %v", err)
	}
	if left, err := os.ReadDir(filepath.Dir(dotfiles)); err != nil || len(left) != 1 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestSaveOfBundled(t *testing.T) {
	c, dir := writable(t)
	f := mustFile(t, c, "demo")
	if f.Bundled != "bundled:demo" || f.Path != filepath.Join(dir, "demo.toml") {
		t.Errorf("File = %+v", f)
	}
	if _, err := c.Change("demo", func(d *Document) error { return d.Set("memory", "1G") }); err != nil {
		t.Fatal(err)
	}
	want := "extends = \"bundled:demo\"\n\n[resources]\nmemory = \"1G\"\n"
	if got := string(read(t, f.Path)); got != want {
		t.Errorf("the file has %q, want %q", got, want)
	}
	r, err := c.Get("demo")
	if err != nil || r.Summary != "Bundled" || r.Resources.Memory.Bytes != GiB {
		t.Errorf("Get = %+v, %v", r, err)
	}
	if f := mustFile(t, c, "demo"); f.Bundled != "" || string(f.Data) != want {
		t.Errorf("File again = %+v", f)
	}
}

func TestSaveRefuses(t *testing.T) {
	c, dir := writable(t)
	path := filepath.Join(dir, "mine.toml")
	put(t, path, "guest = 'demo'\n", 0o600)
	f := mustFile(t, c, path)

	var problems Problems
	err := f.Save([]byte("guest = 'demo'\nmemroy = 1\n"))
	if !errors.As(err, &problems) || !strings.HasPrefix(err.Error(), path+":2:1: memroy: ") {
		t.Errorf("invalid: %v", err)
	}
	put(t, path, "guest = 'demo' # theirs\n", 0o600)
	if err := f.Save([]byte("guest = 'demo' # mine\n")); !errors.Is(err, ErrChanged) {
		t.Errorf("changed: %v", err)
	}
	if got := string(read(t, path)); got != "guest = 'demo' # theirs\n" {
		t.Errorf("theirs is %q", got)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := f.Save([]byte("guest = 'demo' # mine\n")); !errors.Is(err, ErrChanged) {
		t.Errorf("removed: %v", err)
	}

	late := mustFile(t, c, "demo")
	put(t, late.Path, "guest = 'demo' # theirs\n", 0o600)
	if err := late.Save(late.Data); !errors.Is(err, fs.ErrExist) {
		t.Errorf("came meanwhile: %v", err)
	}
	if err := late.Overwrite(late.Data); err != nil || string(read(t, late.Path)) != string(late.Data) {
		t.Errorf("Overwrite = %v", err)
	}
}

func TestFileThatIsNotThere(t *testing.T) {
	c, dir := writable(t)
	if _, err := c.File("dmeo"); !errors.Is(err, ErrUnknown) {
		t.Errorf("unknown name: %v", err)
	}
	if _, err := c.File(filepath.Join(dir, "x.toml")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	if _, err := NewCatalog(nil).NewFile("x"); err == nil {
		t.Error("a file in no folder")
	}
}

// TestChangesAtOnce has several commands change one file: nothing of them is lost.
func TestChangesAtOnce(t *testing.T) {
	c, dir := writable(t)
	dotfiles := filepath.Join(t.TempDir(), "mine.toml")
	put(t, dotfiles, "guest = 'demo'\n", 0o600)
	if err := errors.Join(os.MkdirAll(dir, 0o700), os.Symlink(dotfiles, filepath.Join(dir, "mine.toml"))); err != nil {
		t.Fatal(err)
	}
	const writers = 8
	results := make(chan error, writers)
	for i := range writers {
		go func() {
			_, err := c.Change("mine", func(d *Document) error { return d.Set(fmt.Sprintf("env.V%d", i), "x") })
			results <- err
		}()
	}
	for range writers {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	text := string(read(t, dotfiles))
	for i := range writers {
		if !strings.Contains(text, fmt.Sprintf("V%d = ", i)) {
			t.Errorf("V%d is lost:\n%s", i, text)
		}
	}
}
