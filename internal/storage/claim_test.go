package storage

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

func TestEditClaim(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, ClaimFile)
	put := func(c *Claim) error {
		return EditClaim(folder, func(*Claim) (*Claim, error) { return c, nil })
	}
	var seen *Claim
	look := func() {
		t.Helper()
		if err := EditClaim(folder, func(c *Claim) (*Claim, error) { seen = c; return c, nil }); err != nil {
			t.Fatal(err)
		}
	}
	if look(); seen != nil {
		t.Fatalf("a claim on an empty folder: %+v", seen)
	}
	if err := os.WriteFile(path+claimWriting, []byte("{"), 0o400); err != nil { // of a crash
		t.Fatal(err)
	}
	if err := put(&Claim{UID: "a"}); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("%v, %v: others cannot read it", info.Mode(), err)
	}
	if look(); seen == nil || seen.UID != "a" {
		t.Errorf("%+v", seen)
	}
	refuse := errors.New("no")
	if err := EditClaim(folder, func(*Claim) (*Claim, error) { return nil, refuse }); !errors.Is(err, refuse) {
		t.Error(err)
	}
	if look(); seen == nil {
		t.Error("an error took it away")
	}
	if err := os.WriteFile(path, []byte("not a claim"), 0o600); err != nil {
		t.Fatal(err)
	}
	if look(); seen != nil {
		t.Errorf("%+v", seen)
	}
	if err := put(&Claim{UID: "b"}); err != nil {
		t.Fatal(err)
	}
	if err := put(nil); err != nil {
		t.Fatal(err)
	}
	if entries, _ := os.ReadDir(folder); len(entries) != 0 {
		t.Errorf("left over: %v", entries)
	}
	if err := EditClaim(filepath.Join(folder, "absent"), func(*Claim) (*Claim, error) { return nil, nil }); err != nil {
		t.Error(err)
	}
}

// TestEditClaimOnce lets many want a folder at once: one gets it.
func TestEditClaimOnce(t *testing.T) {
	folder := t.TempDir()
	var wg sync.WaitGroup
	got := make(chan string, 32)
	for i := range cap(got) {
		wg.Go(func() {
			name := string(rune('a' + i))
			err := EditClaim(folder, func(c *Claim) (*Claim, error) {
				if c != nil {
					return nil, fs.ErrExist
				}
				return &Claim{UID: name}, nil
			})
			if err == nil {
				got <- name
			}
		})
	}
	wg.Wait()
	if len(got) != 1 {
		t.Errorf("%d have it", len(got))
	}
}

// TestClaimIsNotCopied: a claim is the run's. It goes with a deletion, and in no copy.
func TestClaimIsNotCopied(t *testing.T) {
	d := create(t, newStore(t), "vm")
	write(t, d, StateFile, "{}")
	if err := EditClaim(d.StoragePath(), func(*Claim) (*Claim, error) { return &Claim{UID: "a"}, nil }); err != nil {
		t.Fatal(err)
	}
	if _, err := d.TakeSnapshot(t.Context(), Snapshot{Tag: "x"}, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(filepath.Join(d.SnapshotsPath(), "x", StorageDir, ClaimFile)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the snapshot has it: %v", err)
	}
	if kept, err := d.Remove(false); err != nil || len(kept) > 0 {
		t.Errorf("%v, %v", kept, err)
	}
}
