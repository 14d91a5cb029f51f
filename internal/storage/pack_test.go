package storage

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
)

// withHoles makes a machine whose files have holes in front, between and behind, only a
// hole, and none.
func withHoles(t *testing.T) *Dir {
	t.Helper()
	d, _ := stateful(t)
	for name, at := range map[string][]int64{"data.img": {0, 100 << 20}, "front.img": {50 << 20}, "hole.img": nil, "full.img": {0}} {
		f, err := os.Create(filepath.Join(d.StoragePath(), name))
		if err != nil {
			t.Fatal(err)
		}
		for _, at := range at {
			if _, err := f.WriteAt(bytes.Repeat([]byte(name), 20_000), at); err != nil {
				t.Fatal(err)
			}
		}
		if name != "full.img" && name != "front.img" {
			if err := f.Truncate(120 << 20); err != nil {
				t.Fatal(err)
			}
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return d
}

// sums are the checksums of all files of a machine's state, whole.
func sums(t *testing.T, folder string) map[string][32]byte {
	t.Helper()
	out := map[string][32]byte{}
	err := filepath.WalkDir(folder, func(path string, e os.DirEntry, err error) error {
		rel, _ := filepath.Rel(folder, path)
		if err != nil || e.IsDir() || rel == LockFile || rel == packInfoFile || rel == manifestFile {
			return err
		}
		data, err := os.ReadFile(path)
		out[rel] = sha256.Sum256(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func packed(t *testing.T, d *Dir) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := d.Pack(t.Context(), &out, time.Now(), nil); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// unpack makes the machine called name of an archive.
func unpack(t *testing.T, s *Store, name string, data []byte) (*Dir, error) {
	u, err := OpenPack(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	defer u.Close()
	return s.Create(name, func(d *Dir) error { return u.Into(t.Context(), d, nil) })
}

func TestPackAndUnpack(t *testing.T) {
	d := withHoles(t)
	data := packed(t, d)
	if len(data) > 100_000 {
		t.Errorf("%d bytes: the holes are in it", len(data))
	}
	store := NewStore(t.TempDir())
	got, err := unpack(t, store, "n", data)
	if err != nil {
		t.Fatal(err)
	}
	want := sums(t, d.path)
	if have := sums(t, got.path); len(want) != 8 || len(have) != len(want) {
		t.Fatalf("%d files of %d", len(have), len(want))
	} else {
		for name, sum := range want {
			if have[name] != sum {
				t.Errorf("%s is not the same", name)
			}
		}
	}
	info, err := os.Stat(got.StoragePath() + "/data.img")
	if err != nil || allocated(info) > 2<<20 {
		t.Errorf("data.img takes %d bytes, %v: the holes are filled", allocated(info), err)
	}
}

// TestPackForGNUTar: the format is not our own.
func TestPackForGNUTar(t *testing.T) {
	d := withHoles(t)
	z, err := zstd.NewReader(bytes.NewReader(packed(t, d)))
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	to := t.TempDir()
	cmd := exec.Command("tar", "-xSf", "-", "-C", to)
	cmd.Stdin = z
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Fatalf("tar: %v\n%s", err, out)
	}
	want, have := sums(t, d.path), sums(t, to)
	for name, sum := range want {
		if have[name] != sum {
			t.Errorf("%s is not the same", name)
		}
	}
}

func TestUnpackRefusesWhatIsDamaged(t *testing.T) {
	d := withHoles(t)
	data := packed(t, d)
	store := NewStore(t.TempDir())
	refused := func(what string, data []byte) {
		t.Helper()
		if _, err := unpack(t, store, "n", data); !errors.Is(err, ErrPack) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for _, n := range []int{0, 1, 100, len(data) / 2, len(data) - 20, len(data) - 1} {
		refused("cut off", data[:n])
	}
	for at := 10; at < len(data)-4; at += len(data)/50 + 1 {
		bad := bytes.Clone(data)
		bad[at] ^= 0x10
		got, err := unpack(t, NewStore(t.TempDir()), "n", bad)
		if err == nil && !maps.Equal(sums(t, d.path), sums(t, got.path)) { // some bits mean nothing to zstd
			t.Errorf("a flipped bit at %d of %d was not seen", at, len(data))
		}
	}
	refused("another kind of file", []byte("not a pack at all, but long enough to look at"))
	if names, err := store.List(); err != nil || len(names) != 0 {
		t.Errorf("left: %v, %v", names, err)
	}
	if left := tree(t, store.Root()); len(left) > 1 { // the lock
		t.Errorf("left: %v", left)
	}
}

// TestUnpackChecksItself changes a byte below the compression, whose own check then fits.
func TestUnpackChecksItself(t *testing.T) {
	d := withHoles(t)
	z, err := zstd.NewReader(bytes.NewReader(packed(t, d)))
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	raw, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(raw, []byte("full.imgfull.img"))
	raw[at] = 'X'
	if _, err := unpack(t, NewStore(t.TempDir()), "n", squeeze(t, raw)); !errors.Is(err, ErrPack) {
		t.Errorf("%v", err)
	}
}

func squeeze(t *testing.T, raw []byte) []byte {
	t.Helper()
	z, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return z.EncodeAll(raw, nil)
}

func TestUnpackRefusesForeignNames(t *testing.T) {
	for _, h := range []tar.Header{
		{Name: "../x"}, {Name: "/x"}, {Name: "storage/../../x"}, {Name: "lock"}, {Name: "snapshots/a"}, {Name: "x"}, {Name: "storage"},
		{Name: "storage/a", Typeflag: tar.TypeSymlink, Linkname: "/etc"}, {Name: "storage/dev", Typeflag: tar.TypeChar},
	} {
		var raw bytes.Buffer
		w := tar.NewWriter(&raw)
		info := []byte(`{"format":1,"name":"m"}`)
		if err := errors.Join(w.WriteHeader(&tar.Header{Name: packInfoFile, Size: int64(len(info)), Typeflag: tar.TypeReg}), writeAll(w, info), w.WriteHeader(&h), w.Close()); err != nil {
			t.Fatal(err)
		}
		store := NewStore(t.TempDir())
		if _, err := unpack(t, store, "n", squeeze(t, raw.Bytes())); !errors.Is(err, ErrPack) {
			t.Errorf("%s: %v", h.Name, err)
		}
	}
}

func writeAll(w io.Writer, data []byte) error {
	_, err := w.Write(data)
	return err
}

func TestPackEndsWithItsContext(t *testing.T) {
	d := withHoles(t)
	ctx, cancel := context.WithCancel(t.Context())
	err := d.Pack(ctx, io.Discard, time.Now(), func(done, _ int64) { cancel() })
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestMapOfManyHoles(t *testing.T) {
	var list []extent
	for i := range int64(10) {
		list = append(list, extent{i * 1000, i*1000 + i*100})
	}
	got := joined(list, 500)
	if len(got) != 7 || got[6] != (extent{6000, 9900}) {
		t.Errorf("%v", got)
	}
}

func FuzzOpenPack(f *testing.F) {
	f.Add([]byte(""))
	f.Fuzz(func(t *testing.T, raw []byte) {
		u, err := OpenPack(bytes.NewReader(squeeze(t, raw)))
		if err != nil {
			return
		}
		defer u.Close()
		_ = u.Into(t.Context(), nil, nil)
	})
}
