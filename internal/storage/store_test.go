package storage

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func newStore(t *testing.T) *Store {
	t.Helper()
	return NewStore(filepath.Join(t.TempDir(), "vmctl", "machines"))
}

func fillRecipe(d *Dir) error { return d.WriteRecipe([]byte("image = \"x\"\n")) }

func create(t *testing.T, s *Store, name string) *Dir {
	t.Helper()
	d, err := s.Create(name, fillRecipe)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// write makes a file below a machine's directory.
func write(t *testing.T, d *Dir, rel, data string) {
	t.Helper()
	path := filepath.Join(d.Path(), rel)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(data), 0o600); err != nil {
		t.Fatal(err)
	}
}

// tree lists everything below root, folders with a slash.
func tree(t *testing.T, root string) []string {
	t.Helper()
	var got []string
	err := filepath.WalkDir(root, func(path string, e os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(root, path)
		if e.IsDir() {
			rel += "/"
		}
		if rel != "./" {
			got = append(got, rel)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestValidName(t *testing.T) {
	for name, ok := range map[string]bool{
		"a": true, "win11": true, "windows-11": true, "0a": true,
		strings.Repeat("a", 40): true, strings.Repeat("a", 41): false,
		"": false, "-a": false, "a-": false, "A": false, "a.b": false, "a/b": false,
		"..": false, ".creating-a": false, "a b": false, "ü": false, "a\n": false,
	} {
		err := ValidName(name)
		if (err == nil) != ok {
			t.Errorf("ValidName(%q) = %v, want ok %v", name, err, ok)
		}
		if err != nil && !errors.Is(err, ErrInvalidName) {
			t.Errorf("ValidName(%q) = %v, not ErrInvalidName", name, err)
		}
	}
}

func TestCreate(t *testing.T) {
	s := newStore(t)
	if names, err := s.List(); err != nil || len(names) != 0 {
		t.Fatalf("List of no store = %v, %v", names, err)
	}
	d := create(t, s, "win11")
	if d.Name() != "win11" || d.Path() != filepath.Join(s.Root(), "win11") {
		t.Errorf("created %q at %q", d.Name(), d.Path())
	}
	want := []string{"lock", "logs/", "recipe.toml", "storage/"}
	if diff := cmp.Diff(want, tree(t, d.Path())); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	for path, mode := range map[string]os.FileMode{
		s.Root(): 0o700, d.Path(): 0o700, d.StoragePath(): 0o700, d.LogsPath(): 0o700,
		d.RecipePath(): 0o600, d.lockPath(): 0o600,
	} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != mode {
			t.Errorf("%s has mode %o, want %o", path, got, mode)
		}
	}
	create(t, s, "debian")
	names, err := s.List()
	if diff := cmp.Diff([]string{"debian", "win11"}, names); diff != "" || err != nil {
		t.Errorf("List: %v\n%s", err, diff)
	}
	if _, err := s.Create("win11", fillRecipe); !errors.Is(err, ErrExists) {
		t.Errorf("second Create = %v, want ErrExists", err)
	}
}

func TestCreateLeavesNothingHalfMade(t *testing.T) {
	boom := errors.New("boom")
	for name, fill := range map[string]func(*Dir) error{
		"fill fails": func(d *Dir) error {
			write(t, d, "storage/data.img", "x")
			return boom
		},
		"no recipe": func(*Dir) error { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			s := newStore(t)
			d, err := s.Create("vm", fill)
			if err == nil || d != nil {
				t.Fatalf("Create = %v, %v; want an error", d, err)
			}
			if diff := cmp.Diff([]string{".lock"}, tree(t, s.Root())); diff != "" {
				t.Errorf("left over (-want +got):\n%s", diff)
			}
		})
	}
	s := newStore(t)
	if _, err := s.Create("vm", func(*Dir) error { return boom }); !errors.Is(err, boom) {
		t.Errorf("Create = %v, does not wrap fill's error", err)
	}
	if _, err := s.Create("../vm", fillRecipe); !errors.Is(err, ErrInvalidName) {
		t.Errorf("Create = %v, want ErrInvalidName", err)
	}
}

func TestCreateIsInvisibleUntilDone(t *testing.T) {
	s := newStore(t)
	_, err := s.Create("vm", func(d *Dir) error {
		if err := fillRecipe(d); err != nil {
			return err
		}
		if _, err := s.Open("vm"); !errors.Is(err, ErrNotFound) {
			t.Errorf("Open inside fill = %v, want ErrNotFound", err)
		}
		if names, _ := s.List(); len(names) != 0 {
			t.Errorf("List inside fill = %v", names)
		}
		create(t, s, "other") // sweeps; must not take the one being made
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestCreateSweepsDeadMakers(t *testing.T) {
	s := newStore(t)
	tmp, done, err := s.begin("vm")
	if err != nil {
		t.Fatal(err)
	}
	write(t, tmp, "storage/data.img", "half")
	create(t, s, "a")
	if _, err := os.Stat(tmp.Path()); err != nil {
		t.Fatalf("a living maker's directory was swept: %v", err)
	}
	// What kill -9 leaves: the directory, and no lock on it.
	dead := filepath.Join(s.Root(), creatingPrefix+"vm-dead")
	if err := os.Rename(tmp.Path(), dead); err != nil {
		t.Fatal(err)
	}
	done()
	create(t, s, "b")
	if _, err := os.Stat(dead); !os.IsNotExist(err) {
		t.Errorf("a dead maker's directory was not swept: %v", err)
	}
}

func TestCreateRace(t *testing.T) {
	s := newStore(t)
	const n = 16
	var wg sync.WaitGroup
	errs := make(chan error, n)
	for range n {
		wg.Go(func() {
			_, err := s.Create("vm", fillRecipe)
			errs <- err
		})
	}
	wg.Wait()
	close(errs)
	made := 0
	for err := range errs {
		switch {
		case err == nil:
			made++
		case !errors.Is(err, ErrExists):
			t.Error(err)
		}
	}
	if made != 1 {
		t.Errorf("%d makers succeeded, want 1", made)
	}
	want := []string{".lock", "vm/", "vm/lock", "vm/logs/", "vm/recipe.toml", "vm/storage/"}
	if diff := cmp.Diff(want, tree(t, s.Root())); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestCreateAdoptsKeptStorage(t *testing.T) {
	s := newStore(t)
	d := create(t, s, "vm")
	write(t, d, "storage/data.img", "precious")
	if _, err := s.Kept("vm"); !errors.Is(err, ErrExists) {
		t.Errorf("Kept of a machine = %v, want ErrExists", err)
	}
	if _, err := d.Remove(true); err != nil {
		t.Fatal(err)
	}
	kept, err := s.Kept("vm")
	if err != nil {
		t.Fatal(err)
	}
	if disk, err := kept.Disk(Patterns{}); err != nil || !disk.Present() {
		t.Errorf("kept disk = %+v, %v", disk, err)
	}
	if _, err := s.Open("vm"); !errors.Is(err, ErrNotFound) {
		t.Errorf("Open = %v, want ErrNotFound", err)
	}
	d = create(t, s, "vm")
	got, err := os.ReadFile(filepath.Join(d.StoragePath(), "data.img"))
	if string(got) != "precious" || err != nil {
		t.Errorf("disk after create: %q, %v", got, err)
	}
	if _, err := d.ReadRecipe(); err != nil {
		t.Error(err)
	}
	want := []string{".lock", "vm/", "vm/logs/", "vm/recipe.toml", "vm/storage/", "vm/storage/data.img"}
	if diff := cmp.Diff(want, tree(t, s.Root())); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestCreateDoesNotMixTwoStorages(t *testing.T) {
	s := newStore(t)
	d := create(t, s, "vm")
	write(t, d, "storage/data.img", "precious")
	if _, err := d.Remove(true); err != nil {
		t.Fatal(err)
	}
	_, err := s.Create("vm", func(d *Dir) error {
		write(t, d, "storage/data.img", "a clone")
		return fillRecipe(d)
	})
	if !errors.Is(err, ErrExists) {
		t.Fatalf("Create = %v, want ErrExists", err)
	}
	got, err := os.ReadFile(filepath.Join(s.Root(), "vm/storage/data.img"))
	if string(got) != "precious" || err != nil {
		t.Errorf("kept disk: %q, %v", got, err)
	}
}

func TestOpen(t *testing.T) {
	s := newStore(t)
	for name, want := range map[string]error{"vm": ErrNotFound, "../x": ErrInvalidName, "": ErrInvalidName} {
		if _, err := s.Open(name); !errors.Is(err, want) {
			t.Errorf("Open(%q) = %v, want %v", name, err, want)
		}
		if _, err := s.Kept(name); !errors.Is(err, want) {
			t.Errorf("Kept(%q) = %v, want %v", name, err, want)
		}
	}
	create(t, s, "vm")
	if d, err := s.Open("vm"); err != nil || d.Name() != "vm" {
		t.Errorf("Open = %v, %v", d, err)
	}
}

func TestStoreThatCannotBeMade(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s := NewStore(filepath.Join(file, "machines"))
	if _, err := s.Create("vm", fillRecipe); err == nil || !strings.Contains(err.Error(), `create machine "vm"`) {
		t.Errorf("Create = %v", err)
	}
	if _, err := s.List(); err == nil {
		t.Error("List succeeded below a file")
	}
	if _, err := s.Open("vm"); err == nil || errors.Is(err, ErrNotFound) {
		t.Errorf("Open = %v, want an error that is not ErrNotFound", err)
	}
}

func ExampleStore() {
	root, err := os.MkdirTemp("", "machines")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(root)
	store := NewStore(root)
	dir, err := store.Create("win11", func(d *Dir) error {
		return d.WriteRecipe([]byte("image = \"docker.io/dockurr/windows:6.05\"\n"))
	})
	fmt.Println(dir.Name(), err)
	_, err = store.Create("win11", nil)
	fmt.Println(err)
	// Output:
	// win11 <nil>
	// create machine "win11": machine already exists
}
