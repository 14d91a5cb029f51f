package storage

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Claim says whose container a folder with disks is for. It lies in the folder, so that all
// who want the disks find it: other users, other runtimes, and a start whose QEMU does not
// run yet.
type Claim struct {
	Machine  string `json:"machine"`
	UID      string `json:"uid"`       // of the machine
	Dir      string `json:"directory"` // of the machine
	User     string `json:"user"`
	Endpoint string `json:"endpoint"` // the runtime that the container is on
	Host     string `json:"host"`     // the host's machine ID
	BootID   string `json:"boot_id"`
	// Starter is the vmctl that starts the container, Container its first process, once
	// the runtime has told it; both in a form that names one process and no later one.
	Starter   string `json:"starter"`
	Container string `json:"container,omitempty"`
}

// EditClaim looks at the claim on a folder, and puts another in its place or, for nil, none.
// edit gets nil where there is none that can be understood. No other EditClaim comes between.
// An error of edit leaves all as it is, and is returned. A folder that is not there has no
// claim and gets none; one that may not be written to is fs.ErrPermission.
func EditClaim(folder string, edit func(*Claim) (*Claim, error)) error {
	dir, err := os.Open(folder)
	if errors.Is(err, fs.ErrNotExist) {
		_, err := edit(nil)
		return err
	}
	if err != nil {
		return err
	}
	defer dir.Close()
	// The folder and not the file is locked: anybody who may read can, and nothing stays
	// of it. Where the file system does not lock folders, as NFS, the file alone counts.
	if err := flockWait(dir); err != nil && !errors.Is(err, unix.EBADF) && !errors.Is(err, unix.EOPNOTSUPP) && !errors.Is(err, unix.ENOLCK) {
		return fmt.Errorf("lock %s: %w", folder, err)
	}
	old, err := readClaim(folder)
	if err != nil {
		return err
	}
	now, err := edit(old)
	switch {
	case err != nil, old == nil && now == nil:
		return err
	case now == nil:
		return os.Remove(filepath.Join(folder, ClaimFile))
	case old != nil && *old == *now:
		return nil
	}
	return writeClaim(folder, now)
}

// readClaim returns nil where there is no claim, or nothing that is one.
func readClaim(folder string) (*Claim, error) {
	data, err := os.ReadFile(filepath.Join(folder, ClaimFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var c Claim
	if json.Unmarshal(data, &c) != nil {
		return nil, nil
	}
	return &c, nil
}

// writeClaim replaces the claim of a folder that is locked. It is for everybody to read.
func writeClaim(folder string, c *Claim) error {
	data, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return err
	}
	path := filepath.Join(folder, ClaimFile)
	if err := os.Remove(path + claimWriting); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(path+claimWriting, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(append(data, '\n'))
	if err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(path+claimWriting))
	}
	return os.Rename(path+claimWriting, path)
}

// isClaim reports whether a file of this name is a claim, or one that was being written. It
// belongs to the run and not to the disks: no copy has it.
func isClaim(name string) bool { return name == ClaimFile || name == ClaimFile+claimWriting }
