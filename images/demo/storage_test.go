package demo

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// install is the start of a container up to the point where QEMU would run.
const install = `prepare_guest; prepare_disk`

func TestFirstStartInstalls(t *testing.T) {
	dir := t.TempDir()
	out, code := run(t, dir, install+`; for f in command user version; do tar -xOf "$SETUP" ./$f; done`, "COMMAND=echo hi", "USERNAME=bob")
	want := "Downloading demo...\nInstalling demo...\nCreating a 1 GB growable disk image in raw format...\necho hi\nbob\n1\n"
	if diff := cmp.Diff(want, out); diff != "" || code != 0 {
		t.Errorf("exit code %d, output (-want +got):\n%s", code, diff)
	}
	wantFiles := []string{"data.img", "demo.base", "demo.ver", "setup.img"}
	if diff := cmp.Diff(wantFiles, files(t, dir)); diff != "" {
		t.Errorf("storage (-want +got):\n%s", diff)
	}
}

func TestDiskWithoutMarkerIsDeletedSilently(t *testing.T) {
	dir := t.TempDir()
	run(t, dir, install)
	put(t, dir, "data.img", "precious")
	put(t, dir, "demo.mac", "02:00:00:00:00:01")
	out, _ := run(t, dir, install)
	if strings.Contains(out, "elet") || !strings.Contains(out, "Creating a 1 GB") {
		t.Errorf("got %q, want a new disk and no word about the old one", out)
	}
	if diff := cmp.Diff([]string{"data.img", "demo.base", "demo.ver", "setup.img"}, files(t, dir)); diff != "" {
		t.Errorf("storage (-want +got):\n%s", diff)
	}
	if data := get(t, dir, "data.img"); strings.HasPrefix(data, "precious") {
		t.Error("the old disk is still there")
	}
}

func TestMarkerIsWrittenOnlyAfterAStartFromDisk(t *testing.T) {
	for started, want := range map[string]bool{"disk": true, "media": false, "": false} {
		dir := t.TempDir()
		run(t, dir, install+`; [[ -z "$STARTED" ]] || echo "$STARTED" > "$SHM/qemu.boot"; mark_booted`, "STARTED="+started)
		list := strings.Join(files(t, dir), " ")
		if got := strings.Contains(list, "demo.boot"); got != want || got == strings.Contains(list, "setup.img") {
			t.Errorf("firmware started %q: storage has %s", started, list)
		}
	}
}

func TestCompleteGuestIsKeptGrownAndNotShrunk(t *testing.T) {
	dir := installed(t)
	if out, code := run(t, dir, install); out != "" || code != 0 {
		t.Errorf("got %q, exit code %d, want nothing to happen", out, code)
	}
	if out, _ := run(t, dir, install, "DISK_SIZE=2G"); out != "Resizing disk from 1 GB to 2 GB...\n" {
		t.Errorf("growing said %q", out)
	}
	out, code := run(t, dir, install, "DISK_SIZE=1G")
	if code != 71 || !strings.Contains(out, "ERROR: Shrinking disks is not supported") {
		t.Errorf("shrinking: exit code %d, output %q", code, out)
	}
	info, err := os.Stat(filepath.Join(dir, "storage/data.img"))
	if err != nil || info.Size() != 2<<30 {
		t.Errorf("disk is %v, %v, want 2 GiB", info, err)
	}
}

func TestChangedVersionMovesTheGuest(t *testing.T) {
	dir := installed(t)
	out, _ := run(t, dir, install, "VERSION=2")
	if !strings.HasPrefix(out, "Detected that the VERSION variable was changed, a backup") {
		t.Errorf("output is %q", out)
	}
	want := []string{"backups/demo-1/data.img", "backups/demo-1/demo.base", "backups/demo-1/demo.boot", "backups/demo-1/demo.ver",
		"data.img", "demo.base", "demo.ver", "setup.img"}
	if diff := cmp.Diff(want, files(t, dir)); diff != "" {
		t.Errorf("storage (-want +got):\n%s", diff)
	}
	if _, code := run(t, dir, install, "VERSION=../x"); code != 58 {
		t.Errorf("exit code %d for a bad VERSION, want 58", code)
	}
}

func TestFurtherDisks(t *testing.T) {
	dir := t.TempDir()
	for _, n := range []string{"2", "4"} {
		if err := os.Mkdir(filepath.Join(dir, "storage"+n), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	const script = `prepare_further_disks; printf '%s\n' "${DISK_ARGS[@]}" | grep -o 'file=.*,if\|serial=.*' | sed "s|$STORAGE|S|"`
	out, code := run(t, dir, script, "DISK2_SIZE=100M", "DISK4_SIZE=1G")
	want := "Creating a 100 MB growable disk image in raw format...\nCreating a 1 GB growable disk image in raw format...\n" +
		"file=S2/data2.img,if\nserial=disk2\nfile=S4/data4.img,if\nserial=disk4\n"
	if diff := cmp.Diff(want, out); diff != "" || code != 0 {
		t.Errorf("exit code %d, output (-want +got):\n%s", code, diff)
	}
	if out, code := run(t, dir, script, "DISK2_SIZE=64M"); code != 71 || !strings.Contains(out, "increase DISK2_SIZE to 100 MB") {
		t.Errorf("shrinking: exit code %d, output %q", code, out)
	}
	for variable, want := range map[string]int{"DISK3_SIZE=1G": 13, "DISK2_SIZE=big": 73, "DEVICE5=/dev/null": 55, "DEVICE5=/nowhere": 55} {
		if out, code := run(t, dir, script, variable); code != want {
			t.Errorf("%s: exit code %d, want %d: %s", variable, code, want, out)
		}
	}
}

func TestFullDisk(t *testing.T) {
	out, code := run(t, t.TempDir(), `free_space() { echo 1000000; }; `+install)
	if code != 74 || !strings.Contains(out, "ERROR: Not enough free space") {
		t.Errorf("exit code %d, output %q", code, out)
	}
}

// installed returns a directory whose guest is complete.
func installed(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if out, code := run(t, dir, install+`; echo disk > "$SHM/qemu.boot"; mark_booted`); code != 0 {
		t.Fatalf("install: exit code %d\n%s", code, out)
	}
	return dir
}

// files lists the storage directory, sorted.
func files(t *testing.T, dir string) []string {
	t.Helper()
	var list []string
	root := filepath.Join(dir, "storage")
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			list = append(list, strings.TrimPrefix(path, root+"/"))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func put(t *testing.T, dir, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "storage", name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, dir, name string) string {
	t.Helper()
	f, err := os.Open(filepath.Join(dir, "storage", name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	buf := make([]byte, 64)
	n, err := f.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	return string(buf[:n])
}
