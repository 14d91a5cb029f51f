package storage

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRecipeAndState(t *testing.T) {
	d := create(t, newStore(t), "vm")
	if err := d.WriteRecipe([]byte("a = 1\n")); err != nil {
		t.Fatal(err)
	}
	got, err := d.ReadRecipe()
	if string(got) != "a = 1\n" || err != nil {
		t.Errorf("ReadRecipe = %q, %v", got, err)
	}

	type state struct{ UID string }
	var s state
	if err := d.ReadJSON(StateFile, &s); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("ReadJSON before any write = %v, want fs.ErrNotExist", err)
	}
	for _, uid := range []string{"first", "second"} {
		if err := d.WriteJSON(StateFile, state{uid}); err != nil {
			t.Fatal(err)
		}
		if err := d.ReadJSON(StateFile, &s); err != nil || s.UID != uid {
			t.Errorf("ReadJSON = %v, %v; want %q", s, err, uid)
		}
	}
	want := []string{"lock", "logs/", "machine.json", "recipe.toml", "storage/"}
	if diff := cmp.Diff(want, tree(t, d.Path())); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	info, err := os.Stat(filepath.Join(d.Path(), StateFile))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("state file: %v, %v", info.Mode(), err)
	}
}

func TestStateErrors(t *testing.T) {
	d := create(t, newStore(t), "vm")
	for _, name := range []string{"other.json", "../machine.json", "storage/machine.json", RecipeFile} {
		if err := d.WriteJSON(name, 1); err == nil {
			t.Errorf("WriteJSON(%q) succeeded", name)
		}
		if err := d.ReadJSON(name, new(int)); err == nil || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("ReadJSON(%q) = %v", name, err)
		}
	}
	if err := d.WriteJSON(StateFile, make(chan int)); err == nil {
		t.Error("WriteJSON of a channel succeeded")
	}
	write(t, d, StateFile, "{broken")
	err := d.ReadJSON(StateFile, new(struct{}))
	if err == nil || !strings.Contains(err.Error(), `read machine.json of machine "vm"`) {
		t.Errorf("ReadJSON of broken JSON = %v", err)
	}
	if err := os.RemoveAll(d.Path()); err != nil {
		t.Fatal(err)
	}
	if _, err := d.ReadRecipe(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("ReadRecipe of a deleted machine = %v", err)
	}
	if err := d.WriteRecipe(nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("WriteRecipe of a deleted machine = %v", err)
	}
}

// A writer that fails must neither harm the old content nor leave its temporary file.
func TestWriteFileFails(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	if err := os.MkdirAll(filepath.Join(path, "in the way"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := writeFile(path, []byte("x")); err == nil {
		t.Fatal("a directory was replaced by a file")
	}
	if diff := cmp.Diff([]string{"f/", "f/in the way/"}, tree(t, dir)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
