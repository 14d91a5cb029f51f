package storage

import (
	"errors"
	"os"
	"testing"
)

func TestOpenPartial(t *testing.T) {
	path := t.TempDir() + "/it.vm.partial"
	if err := os.WriteFile(path, []byte("of a command that died"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := OpenPartial(path)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := f.Stat(); err != nil || info.Size() != 0 {
		t.Errorf("it is not empty: %v", err)
	}
	if _, err := f.WriteString("mine"); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenPartial(path); !errors.Is(err, ErrLocked) {
		t.Errorf("a second writer: %v", err)
	}
	if data, err := os.ReadFile(path); err != nil || string(data) != "mine" {
		t.Errorf("it holds %q, %v", data, err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := OpenPartial(path)
	if err != nil {
		t.Fatal(err)
	}
	again.Close()
}
