package containerd

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestWriteFile(t *testing.T) {
	dir := t.TempDir()
	file := write(t, filepath.Join(dir, "x"), "old", 0o600)
	if err := writeFile(file, []byte("new")); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(file)
	if err != nil || string(got) != "new" {
		t.Errorf("read %q, %v", got, err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("mode %v, %v: other users look up what runs", info.Mode(), err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("%d files left, want 1", len(entries))
	}
}

func TestWriteFileFailsWhole(t *testing.T) {
	dir := t.TempDir()
	if err := writeFile(filepath.Join(dir, "absent", "x"), nil); err == nil {
		t.Error("written into no directory")
	}
	if err := os.Mkdir(filepath.Join(dir, "d"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := writeFile(filepath.Join(dir, "d"), []byte("x")); err == nil {
		t.Error("a directory was replaced by a file")
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("%d entries, want no temporary file left", len(entries))
	}
}

func TestCopyFile(t *testing.T) {
	dir := t.TempDir()
	src, dst := write(t, filepath.Join(dir, "a"), "text", 0o600), filepath.Join(dir, "b")
	if err := copyFile(dst, src); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(dst); err != nil || string(got) != "text" {
		t.Errorf("read %q, %v", got, err)
	}
	if err := copyFile(dst, filepath.Join(dir, "absent")); !os.IsNotExist(err) {
		t.Errorf("copy of nothing: %v", err)
	}
}

func TestTail(t *testing.T) {
	dir := t.TempDir()
	file := write(t, filepath.Join(dir, "log"), "before\none\ntwo\nthree\n", 0o600)
	for _, tc := range []struct {
		offset int64
		lines  int
		want   string
	}{
		{7, 5, "one\ntwo\nthree"}, {7, 2, "two\nthree"}, {0, 9, "before\none\ntwo\nthree"}, {21, 5, ""}, {999, 5, ""},
	} {
		if got := tail(file, tc.offset, tc.lines); got != tc.want {
			t.Errorf("%d lines from %d: got %q, want %q", tc.lines, tc.offset, got, tc.want)
		}
	}
	if got := tail(filepath.Join(dir, "absent"), 0, 5); got != "" {
		t.Errorf("an absent file ends with %q", got)
	}
	big := write(t, filepath.Join(dir, "big"), strings.Repeat("x\n", 1<<20)+"last\n", 0o600)
	if got := tail(big, 0, 1); got != "last" {
		t.Errorf("a big file ends with %q", got)
	}
}

func TestReadable(t *testing.T) {
	dir := t.TempDir()
	file := write(t, filepath.Join(dir, "x"), "", 0o600)
	for path, want := range map[string]bool{file: true, dir: false, file + "y": false} {
		if readable(path) != want {
			t.Errorf("%q: readable is %v", path, !want)
		}
	}
}
