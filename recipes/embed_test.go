package recipes

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// The embedded files are those of this folder, and nothing else.
func TestFS(t *testing.T) {
	onDisk, err := filepath.Glob("*.toml")
	if err != nil || len(onDisk) == 0 {
		t.Fatalf("no recipes: %v", err)
	}
	entries, err := fs.ReadDir(FS, ".")
	if err != nil || len(entries) != len(onDisk) {
		t.Fatalf("%d embedded, %d on disk: %v", len(entries), len(onDisk), err)
	}
	for _, name := range onDisk {
		want, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := fs.ReadFile(FS, name); err != nil || string(got) != string(want) {
			t.Errorf("%s: embedded %q, %v", name, got, err)
		}
	}
}
