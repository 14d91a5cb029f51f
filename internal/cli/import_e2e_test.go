//go:build e2e

package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestE2EImport takes a machine through crictl's files: the pair that render writes is
// imported, and the machine of that recipe comes up with the real image. Its storage
// is then adopted, and the next machine boots the same disk.
func TestE2EImport(t *testing.T) {
	for runtime, endpoint := range oneRuntime(t, "containerd-2") {
		t.Run(runtime, func(t *testing.T) {
			u := newUser(t, endpoint)
			dir := t.TempDir()
			u.run("render", "demo", "--name", "byhand", "-o", dir)
			file := filepath.Join(dir, "imported.toml")
			u.run("recipes", "import", filepath.Join(dir, containerConfigFile), filepath.Join(dir, podConfigFile), "-o", file)
			u.deleteAtEnd("imported")
			if out := u.run("up", file); !strings.Contains(out, "imported is running") {
				t.Errorf("up said %q", out)
			}
			m := u.show("imported")
			testGuestPorts(t, m)
			u.run("stop", "imported")

			disk := filepath.Join(dir, "disk")
			if err := os.Rename(m.Storage, disk); err != nil {
				t.Fatal(err)
			}
			u.run("delete", "imported", "--storage", "--yes")
			_, notes, code := u.try("recipes", "import", disk, "--name", "adopted", "--save")
			if code != 0 || notes != "" {
				t.Fatalf("adopting: exit code %d, %s", code, notes)
			}
			u.deleteAtEnd("adopted")
			u.run("up", "adopted")
			if n := u.counter("adopted"); n != 2 {
				t.Errorf("counter = %d on the adopted disk, want 2: it is not the same disk", n)
			}
			if _, notes, code := u.try("recipes", "import", disk); code != 0 || !strings.Contains(notes, "a machine runs on") {
				t.Errorf("a disk in use: exit code %d, %q", code, notes)
			}
			u.run("delete", "adopted", "--force", "--yes")
			testNothingLeft(t, endpoint)
		})
	}
}
